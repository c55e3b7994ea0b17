"""A user's own table: ``image,caption[,split]`` as CSV or TSV."""

from pathlib import Path

from ..errors import XmrError
from .assemble import from_found
from .captioned import CaptionedImages
from .layouts import Layout, register_layout
from .splits import SPLIT_NAMES, settle
from .tables import Header, Row, described, first_line, literal, read_rows
from .told import Told

_ALL = Told()


def tables_in(folder: Path) -> list[Path]:
    """Return the CSV and TSV files of a folder, whatever their columns."""
    return sorted([*folder.glob("*.csv"), *folder.glob("*.tsv")])


def find_tables(folder: Path, told: Told = _ALL) -> list[Path]:
    """Return the CSV and TSV files of a folder whose header has a column of images and one of captions.

    Where something is told of a table, text files count as well.
    """
    found = [*tables_in(folder), *(sorted(folder.glob("*.txt")) if told.of_table else ())]
    return [path for path in found if Header.of(first_line(path), told.columns, told.separator) is not None]


def is_table(path: Path) -> bool:
    """Tell whether the first line names the columns ``image`` and ``caption``."""
    return Header.of(first_line(path)) is not None


@register_layout("csv", order=70)
class PlainCsv(Layout):
    looked_for = "a .csv or .tsv with the columns image,caption"

    def recognise(self, path: Path) -> bool:
        # A file that is given is read whatever its header: the reader says what is wrong with it.
        return path.name.lower().endswith((".csv", ".tsv")) if path.is_file() else bool(find_tables(path))

    def read(self, path: Path, name: str | None) -> CaptionedImages:
        return read_plain_csv(path, name)


def read_plain_csv(path: str | Path, name: str | None = None, told: Told = _ALL) -> CaptionedImages:
    """Read a table with a header; images are relative to its folder or to ``images/`` in it.

    Columns are found by name; others than ``image``, ``caption`` and ``split`` are ignored. Without a ``split``
    column, splits are looked for beside the table, else made by a hash of the file name.

    Args:
        path: the folder, or the file itself (``.tsv``: separated by tabs).
        name: default: the name of the folder.
        told: names of the columns and the delimiter, where they are not the usual ones.

    Raises:
        XmrError: no such table, or a row does not fit the header (its line is named).
    """
    path = Path(path)
    tables = [path] if path.is_file() else find_tables(path, told)
    if len(tables) != 1:
        found = ", ".join(table.name for table in tables) or f"no CSV or TSV with the columns {_wanted(told)}"
        others = [f"{table.name} has {described(first_line(table))}" for table in tables_in(path)]
        raise XmrError(f"{path}: there is {'; '.join([found, *others])}; give the path of one table")
    file = tables[0]
    header = Header.of(first_line(file), told.columns, told.separator)
    if header is None or any(header.columns.count(header.columns[i]) > 1 for i in (header.image, header.caption)):
        raise XmrError(
            f"{file}: the first line must name one column {_wanted(told)}; it has "
            f"{described(first_line(file), told.separator)}; other names: --image-column, --caption-column, --delimiter"
        )
    rows: list[tuple[str, str]] = []
    split_of: dict[str, tuple[str, ...]] = {}
    for row in read_rows(file, header):
        cells = _cells(file, header, row)
        filename = cells[header.image]
        if not filename:
            raise XmrError(f"{file}: line {row.line} names no image")
        rows.append((filename, cells[header.caption]))
        if split := cells[header.columns.index("split")].lower() if "split" in header.columns else "":
            if split not in SPLIT_NAMES:
                raise XmrError(f"{file}: line {row.line}: split is {split!r}, not train, val or test")
            # Rows of one image that name two splits are kept: the data check tells of the overlap.
            split_of[filename] = (*split_of.get(filename, ()), SPLIT_NAMES[split])
    return from_found(
        rows,
        [file.parent],
        name=name or file.parent.resolve().name,
        layout="csv",
        source=path,
        splits=settle(split_of, "layout") if "split" in header.columns else None,
    )


def _wanted(told: Told) -> str:
    return " and one column ".join(repr(told.columns.get(kind, kind)) for kind in ("image", "caption"))


def _cells(file: Path, header: Header, row: Row) -> list[str]:
    """Return the cells of a row. Tabs are not in captions, so in their tables a quote may be only a quote."""
    cells = row.cells
    if cells is None:
        if header.delimiter != "\t":
            raise XmrError(f"{file}: line {row.line} is not CSV; is a quote left open?")
        cells = literal(row.text, header.delimiter)
    if len(cells) != len(header.columns):
        count = len(header.columns)
        raise XmrError(
            f"{file}: line {row.line} has {len(cells)} cells, the header {count}; quote captions with commas"
        )
    return [cell.strip() for cell in cells]
