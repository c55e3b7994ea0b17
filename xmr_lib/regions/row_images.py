"""Which images the rows of SCAN's ``*_ims.npy`` are; nothing is guessed.

A row is an image or, where rows are repeated, a caption of one (the loaders of VSE++, SCAN and VSRN divide by 5 then).
``*_ids.txt`` says which: of Flickr30K Karpathy's ``imgid``, of COCO its own id (kuanghuei/SCAN, issue 17 and
``util/convert_data.py``). The ids that lie beside files of one data set fit some images of any other, so that captions
are compared wherever they are there.
"""

import re
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ..course.lines import named, told
from ..data.captioned import CaptionedImages
from ..data.files import read_lines
from ..errors import XmrError
from .names import best_match, matches
from .split_arrays import IMS

SPLITS = {"dev": "val", "testall": "test"}
BESIDE = ("_caps.txt", "_ids.txt", "_ids.npy")


def images_of_rows(file: str | Path, rows: int, dataset: CaptionedImages) -> tuple[Int[np.ndarray, " rows"], str]:
    """Return the position of each row's image (−1: none of the dataset), and in words how that was found.

    By ``*_ids.txt`` or ``*_ids.npy`` beside the file; without them by the order of the split of its name, if captions
    beside it confirm that order.

    Raises:
        XmrError: nothing says what the rows are, or the captions say otherwise.
    """
    file = Path(file)
    stem = file.name.removesuffix(IMS)
    captions = _captions(file.with_name(f"{stem}_caps.txt"), rows)
    ids = next((path for suffix in BESIDE[1:] if (path := file.with_name(stem + suffix)).is_file()), None)
    if ids is None:
        return _by_order(file, rows, dataset, captions), f"the order of the split, as {stem}_caps.txt confirms"
    return _by_ids(ids, rows, dataset, captions)


def _by_ids(
    file: Path, rows: int, dataset: CaptionedImages, captions: list[list[str]] | None
) -> tuple[np.ndarray, str]:
    ids = _of_rows(file, _ids(file), rows)
    if captions is None:
        match = best_match(dataset, ids, str(file))
        return match.images, f"{match.rule} in {file.name}, with no captions beside it to confirm that"
    found = matches(dataset, ids)
    if not found:
        raise XmrError(f"{file}: none of its ids is one of {dataset.name}, e.g. {named(ids[0])}")
    for match in found:
        if _disagreeing(match.images, dataset, captions) is None:
            return match.images, f"{match.rule} in {file.name}, as its captions confirm"
    row = _disagreeing(found[0].images, dataset, captions)
    raise XmrError(
        f"{file}: by {found[0].rule}, row {row} is {named(dataset.filenames[found[0].images[row]])}, but its captions "
        "are not those of that image; if the ids are those of other data, put file names in their place"
    )


def _by_order(file: Path, rows: int, dataset: CaptionedImages, captions: list[list[str]] | None) -> np.ndarray:
    stem = file.name.removesuffix(IMS)
    split = SPLITS.get(stem, stem)
    images = dataset.splits.get(split, np.empty(0, dtype=np.int64))
    add = f"add {stem}_ids.txt, a file name or image id per row"
    if captions is None:
        raise XmrError(f"{file}: nothing says which images its rows are; {add}")
    if not len(images) or rows % len(images):
        raise XmrError(f"{file}: has {rows} rows, but split {split!r} of {dataset.name} {len(images)} images; {add}")
    found = np.repeat(images, rows // len(images))
    if (row := _disagreeing(found, dataset, captions)) is not None:
        raise XmrError(
            f"{file}: not in the order of split {split!r}, for the captions of row {row} are not those of "
            f"{named(dataset.filenames[found[row]])}; {add}"
        )
    return found


def _disagreeing(images: np.ndarray, dataset: CaptionedImages, captions: list[list[str]]) -> int | None:
    """Return a row of the first image most of whose captions here are not its own there; None: there is none."""
    rows: dict[int, list[int]] = {}
    for row, image in enumerate(images.tolist()):
        rows.setdefault(image, []).append(row)
    rows.pop(-1, None)
    for image, own in rows.items():
        known = {_letters(dataset.raw[caption]) for caption in dataset.captions_of(image)}
        found = [caption in known for row in own for caption in captions[row]]
        if 2 * sum(found) < len(found):
            return own[0]
    return None


def _captions(file: Path, rows: int) -> list[list[str]] | None:
    """Return the letters of the captions of each row, or None where there is no such file."""
    if not file.is_file():
        return None
    lines = _lines(file)
    if not lines or len(lines) % rows:
        raise XmrError(f"{file}: has {len(lines)} captions for {rows} rows; it belongs to another file")
    each = len(lines) // rows
    return [[_letters(line) for line in lines[start : start + each]] for start in range(0, len(lines), each)]


def _letters(caption: str) -> str:
    """Return what captions as written and captions cut into tokens have in common."""
    return re.sub(r"[\W_]+", "", caption.lower())


def _ids(file: Path) -> list[str]:
    if file.suffix == ".txt":
        return [line.strip() for line in _lines(file)]
    try:
        array = np.load(file, allow_pickle=False)
    except Exception as error:  # of a damaged file NumPy raises errors of many kinds
        raise XmrError(f"{file}: not a .npy of numbers or texts ({told(error)})") from None
    if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype.kind not in "iuU":
        raise XmrError(f"{file}: must hold whole numbers or texts, one per row")
    return [str(value) for value in array.tolist()]


def _of_rows(file: Path, ids: list[str], rows: int) -> list[str]:
    """Return the id of each row, where there is one per row, per caption of a row, or per image of several rows."""
    if ids and len(ids) % rows == 0:
        each = len(ids) // rows
        if all(own == ids[place - place % each] for place, own in enumerate(ids)):
            return ids[::each]
    if ids and rows % len(ids) == 0:
        return [own for own in ids for _ in range(rows // len(ids))]
    raise XmrError(f"{file}: has {len(ids)} ids for {rows} rows; one per row is needed")


def _lines(file: Path) -> list[str]:
    lines = read_lines(file)
    return lines[: len(lines) - (lines[-1] == "")]
