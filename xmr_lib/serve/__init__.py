"""The page: search pictures and sentences of indexes in a browser, on this machine alone."""
