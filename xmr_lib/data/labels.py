"""Labels of images, one each or none: ``labels.json``, file name → label."""

import json
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ..errors import XmrError
from .captioned import CaptionedImages

LABELS = "labels.json"


def read_labels(path: Path, dataset: CaptionedImages) -> Int[np.ndarray, " images"]:
    """Return a number for each image's label, -1 for an image without one; labels are numbers or texts.

    Raises:
        XmrError: no such file, not an object from file names to labels, or no label belongs to an image.
    """
    try:
        labels = json.loads(path.read_text("utf-8"))
        known = {label: number for number, label in enumerate(sorted(set(labels.values()), key=str))}
    except FileNotFoundError:
        raise XmrError(f"{path}: no labels here; give an object in JSON, file name: label") from None
    except (ValueError, TypeError, AttributeError) as error:
        raise XmrError(f"{path}: not an object in JSON, file name: label ({str(error)[:100]})") from None
    found = np.array([known[labels[name]] if name in labels else -1 for name in dataset.filenames], dtype=np.int64)
    if not (found >= 0).any():
        raise XmrError(f"{path}: none of its {len(labels)} labels belongs to an image of {dataset.name}")
    return found
