"""Which layout is this? Every dataset comes in through ``read_dataset``."""

from pathlib import Path

from ..errors import XmrError
from .captioned import CaptionedImages
from .layouts import registered_layouts


def read_dataset(path: Path, name: str | None = None) -> CaptionedImages:
    """Read a dataset of any layout, from its folder or from the one file that holds its captions.

    Where a folder fits two layouts, a ``dataset.json`` goes first (course features are numbered by it), then Kaggle's
    files (a ``dataset_*.json`` beside them only gives the splits), then the rest in the order of the error message.

    Args:
        path: folder or file.
        name: slug of the dataset; default: what the data call themselves, else the name of the folder.

    Raises:
        XmrError: the path does not exist, its layout is not recognised (the message lists what was looked for), or
            the data in it are broken.
    """
    if not path.exists():
        raise XmrError(f"{path}: no such file or folder")
    layouts = registered_layouts().values()
    for layout in layouts:
        if layout.recognise(path):
            return layout.read(path, name)
    if path.is_file():
        what = "not a file of captions that is known here"
    else:
        what = "not a dataset that is known here" if any(path.iterdir()) else "an empty folder"
    raise XmrError(f"{path}: {what}; looked for {', '.join(layout.looked_for for layout in layouts)}")
