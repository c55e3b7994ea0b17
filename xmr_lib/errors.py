"""The one exception that users are meant to see."""


class XmrError(Exception):
    """Bad input or a broken promise, told in one line: what is wrong, where, and what to do.

    The command line prints the message alone and exits with 1; in Python it is an ordinary exception.
    """
