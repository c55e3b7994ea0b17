"""Addresses of pages and mailboxes: which are accepted, and how they become links."""

import re
from urllib.parse import quote, urlsplit

SCHEMES = ("https", "http", "mailto")
_KEPT = "%/:?#[]@!&'()*+,;=-._~"
"""Characters of addresses that stay as they are; of others, such as ``\\``, ``^``, ``{`` and ``ü``, their bytes."""


def normal(address: str) -> str:
    """Return an address of ASCII: what an address can't hold is written ``%XX``.

    Raises:
        ValueError: it is none of a page or a mailbox; the message says what to do.
    """
    if " " in address or not address.isprintable():
        raise ValueError("holds a blank or a control character; copy the address anew, or write %20 for a blank")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"is no address ({error}); copy it anew") from None
    if parts.scheme not in SCHEMES:
        raise ValueError("is no address of a page or a mailbox; it must begin with https://, http:// or mailto:")
    if parts.scheme == "mailto" and not re.fullmatch(r"[^@]+@[^@]+", parts.path):
        raise ValueError("names no mailbox; write mailto:name@host")
    if parts.scheme != "mailto" and not re.fullmatch(r"[\w.:-]+", host or "", re.ASCII):
        raise ValueError("names no host; write https://host/…")
    return quote(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", address), safe=_KEPT)


def link(address: str) -> str:
    """Return an address as TeX that prints it, as a link; it can stand in a macro and in an argument.

    Raises:
        ValueError: see ``normal``.
    """
    # hyperref takes each of these with a backslash, which keeps TeX itself from reading it as a comment or parameter.
    return f"\\url{{{re.sub(r'[#%&_~]', lambda found: chr(92) + found[0], normal(address))}}}"
