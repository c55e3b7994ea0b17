"""Tables that the project itself writes: read back whole, or told where they are not."""

import csv
import io
from collections.abc import Collection, Sequence
from pathlib import Path

from .errors import XmrError


def csv_rows(
    path: str | Path, headers: Collection[Sequence[str]], words: Collection[str], remedy: str
) -> list[dict[str, str]]:
    """Return the rows of a CSV file; an absent one has none.

    Args:
        headers: its columns, or those of several versions.
        words: columns that hold no number; all others hold a number or nothing.
        remedy: what to do with one that is damaged.

    Raises:
        XmrError: it can't be read, has other columns, was cut off, or a cell that should be a number is none.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise XmrError(f"{path}: can't be read ({error.strerror or error})") from None
    except UnicodeDecodeError as error:
        raise XmrError(f"{path}: damaged at byte {error.start} (not UTF-8); {remedy}") from None
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
        header = next(csv.reader(io.StringIO(text, newline="")), [])
    except csv.Error as error:
        raise XmrError(f"{path}: damaged ({error}); {remedy}") from None
    if tuple(header) not in {tuple(columns) for columns in headers}:
        raise XmrError(f"{path}: its columns are those of no version known here; {remedy}")
    if not text.endswith("\n"):
        raise XmrError(f"{path}: cut off in line {text.count(chr(10)) + 1}; {remedy}")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise XmrError(f"{path}: line {number} has more or fewer cells than columns; {remedy}")
        for column, cell in row.items():
            if column not in words and cell and not _is_number(cell):
                raise XmrError(f"{path}: line {number}: {column} = {cell[:40]!r} is no number; {remedy}")
    return rows


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
