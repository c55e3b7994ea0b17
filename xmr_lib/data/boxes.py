"""Boxes of things in images, in COCO's detection format, joined to a dataset by file name."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import XmrError
from .captioned import CaptionedImages
from .files import read_json
from .names import relative_names

LEAST = 1e-4
"""Share of the image's side that a box has more than; of a thinner one single precision leaves no area."""


@dataclass(frozen=True)
class Boxes:
    """Labelled boxes of a dataset's images; an image may have none."""

    names: dict[int, str]
    """Label → name of the category; label 0 is the background and has none."""
    boxes: tuple[np.ndarray, ...]
    """For each image, float32, shape (boxes, 4): left, top, right, bottom as shares of the image's width and height."""
    labels: tuple[np.ndarray, ...]
    """For each image, int64, shape (boxes,)."""
    left_out: int = 0
    """Boxes of these images that nothing can be learned from: without an area within the picture, or of a crowd."""


def read_boxes(path: str | Path, dataset: CaptionedImages) -> Boxes:
    """Read a COCO detection file; images that the dataset does not have are passed over.

    Raises:
        XmrError: no such file, not COCO's format, or no box belongs to an image of the dataset.
    """
    path = Path(path)
    if not path.is_file():
        raise XmrError(f"{path}: no boxes here; a detector learns from a file in COCO's detection format")
    content = read_json(path)
    try:
        names = {int(entry["id"]): str(entry["name"]) for entry in content["categories"]}
        files = {entry["id"]: (entry["file_name"], entry["width"], entry["height"]) for entry in content["images"]}
        tidy, _ = relative_names(name for name, _, _ in files.values())
        found: dict[str, list[tuple[np.ndarray, int]]] = {}
        useless: list[str] = []
        for entry in content["annotations"]:
            name, width, height = files[entry["image_id"]]
            left, top, wide, high = entry["bbox"]
            ends = (left / width, top / height, (left + wide) / width, (top + high) / height)
            if not all(map(math.isfinite, ends)):
                raise XmrError(f"{path}: the box {entry['bbox']} of {name} is not of finite numbers")
            box = np.clip(ends, 0, 1).astype(np.float32)
            # Without an area within the picture there is nothing to learn, and torchvision refuses it: of the numbers
            # that it gets, and at the size that the detector sees.
            if (box[2:] - box[:2] > LEAST).all() and not entry.get("iscrowd"):
                if (label := int(entry["category_id"])) not in names or label < 1:
                    raise XmrError(f"{path}: category {label} of a box is not among its categories (from 1 on)")
                found.setdefault(tidy[name], []).append((box, label))
            else:
                useless.append(tidy[name])
    except (ArithmeticError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise XmrError(f"{path}: not a file in COCO's detection format ({type(error).__name__}: {error})") from None
    of_images = [found.get(name, []) for name in dataset.filenames]
    if not any(of_images):
        raise XmrError(f"{path}: none of its boxes belongs to an image of {dataset.name}")
    boxes = tuple(np.array([box for box, _ in own], dtype=np.float32).reshape(-1, 4) for own in of_images)
    labels = tuple(np.array([label for _, label in own], dtype=np.int64) for own in of_images)
    ours = set(dataset.filenames)
    return Boxes(names, boxes, labels, sum(name in ours for name in useless))
