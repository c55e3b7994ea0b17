"""SCAN's layout: ``{train,dev,test}_ims.npy``, floats (rows, regions, width), without boxes.

The ``*_boxes.npy`` that some put beside them are not read.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float32, Shaped

from ..course.lines import sized, told
from ..errors import XmrError

IMS = "_ims.npy"
WHOLE_IMAGE = (0.0, 0.0, 1.0, 1.0, 1.0)
"""In place of the box and the score of a region, which these files do not have."""


def map_split_array(file: str | Path) -> Shaped[np.ndarray, "rows regions width"]:
    """Open a file as a memory map; nothing but its header is read.

    Raises:
        XmrError: it is cut off or damaged, holds pickled objects, or is no array of regions.
    """
    file = Path(file)
    try:
        array = np.load(file, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise XmrError(f"{file}: can't be read ({error.strerror or error})") from None
    except Exception as error:  # of a damaged header NumPy raises anything from ValueError to SyntaxError
        raise XmrError(f"{file}: not a whole .npy of floats ({told(error)}); copy it again") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        raise XmrError(f"{file}: holds {getattr(array, 'dtype', 'an archive')}, not floats")
    if array.ndim != 3 or 0 in array.shape:
        raise XmrError(f"{file}: has shape {sized(array.shape)}; regions are (rows, regions, width)")
    return array


def read_rows(array: np.ndarray, rows: list[int]) -> Float32[np.ndarray, "regions columns"] | str:
    """Return the regions of an image: each one's vector and ``WHOLE_IMAGE``; or why they can't be used.

    Args:
        array: what ``map_split_array`` gave.
        rows: those of the image: several where a row is repeated for each caption.
    """
    with np.errstate(over="ignore"):
        vectors = np.asarray(array[rows[0]], dtype=np.float32)
    if not np.isfinite(vectors).all():
        return f"row {rows[0]} holds values that are not finite"
    for row in rows[1:]:
        if (array[row] != array[rows[0]]).any():
            return f"rows {rows[0]} and {row} are both of it and differ"
    beside = np.broadcast_to(np.float32(WHOLE_IMAGE), (len(vectors), len(WHOLE_IMAGE)))
    return np.concatenate([vectors, beside], axis=1)
