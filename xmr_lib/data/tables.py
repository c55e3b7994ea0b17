"""Tables as people save them: the delimiter, the columns, and quotes that mean a cell or only a quote."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import LONGEST, XmrError
from .files import IMAGE_SUFFIXES, read_lines

DELIMITERS = (",", "\t", ";", "|")
COLUMNS = {"image": ("image", "image_name"), "caption": ("caption", "comment")}
"""What the two columns are called that a table must have."""

_LONGEST_CELL = 200
"""Lines. No caption has more; a quote that is left open must not make the reader look through the whole file."""


@dataclass(frozen=True)
class Header:
    """The first line of a table."""

    delimiter: str
    columns: tuple[str, ...]
    """Names of the columns, in lower case."""
    image: int
    """Place of the column of file names."""
    caption: int
    """Place of the column of captions."""

    @classmethod
    def of(cls, line: str, wanted: dict[str, str] | None = None, delimiter: str | None = None) -> "Header | None":
        """Read a header; None if it names no column of images, or none of captions.

        Args:
            line: the first line of the file.
            wanted: names of the columns ``image`` and ``caption``, where they are not the usual ones.
            delimiter: what separates the cells; default: the first that gives both columns.
        """
        for one in (delimiter,) if delimiter else DELIMITERS:
            columns = _names(line, one)
            places = [_place(columns, kind, (wanted or {}).get(kind)) for kind in ("image", "caption")]
            if places[0] is not None and places[1] is not None:
                return cls(one, columns, places[0], places[1])
        return None


@dataclass(frozen=True)
class Row:
    """A row of a table: one line, or more where a quoted cell holds line breaks."""

    line: int
    """Number of its first line, from 1 on."""
    text: str
    cells: tuple[str, ...] | None
    """Its cells where its quotes are those of CSV, else None."""


def first_line(path: Path) -> str:
    """Return the first line of a file of any kind.

    Raises:
        XmrError: the file can't be read.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.readline(10_000).rstrip("\r\n")
    except OSError as error:
        raise XmrError(f"{path}: can't be read ({error.strerror or error})") from error


def described(line: str, delimiter: str | None = None) -> str:
    """Return the columns that a first line seems to have, to be told to people."""
    most = delimiter or max(DELIMITERS, key=line.count)
    names = ", ".join(_names(line, most))
    return (names if len(names) <= LONGEST else f"{names[:LONGEST]}…") + f" (separated by {most!r})"


def read_rows(path: Path, header: Header) -> Iterator[Row]:
    """Yield the rows under the header that are not empty.

    A quote at the beginning of a cell may open a cell of several lines, or be the caption's own: a caption that begins
    with ``"`` must not swallow the rows after it. So lines are put together only where that gives as many cells as
    the header has, and no line among them is a row by itself.

    Raises:
        XmrError: the file can't be read.
    """
    # A carriage return within a line is a blank: CSV would end the row there.
    lines = [line.replace("\r", " ") for line in read_lines(path)]
    named = any(_is_image(_plain(line, header)) for line in lines[1:])
    at = 1
    while at < len(lines):
        last, cells = _record(lines, at, header, named)
        if any(cell.strip() for cell in cells or (lines[at],)):
            yield Row(at + 1, "\n".join(lines[at : last + 1]), cells)
        at = last + 1


def literal(text: str, delimiter: str) -> tuple[str, ...]:
    """Split a row whose quotes are not CSV's; cells that are quoted throughout lose their quotes."""
    return tuple(next(iter(_csv(cell, delimiter) or ()), cell) for cell in text.split(delimiter))


def lenient_pairs(path: Path, header: Header) -> tuple[list[tuple[str, str]], list[int]]:
    """Return (image, caption) of each row, and the lines of rows that lack one of them.

    For public files that are not quite CSV: a caption in the last column may come apart at commas that nobody quoted.
    """
    pairs, odd = [], []
    for row in read_rows(path, header):
        cells = row.cells
        if cells is None:
            tabs = header.delimiter == "\t"
            cells = literal(row.text, "\t") if tabs else _loosely(row.text, header.delimiter)
        if len(cells) > header.caption == len(header.columns) - 1:
            cells = (*cells[: header.caption], header.delimiter.join(cells[header.caption :]))
        if len(cells) == len(header.columns) and cells[header.image].strip():
            pairs.append((cells[header.image].strip(), cells[header.caption]))
        else:
            odd.append(row.line)
    return pairs, odd


def _loosely(text: str, delimiter: str) -> Sequence[str]:
    """Split a row as CSV whose quotes may be amiss; nothing where a cell is longer than any caption (131,072)."""
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return ()


def _names(line: str, delimiter: str) -> tuple[str, ...]:
    return tuple(cell.strip().strip('"').strip().lower() for cell in line.split(delimiter))


def _place(columns: Sequence[str], kind: str, wanted: str | None) -> int | None:
    for name in (wanted.strip().lower(),) if wanted else COLUMNS[kind]:
        if name in columns:
            return columns.index(name)
    return None


def _record(lines: Sequence[str], at: int, header: Header, named: bool) -> tuple[int, tuple[str, ...] | None]:
    """Return the last line of the row that begins at a line, and its cells if its quotes are CSV's."""
    cells = _csv(lines[at], header.delimiter)
    if cells is not None:
        return at, cells
    # Where the image stands before the caption, a line with an image begins a row; where it stands behind, it may as
    # well end one, and then the line that opened the quote is no row by itself.
    ends = header.image > header.caption and not _is_row(lines[at], header, named)
    for last in range(at + 1, min(len(lines), at + _LONGEST_CELL)):
        own = _is_row(lines[last], header, named)
        if own and not ends:
            return at, None
        cells = _csv("\n".join(lines[at : last + 1]), header.delimiter)
        if cells is not None and len(cells) == len(header.columns):
            return last, cells
        if own:
            return at, None
    return at, None


def _csv(text: str, delimiter: str) -> tuple[str, ...] | None:
    """Return the cells of one row; None if a quote is left open or stands where CSV has none."""
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return tuple(rows[0]) if rows else ()


def _plain(line: str, header: Header) -> str | None:
    """Return the image that a line names if its quotes mean nothing."""
    cells = line.split(header.delimiter)
    # The caption may come apart at commas that nobody quoted.
    behind = len(cells) - len(header.columns)
    if behind < 0:
        return None
    place = header.image if header.image < header.caption else header.image + behind
    return cells[place].strip().strip('"')


def _is_image(name: str | None) -> bool:
    return bool(name) and PurePosixPath(name or "").suffix.lower() in IMAGE_SUFFIXES


def _is_row(line: str, header: Header, named: bool) -> bool:
    """Tell whether a line names an image at its place; ``named``: images of this table have a suffix."""
    name = _plain(line, header)
    return _is_image(name) if named else bool(name) and " " not in (name or "")
