"""The Kaggle copies: Flickr8k (``captions.txt``) and Flickr30k (``results.csv``)."""

import csv
import re
from pathlib import Path

from ..errors import XmrError
from .assemble import from_rows, some
from .captioned import CaptionedImages
from .files import IMAGE_FOLDERS, find_images_folder, read_lines
from .find_splits import find_splits
from .layouts import Layout, register_layout
from .plain_csv import is_table

_NUMBER_THEN_CAPTION = re.compile(r"\s*(\d+)\s+(\S.*)")


def find_results_csv(folder: Path) -> Path | None:
    """Return ``results.csv`` of a folder, in it or in its image folder (which may be there twice)."""
    places = [folder, *(folder / name for name in IMAGE_FOLDERS), *(folder / name / name for name in IMAGE_FOLDERS)]
    return next((place / "results.csv" for place in places if (place / "results.csv").is_file()), None)


@register_layout("kaggle-flickr8k", order=20)
class KaggleFlickr8k(Layout):
    looked_for = "captions.txt (Kaggle Flickr8k)"

    def recognise(self, path: Path) -> bool:
        if path.is_file():
            file = path.name.lower()
            return file.endswith(".txt") and not file.endswith(".token.txt") and is_table(path)
        return (path / "captions.txt").is_file()

    def read(self, path: Path, name: str | None) -> CaptionedImages:
        return read_kaggle_flickr8k(path, name)


@register_layout("kaggle-flickr30k", order=30)
class KaggleFlickr30k(Layout):
    looked_for = "results.csv (Kaggle Flickr30k)"

    def recognise(self, path: Path) -> bool:
        if path.is_file():
            return path.name.lower() == "results.csv" and not is_table(path)
        results = find_results_csv(path)
        return results is not None and not is_table(results)

    def read(self, path: Path, name: str | None) -> CaptionedImages:
        return read_kaggle_flickr30k(path, name)


def read_kaggle_flickr8k(path: Path, name: str | None = None) -> CaptionedImages:
    """Read ``captions.txt`` (CSV, header ``image,caption``) with ``Images/`` beside it.

    Args:
        path: the folder, or the file itself.
        name: default: the name of the folder.

    Raises:
        XmrError: the file is not there or is another kind of file.
    """
    file = path if path.is_file() else path / "captions.txt"
    folder = file.parent
    header, *lines = read_lines(file)
    if [cell.strip().lower() for cell in header.split(",")] != ["image", "caption"]:
        raise XmrError(f"{file}: the first line is not 'image,caption'")
    rows, odd = [], []
    for number, line in enumerate(lines, start=2):
        # Line by line: a quote left open must not swallow the lines after it.
        cells = next(csv.reader([line]), []) if line.strip() else []
        if len(cells) > 1 and cells[0].strip():
            # A caption with commas that someone saved without quotes comes apart into several cells.
            rows.append((cells[0].strip(), ",".join(cells[1:])))
        elif line.strip():
            odd.append(f"line {number}")
    filenames = sorted({filename for filename, _ in rows})
    return from_rows(
        rows,
        find_splits([folder], filenames),
        name=name or folder.resolve().name,
        layout="kaggle-flickr8k",
        source=path,
        images_folder=find_images_folder(folder, filenames),
        notes=[f"{file.name}: left out without image or caption: {some(odd)}"] if odd else [],
    )


def read_kaggle_flickr30k(path: Path, name: str | None = None) -> CaptionedImages:
    """Read ``results.csv`` (``image_name| comment_number| comment``), which lies in or beside the image folder.

    One row of the published file lacks the separator between number and caption; such rows are repaired and noted.

    Args:
        path: the folder, or the file itself.
        name: default: the name of the folder.

    Raises:
        XmrError: the file is not there or is another kind of file.
    """
    file = path if path.is_file() else find_results_csv(path)
    if file is None:
        raise XmrError(f"{path}: no results.csv in it or in its image folder")
    folder = path
    if path.is_file():
        # results.csv inside the image folder: the dataset's own folder is one or two levels up.
        folder = next(parent for parent in path.absolute().parents if parent.name not in IMAGE_FOLDERS)
    header, *lines = read_lines(file)
    if [cell.strip().lower() for cell in header.split("|")] != ["image_name", "comment_number", "comment"]:
        raise XmrError(f"{file}: the first line is not 'image_name| comment_number| comment'")
    rows, notes = [], []
    for number, line in enumerate(lines, start=2):
        # No quoting in this file: further separators belong to the caption.
        cells = line.split("|", 2)
        if len(cells) == 2 and (match := _NUMBER_THEN_CAPTION.fullmatch(cells[1].rstrip())):
            cells = [cells[0], *match.groups()]
            notes.append(f"{file.name}: line {number} ({cells[0]}) lacked the separator before its caption; repaired")
        if len(cells) == 3 and cells[0].strip() and cells[1].strip().isdecimal():
            rows.append((cells[0].strip(), cells[2]))
        elif line.strip():
            notes.append(f"{file.name}: line {number} is not image | number | caption and was left out")
    filenames = sorted({filename for filename, _ in rows})
    return from_rows(
        rows,
        find_splits(sorted({folder, file.parent}), filenames),
        name=name or folder.resolve().name,
        layout="kaggle-flickr30k",
        source=path,
        images_folder=find_images_folder(folder, filenames),
        notes=notes,
    )
