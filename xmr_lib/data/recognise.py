"""Which layout is this? Every dataset comes in through ``read_dataset``."""

from dataclasses import replace
from pathlib import Path

from ..errors import XmrError
from .captioned import CaptionedImages
from .layouts import registered_layouts
from .plain_csv import read_plain_csv, tables_in
from .tables import described, first_line
from .told import TOLD, Told, read_told, with_images


def read_dataset(path: str | Path, name: str | None = None, told: Told | None = None) -> CaptionedImages:
    """Read a dataset of any layout, from its folder or from the one file that holds its captions.

    Where a folder fits two layouts, a ``dataset.json`` goes first (course features are numbered by it), then Kaggle's
    files (a ``dataset_*.json`` beside them only gives the splits), then the rest in the order of the error message.

    Args:
        path: folder or file.
        name: slug of the dataset; default: what the data call themselves, else the name of the folder.
        told: what the data don't say themselves; it goes before what ``xmr-data.yaml`` beside them tells.

    Raises:
        XmrError: the path does not exist, its layout is not recognised (the message lists what was looked for), or
            the data in it are broken.
    """
    path = Path(path)
    if not path.exists():
        raise XmrError(f"{path}: no such file or folder")
    if not path.is_dir() and not path.is_file():
        raise XmrError(f"{path}: neither a folder nor a file: name the folder or the file of the dataset")
    kept = read_told(path)
    told = (told or Told()).over(kept)
    dataset = read_plain_csv(path, name, told) if told.of_table else _read(path, name)
    if told.images is not None:
        dataset = with_images(dataset, told.images)
    notes = () if kept == Told() else (f"read as {TOLD} beside the captions tells",)
    return replace(dataset, notes=(*dataset.notes, *notes))


def _read(path: Path, name: str | None) -> CaptionedImages:
    layouts = registered_layouts().values()
    for layout in layouts:
        if layout.recognise(path):
            return layout.read(path, name)
    if path.is_file():
        what = "not a file of captions that is known here"
    else:
        what = "not a dataset that is known here" if any(path.iterdir()) else "an empty folder"
    looked_for = f"{what}; looked for {', '.join(layout.looked_for for layout in layouts)}"
    tables = tables_in(path) if path.is_dir() else []
    if tables:
        has = "; ".join(f"{table.name} has {described(first_line(table))}" for table in tables)
        looked_for += f"; {has}: name its columns with --image-column and --caption-column"
    raise XmrError(f"{path}: {looked_for}")
