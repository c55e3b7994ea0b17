"""One ``.npz`` of bottom-up attention: the regions of one image, under the names that its many extractors use.

``x, bbox, num_bbox, image_w, image_h, info`` (MILVLG/bottom-up-attention.pytorch; ``x`` is transposed in the files of
openvqa and MCAN), ``features, boxes, num_boxes, img_w, img_h, objects_conf`` (airsplay/py-bottom-up-attention, LXMERT),
and ``features, norm_bb, conf`` (UNITER, whose boxes are shares of the image already).
"""

import zipfile
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Shaped

from ..course.lines import named, sized, told

FEATURES, BOXES, SHARES = ("x", "features"), ("bbox", "boxes"), ("norm_bb",)
WIDTHS, HEIGHTS = ("image_w", "img_w"), ("image_h", "img_h")
COUNTS, SCORES = ("num_bbox", "num_boxes"), ("objects_conf", "conf", "scores")
LARGEST = 64 << 20
"""Bytes of an array once unpacked: 8,000 regions of 2,048 floats."""
MARGIN = 0.01
"""Share of the image that a box may lie beyond it: extractors round, and count pixels from 0 or from 1."""


class Unfit(ValueError):
    """Why a file can't be used."""


def read_npz(path: str | Path) -> Float32[np.ndarray, "regions columns"] | str:
    """Read the regions of one image, or return why that can't be done. Nothing in the file is unpickled.

    Returns:
        One row per region: its vector, then ``BOX_FEATURES``: left, top, right, bottom as shares of the image, and the
        detector's score, which is 1 where the file has none that can be read (``info`` is a pickle: it is left alone).
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _rows(archive)
    except Unfit as error:
        return str(error)
    except FileNotFoundError:
        return "the file is missing"
    except Exception as error:  # zipfile, zlib and NumPy tell damage by errors of a dozen kinds
        return f"not a whole .npz ({told(error)})"


def shares(boxes: Shaped[np.ndarray, "regions sides"], width: float, height: float) -> Float[np.ndarray, "regions 4"]:
    """Return boxes in pixels (left, top, right, bottom, more) as shares of the image.

    Raises:
        Unfit: the image has no size, or a box is none of this image.
    """
    if not (0 < width < np.inf and 0 < height < np.inf):
        raise Unfit(f"its image has size {width:g} × {height:g}")
    found = boxes[:, :4].astype(np.float64)
    if not np.isfinite(found).all():
        raise Unfit("a box is not finite")
    if found.max() <= 1 < min(width, height):
        raise Unfit("its boxes end within the first pixel; boxes that are shares of the image belong under 'norm_bb'")
    found /= (width, height, width, height)
    bad = (found < -MARGIN).any(1) | (found > 1 + MARGIN).any(1) | (found[:, :2] > found[:, 2:]).any(1)
    if bad.any():
        place = int(bad.argmax())
        box = ", ".join(f"{side:g}" for side in boxes[place, :4])
        raise Unfit(f"box {place} ({box}) is none of an image of {width:g} × {height:g}")
    return found.clip(0, 1)


def _rows(archive: zipfile.ZipFile) -> np.ndarray:
    features, boxes = _first(archive, FEATURES), _first(archive, BOXES)
    width, height = _number(archive, WIDTHS), _number(archive, HEIGHTS)
    if boxes is None:
        boxes, width, height = _first(archive, SHARES), 1.0, 1.0
    if features is None or boxes is None or width is None or height is None:
        have = ", ".join(named(name.removesuffix(".npy")) for name in archive.namelist()[:10]) or "nothing"
        raise Unfit(f"it needs x or features, bbox or boxes (or norm_bb), image_w and image_h, and has {have}")
    if features.ndim != 2 or boxes.ndim != 2 or boxes.shape[1] < 4:
        raise Unfit(f"features of shape {sized(features.shape)} and boxes of shape {sized(boxes.shape)} are no regions")
    features = _upright(features, len(boxes))
    number = _number(archive, COUNTS)
    count = len(boxes) if number is None else int(number)
    if not 0 < count <= len(boxes):
        raise Unfit(
            f"it says that it has {count} regions, and has {len(boxes)} boxes" if boxes.size else "it has no regions"
        )
    # What lies behind is padding.
    features, places = features[:count], shares(boxes[:count], width, height)
    scores = _first(archive, SCORES)
    scores = np.ones(count) if scores is None else scores.reshape(-1)[:count]
    if len(scores) != count:
        raise Unfit(f"it has {len(scores)} scores for {count} regions")
    # A double beyond what float32 holds becomes infinite, and is told below.
    with np.errstate(over="ignore"):
        rows = np.concatenate([features, places, scores[:, None]], axis=1, dtype=np.float32)
    if not np.isfinite(rows).all():
        raise Unfit("it holds values that are not finite")
    return rows


def _upright(features: np.ndarray, regions: int) -> np.ndarray:
    if features.shape == (regions, regions):
        raise Unfit(f"features of shape {sized(features.shape)} can be read in two ways")
    if regions not in features.shape:
        raise Unfit(f"it has features of shape {sized(features.shape)} for {regions} boxes")
    return features if len(features) == regions else features.T


def _first(archive: zipfile.ZipFile, names: tuple[str, ...]) -> np.ndarray | None:
    """Return the array that is there under one of these names, or None."""
    for name in names:
        if f"{name}.npy" not in archive.namelist():
            continue
        info = archive.getinfo(f"{name}.npy")
        if info.file_size > LARGEST:
            raise Unfit(f"{name!r} has {info.file_size >> 20} MB, more than the regions of an image have")
        with archive.open(info) as file:
            try:
                array = np.lib.format.read_array(file, allow_pickle=False)
            except ValueError as error:
                if "allow_pickle" not in str(error):
                    raise
                raise Unfit(f"{name!r} is a pickled array of objects; save it as an array of floats") from None
        if array.dtype.kind not in "fiu":
            raise Unfit(f"{name!r} holds {array.dtype}, not numbers")
        return array
    return None


def _number(archive: zipfile.ZipFile, names: tuple[str, ...]) -> float | None:
    array = _first(archive, names)
    if array is not None and array.size != 1:
        raise Unfit(f"{' or '.join(names)} is {array.size} numbers, not one")
    return None if array is None else float(array.reshape(-1)[0])
