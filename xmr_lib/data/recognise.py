"""Which layout is this? Every dataset comes in through ``read_dataset``."""

from pathlib import Path

from ..errors import XmrError
from .captioned import CaptionedImages
from .coco import find_coco_files, read_coco
from .files import read_json
from .kaggle import find_results_csv, read_kaggle_flickr8k, read_kaggle_flickr30k
from .karpathy import LISTS, read_karpathy
from .plain_csv import find_tables, is_table, read_plain_csv
from .token_lists import find_token_file, read_token_lists

_LOOKED_FOR = (
    "dataset*.json or train/val/test.json (Karpathy), captions.txt (Kaggle Flickr8k), results.csv (Kaggle Flickr30k), "
    "*.token or *.token.txt, captions_*.json (COCO), a .csv or .tsv with the columns image,caption"
)


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
    if path.is_file():
        return _read_file(path, name)
    if (path / "dataset.json").is_file() or any((path / file).is_file() for file in LISTS):
        return read_karpathy(path, name)
    if (path / "captions.txt").is_file():
        return read_kaggle_flickr8k(path, name)
    if (results := find_results_csv(path)) and not is_table(results):
        return read_kaggle_flickr30k(path, name)
    if list(path.glob("dataset*.json")):
        return read_karpathy(path, name)
    if find_token_file(path):
        return read_token_lists(path, name)
    if find_coco_files(path):
        return read_coco(path, name)
    if find_tables(path):
        return read_plain_csv(path, name)
    empty = "an empty folder" if not any(path.iterdir()) else "not a dataset that is known here"
    raise XmrError(f"{path}: {empty}; looked for {_LOOKED_FOR}")


def _read_file(path: Path, name: str | None) -> CaptionedImages:
    file = path.name.lower()
    if file.endswith(".json"):
        content = None if file.startswith(("dataset", "captions_")) else read_json(path)
        coco = file.startswith("captions_") or (isinstance(content, dict) and "annotations" in content)
        return read_coco(path, name) if coco else read_karpathy(path, name)
    if file.endswith((".token", ".token.txt")):
        return read_token_lists(path, name)
    if file == "results.csv" and not is_table(path):
        return read_kaggle_flickr30k(path, name)
    if file.endswith((".csv", ".tsv")):
        return read_plain_csv(path, name)
    if file.endswith(".txt") and is_table(path):
        return read_kaggle_flickr8k(path, name)
    raise XmrError(f"{path}: not a file of captions that is known here; looked for {_LOOKED_FOR}")
