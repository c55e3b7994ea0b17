"""A user's own table: ``image,caption[,split]`` as CSV or TSV."""

from pathlib import Path

from ..errors import XmrError
from .assemble import from_rows
from .captioned import CaptionedImages
from .files import find_images_folder, read_csv
from .find_splits import find_splits
from .layouts import Layout, register_layout
from .splits import Splits

_SPLIT_NAMES = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val"} | {
    "dev": "val",
    "test": "test",
    "testing": "test",
}


def find_tables(folder: Path) -> list[Path]:
    """Return the CSV and TSV files of a folder whose header has the columns ``image`` and ``caption``."""
    return [path for path in sorted([*folder.glob("*.csv"), *folder.glob("*.tsv")]) if is_table(path)]


def is_table(path: Path) -> bool:
    """Tell whether the first line names the columns ``image`` and ``caption``."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            header = file.readline(10_000)
    except OSError as error:
        raise XmrError(f"{path}: can't be read ({error.strerror or error})") from error
    return {"image", "caption"} <= {cell.strip().strip('"').lower() for cell in header.split(_delimiter(path))}


@register_layout("csv", order=70)
class PlainCsv(Layout):
    looked_for = "a .csv or .tsv with the columns image,caption"

    def recognise(self, path: Path) -> bool:
        # A file that is given is read whatever its header: the reader says what is wrong with it.
        return path.name.lower().endswith((".csv", ".tsv")) if path.is_file() else bool(find_tables(path))

    def read(self, path: Path, name: str | None) -> CaptionedImages:
        return read_plain_csv(path, name)


def read_plain_csv(path: Path, name: str | None = None) -> CaptionedImages:
    """Read a table with a header; images are relative to its folder or to ``images/`` in it.

    Columns are found by name; others than ``image``, ``caption`` and ``split`` are ignored. Without a ``split``
    column, splits are looked for beside the table, else made by a hash of the file name.

    Args:
        path: the folder, or the file itself (``.tsv``: separated by tabs).
        name: default: the name of the folder.

    Raises:
        XmrError: no such table, or a row does not fit the header (its line is named).
    """
    tables = [path] if path.is_file() else find_tables(path)
    if len(tables) != 1:
        found = ", ".join(table.name for table in tables) or "no CSV or TSV with the columns image and caption"
        raise XmrError(f"{path}: there is {found}; give the path of one table")
    file = tables[0]
    (_, header), *lines = read_csv(file, _delimiter(file)) or [(0, [])]
    columns = [cell.strip().lower() for cell in header]
    for column in ("image", "caption"):
        if columns.count(column) != 1:
            raise XmrError(f"{file}: the first line must name one column {column!r}; it is: {', '.join(columns)}")
    rows: list[tuple[str, str]] = []
    of: dict[str, tuple[str, ...]] = {}
    for number, cells in lines:
        if len(cells) != len(columns):
            raise XmrError(
                f"{file}: line {number} has {len(cells)} cells, the header {len(columns)}; quote captions with commas"
            )
        row = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
        filename = row["image"].replace("\\", "/")
        if not filename:
            raise XmrError(f"{file}: line {number} names no image")
        rows.append((filename, row["caption"]))
        if split := row.get("split", "").lower():
            if split not in _SPLIT_NAMES:
                raise XmrError(f"{file}: line {number}: split is {split!r}, not train, val or test")
            # Rows of one image that name two splits are kept: the data check tells of the overlap.
            of[filename] = tuple(dict.fromkeys((*of.get(filename, ()), _SPLIT_NAMES[split])))
    filenames = sorted({filename for filename, _ in rows})
    return from_rows(
        rows,
        Splits(of, "layout") if "split" in columns else find_splits([file.parent], filenames),
        name=name or file.parent.resolve().name,
        layout="csv",
        source=path,
        images_folder=find_images_folder(file.parent, filenames),
    )


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix.lower() == ".tsv" else ","
