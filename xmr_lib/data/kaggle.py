"""The Kaggle copies: Flickr8k (``captions.txt``) and Flickr30k (``results.csv``)."""

import re
from pathlib import Path

from ..errors import XmrError
from .assemble import from_found, some
from .captioned import CaptionedImages
from .files import IMAGE_FOLDERS, read_lines
from .layouts import Layout, register_layout
from .plain_csv import is_table
from .tables import DELIMITERS, Header, described, first_line, lenient_pairs

_RESULTS = ["image_name", "comment_number", "comment"]
_NUMBER_THEN_CAPTION = re.compile(r"\s*(\d+)\s+(\S.*)")


def find_results_csv(folder: Path) -> Path | None:
    """Return ``results.csv`` of a folder, in it or in its image folder (which may be there twice)."""
    places = [folder, *(folder / name for name in IMAGE_FOLDERS), *(folder / name / name for name in IMAGE_FOLDERS)]
    return next((place / "results.csv" for place in places if (place / "results.csv").is_file()), None)


def is_results(path: Path) -> bool:
    """Tell whether the first line is ``image_name| comment_number| comment``, or the same with commas."""
    line = first_line(path)
    return any([cell.strip().lower() for cell in line.split(one)] == _RESULTS for one in DELIMITERS)


@register_layout("kaggle-flickr8k", order=20)
class KaggleFlickr8k(Layout):
    looked_for = "captions.txt (Kaggle Flickr8k)"

    def recognise(self, path: Path) -> bool:
        if path.is_file():
            file = path.name.lower()
            return file.endswith(".txt") and not file.endswith(".token.txt") and is_table(path) and not is_results(path)
        return (path / "captions.txt").is_file()

    def read(self, path: Path, name: str | None) -> CaptionedImages:
        return read_kaggle_flickr8k(path, name)


@register_layout("kaggle-flickr30k", order=30)
class KaggleFlickr30k(Layout):
    looked_for = "results.csv (Kaggle Flickr30k)"

    def recognise(self, path: Path) -> bool:
        if path.is_file():
            return is_results(path) or (path.name.lower() == "results.csv" and not is_table(path))
        results = find_results_csv(path)
        return results is not None and (is_results(results) or not is_table(results))

    def read(self, path: Path, name: str | None) -> CaptionedImages:
        return read_kaggle_flickr30k(path, name)


def read_kaggle_flickr8k(path: str | Path, name: str | None = None) -> CaptionedImages:
    """Read ``captions.txt`` (CSV, header ``image,caption``, or Flickr30k's with commas) with ``Images/`` beside it.

    Args:
        path: the folder, or the file itself.
        name: default: the name of the folder.

    Raises:
        XmrError: the file is not there or is another kind of file.
    """
    path = Path(path)
    file = path if path.is_file() else path / "captions.txt"
    folder = file.parent
    header = Header.of(first_line(file))
    if header is None:
        raise XmrError(
            f"{file}: the first line is not 'image,caption', it has {described(first_line(file))}; "
            "other names: --image-column, --caption-column, --delimiter"
        )
    rows, odd = lenient_pairs(file, header)
    return from_found(
        rows,
        [folder],
        name=name or folder.resolve().name,
        layout="kaggle-flickr8k",
        source=path,
        notes=_left_out(file, odd),
    )


def read_kaggle_flickr30k(path: str | Path, name: str | None = None) -> CaptionedImages:
    """Read ``results.csv`` (``image_name| comment_number| comment``), which lies in or beside the image folder.

    Copies that were saved with commas, and quotes around captions, are read too.

    One row of the published file lacks the separator between number and caption; such rows are repaired and noted.

    Args:
        path: the folder, or the file itself.
        name: default: the name of the folder.

    Raises:
        XmrError: the file is not there or is another kind of file.
    """
    path = Path(path)
    file = path if path.is_file() else find_results_csv(path)
    if file is None:
        raise XmrError(f"{path}: no results.csv in it or in its image folder")
    folder = path
    if path.is_file():
        # results.csv inside the image folder: the dataset's own folder is one or two levels up.
        folder = next(parent for parent in path.absolute().parents if parent.name not in IMAGE_FOLDERS)
    if not is_results(file):
        raise XmrError(f"{file}: the first line is not 'image_name| comment_number| comment'")
    header = Header.of(first_line(file))
    if header is None or header.delimiter == "|":
        rows, notes = _piped_rows(file)
    else:
        rows, odd = lenient_pairs(file, header)
        notes = _left_out(file, odd)
    return from_found(
        rows,
        [folder, file.parent],
        name=name or folder.resolve().name,
        layout="kaggle-flickr30k",
        source=path,
        notes=notes,
    )


def _piped_rows(file: Path) -> tuple[list[tuple[str, str]], list[str]]:
    rows, notes = [], []
    for number, line in enumerate(read_lines(file)[1:], start=2):
        # No quoting in this file: further separators belong to the caption.
        cells = line.split("|", 2)
        if len(cells) == 2 and (match := _NUMBER_THEN_CAPTION.fullmatch(cells[1].rstrip())):
            cells = [cells[0], *match.groups()]
            notes.append(f"{file.name}: line {number} ({cells[0]}) lacked the separator before its caption; repaired")
        if len(cells) == 3 and cells[0].strip() and cells[1].strip().isdecimal():
            rows.append((cells[0].strip(), cells[2]))
        elif line.strip():
            notes.append(f"{file.name}: line {number} is not image | number | caption and was left out")
    return rows, notes


def _left_out(file: Path, lines: list[int]) -> list[str]:
    left_out = some([f"line {number}" for number in lines])
    return [f"{file.name}: left out without image or caption: {left_out}"] if lines else []
