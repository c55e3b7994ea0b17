"""A folder of region files: what lies in it, and the regions of each image of a dataset."""

import hashlib
import sys
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from tqdm import tqdm

from ..data.captioned import CaptionedImages
from ..errors import XmrError
from ..features.renew import first_names
from .names import best_match
from .npz import read_npz
from .row_images import BESIDE, images_of_rows
from .split_arrays import IMS, WHOLE_IMAGE, map_split_array, read_rows

SAMPLE = 9
"""Files whose most frequent width is taken for that of all."""


@runtime_checkable
class RegionSource(Protocol):
    """The regions of images, one image at a time."""

    facts: dict[str, object]
    """What a store says about them: where their boxes are from, and how their images were found."""
    columns: int
    """Of a row: those of its vector, and ``BOX_FEATURES``."""

    def read(self, image: int) -> np.ndarray | str:
        """Return the rows of the image at a position, shape (regions, columns), or why there are none."""


def open_source(folder: str | Path, dataset: CaptionedImages) -> RegionSource:
    """Open a folder in either layout, and find out whose regions lie in it.

    Raises:
        XmrError: there are no region files, those of both layouts, or files of other data; or one is damaged.
    """
    folder = Path(folder)
    arrays, archives = _files(folder)
    return SplitArrays(arrays, dataset) if arrays else Archives(folder, archives, dataset)


def identity_of(folder: str | Path, dataset: CaptionedImages) -> dict[str, str]:
    """Return what changes with the files: a hash of names, sizes and times of all of them and of what lies beside.

    Of SCAN's arrays also a hash of the splits, whose order may say what their rows are.

    Raises:
        XmrError: there are no region files.
    """
    folder = Path(folder)
    arrays, archives = _files(folder)
    beside = [path for suffix in BESIDE for path in folder.glob(f"*{suffix}")] if arrays else []
    digest = hashlib.sha256()
    for path in sorted([*arrays, *archives, *beside]):
        facts = path.stat()
        digest.update(f"{path.relative_to(folder).as_posix()} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    splits = {"splits": dataset.split_fingerprint} if arrays else {}
    return {"source_files": digest.hexdigest()[:16], **splits}


class Archives:
    """A folder of ``.npz``, one per image, named like it or by its id."""

    def __init__(self, folder: Path, files: list[Path], dataset: CaptionedImages):
        match = best_match(dataset, [file.stem for file in files], f"{folder}: its .npz files")
        self.files: dict[int, Path] = {}
        for file, image in zip(files, match.images.tolist(), strict=True):
            if image in self.files:
                raise XmrError(f"{file}: the same image as {self.files[image]}; remove one of them")
            if image >= 0:
                self.files[image] = file
        self.facts = {"layout": "npz", "boxes": "of the files", "images_by": match.rule}
        _say(f"{folder}: {match.fitting} of {len(files)} files fit images of {dataset.name}, by {match.rule}")
        if strangers := [file.name for file, image in zip(files, match.images, strict=True) if image < 0]:
            _say(f"{folder}: {len(strangers)} fit none and are not used ({first_names(strangers)})")
        self.columns = self._usual_columns()

    def read(self, image: int) -> np.ndarray | str:
        if image not in self.files:
            return "no .npz is of it"
        rows = read_npz(self.files[image])
        if not isinstance(rows, str) and rows.shape[1] != self.columns:
            rows = f"vectors of {rows.shape[1] - len(WHOLE_IMAGE)} numbers, others {self.columns - len(WHOLE_IMAGE)}"
        return f"{self.files[image].name}: {rows}" if isinstance(rows, str) else rows

    def _usual_columns(self) -> int:
        found: list[int] = []
        for file in self.files.values():
            rows = read_npz(file)
            found += [] if isinstance(rows, str) else [rows.shape[1]]
            if len(found) == SAMPLE:
                break
        if not found:
            raise XmrError(f"{file}: {rows}; so it is with all {len(self.files)} files")
        return max(found, key=found.count)


class SplitArrays:
    """SCAN's arrays, one per split."""

    def __init__(self, files: list[Path], dataset: CaptionedImages):
        self.arrays = [map_split_array(file) for file in files]
        self.names = [file.name for file in files]
        self.rows: dict[int, tuple[int, list[int]]] = {}
        """Position of an image → its array, and its rows there."""
        widths = [array.shape[2] for array in self.arrays]
        if len(set(widths)) > 1:
            told = ", ".join(f"{name} {width}" for name, width in zip(self.names, widths, strict=True))
            raise XmrError(f"{files[0].parent}: regions of different widths ({told}); they are of different networks")
        self.columns = widths[0] + len(WHOLE_IMAGE)
        found = {}
        for place, (file, array) in enumerate(zip(files, self.arrays, strict=True)):
            images, found[file.name] = images_of_rows(file, len(array), dataset)
            _say(f"{file}: images of its {len(array)} rows by {found[file.name]}")
            if strangers := int((images < 0).sum()):
                _say(f"{file}: {strangers} rows fit no image of {dataset.name} and are not used")
            for row, image in enumerate(images.tolist()):
                # COCO's test is within its testall: the first file that has an image counts.
                if image >= 0 and self.rows.setdefault(image, (place, []))[0] == place:
                    self.rows[image][1].append(row)
        self.facts = {"layout": "ims.npy", "boxes": "none: the whole image, score 1", "images_by": found}

    def read(self, image: int) -> np.ndarray | str:
        if image not in self.rows:
            return "no row is of it"
        place, rows = self.rows[image]
        found = read_rows(self.arrays[place], rows)
        return f"{self.names[place]}: {found}" if isinstance(found, str) else found


def _files(folder: Path) -> tuple[list[Path], list[Path]]:
    if not folder.is_dir():
        raise XmrError(f"{folder}: no such folder; it should hold region files")
    arrays, archives = sorted(folder.glob(f"*{IMS}")), sorted(folder.rglob("*.npz"))
    if bool(arrays) == bool(archives):
        what = "both *_ims.npy and .npz files" if arrays else "no region files"
        raise XmrError(f"{folder}: holds {what}; either .npz, one per image, or train_ims.npy and its like are read")
    return arrays, archives


def _say(line: str) -> None:
    tqdm.write(line, file=sys.stderr)
