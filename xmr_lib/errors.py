"""The one exception that users are meant to see."""

import difflib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

LONGEST = 200
"""Letters that are told of another library's message."""
FIRST, LAST = 1200, 400
"""Letters of a longer message that are kept: names and cells of other people's files may be of any length."""


class XmrError(Exception):
    """Bad input or a broken promise, told in one line: what is wrong, where, and what to do.

    The command line prints the message alone and exits with 1; in Python it is an ordinary exception.
    """

    def __init__(self, message: str):
        line = printable(message)
        super().__init__(line if len(line) <= FIRST + LAST else f"{line[:FIRST]} … {line[-LAST:]}")


def printable(text: str) -> str:
    """Return a text in which nothing breaks a line or speaks to a terminal: file names may hold any character."""
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def listed(name: str, known: Collection[str]) -> str:
    """Return what there is in place of a name that is unknown, in words, and first what was probably meant."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.8)
    return (f"did you mean {close[0]!r}? " if close else "") + f"there are {', '.join(known)}"


@contextmanager
def reading(path: str | Path, what: str, remedy: str) -> Iterator[None]:
    """Tell in one line whatever the block raises that reads a file: of a damaged one, libraries raise anything.

    Args:
        what: the file is, in words: "a result of this version".
        remedy: what to do where it is not.

    Raises:
        XmrError: the block raised something; an ``XmrError`` of its own passes as it is.
    """
    try:
        yield
    except (XmrError, MemoryError):
        raise
    except OSError as error:
        raise XmrError(f"{path}: can't be read ({error.strerror or one_line(error)})") from None
    except Exception as error:
        raise XmrError(f"{path}: not {what} ({one_line(error)}); {remedy}") from None


def one_line(error: Exception) -> str:
    """Return what an exception says, in one line and not too long of it."""
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"
