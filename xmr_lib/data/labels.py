"""What images show, as one label each: images of the same label are relevant to each other in image retrieval."""

from pathlib import Path

import numpy as np
from jaxtyping import Int

from ..errors import XmrError
from .captioned import CaptionedImages
from .files import read_json
from .names import relative_names

NONE = -1


def read_labels(path: str | Path, dataset: CaptionedImages) -> Int[np.ndarray, " images"]:
    """Read ``{"labels": {"000000.jpg": 7, …}}``; return a number for each image, -1 for one that has no label.

    A label is a whole number or a name; labels are numbered anew, from 0. Images that the dataset does not have are
    passed over.

    Raises:
        XmrError: no such file, another format, or no label belongs to an image of the dataset.
    """
    path = Path(path)
    if not path.is_file():
        raise XmrError(f'{path}: no labels here; the file holds {{"labels": {{"file name": label, …}}}}')
    content = read_json(path)
    try:
        of_file = content["labels"]
        for name, label in of_file.items():
            if isinstance(label, bool) or not isinstance(label, int | str):
                raise ValueError(f"the label of {name!r} is {label!r}, not a whole number or a name")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise XmrError(f"{path}: not a file of labels ({type(error).__name__}: {error})") from None
    tidy, _ = relative_names(of_file)
    of_file = {tidy[name]: label for name, label in of_file.items()}
    number = {label: place for place, label in enumerate(sorted(set(map(str, of_file.values()))))}
    labels = [number[str(of_file[name])] if name in of_file else NONE for name in dataset.filenames]
    if all(label == NONE for label in labels):
        raise XmrError(f"{path}: none of its labels belongs to an image of {dataset.name}")
    return np.array(labels, dtype=np.int64)
