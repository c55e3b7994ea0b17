"""The one way from an image file to a picture: what the check accepts, features can use and figures can draw."""

import os
import stat
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

ORIENTATION = 0x0112
"""EXIF's tag."""
Image.init()
_WANTED = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000")
FORMATS = tuple(kind for kind in _WANTED if kind in Image.OPEN)
"""Pillow's decoders that may see a file: none starts a program, as that of EPS does. Not every Pillow has each."""
MOST_PIXELS = "XMR_MAX_PIXELS"
"""Environment variable: pixels that a picture has at most; one of 90 million takes a gigabyte to decode."""
_PIXELS = 90_000_000
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(path: str | Path, at_least: int | None = None) -> Image.Image | str:
    """Read an image of any kind as RGB, turned upright; or return why that can't be done.

    Args:
        at_least: of a JPEG, decode no more than leaves each side with that many pixels, down to an eighth: all of the
            file is still read, in a fraction of the time.
    """
    try:
        # A pipe would be waited for, and a device has no end.
        if not stat.S_ISREG(os.stat(path).st_mode):
            return "not a regular file"
        most = int(os.environ.get(MOST_PIXELS) or _PIXELS)
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
            if width * height > most:
                return f"{width} × {height} pixels; more than {most:,} are read where {MOST_PIXELS} says so"
            if at_least is not None:
                image.draft(image.mode, (at_least, at_least))
            return upright(image)
    except FileNotFoundError:
        return "the file is missing"
    except UnidentifiedImageError:
        return f"not an image that is read here ({', '.join(FORMATS)}), or damaged from its first bytes"
    except Image.DecompressionBombError as error:
        return f"{' '.join(str(error).split())}; fewer are read"
    except MemoryError:
        raise
    except Exception as error:  # on damaged files Pillow's decoders raise anything from OSError to IndexError
        return " ".join((getattr(error, "strerror", None) or str(error) or type(error).__name__).split())


def upright(image: Image.Image) -> Image.Image:
    """Return an open image as RGB with 8 bits, turned as its EXIF says.

    Raises:
        ValueError: its numbers say no brightness (see ``_eight_bits``).
    """
    turn = TURNS.get(_orientation(image))
    picture = _eight_bits(image).convert("RGB")
    return picture if turn is None else picture.transpose(turn)


def _orientation(image: Image.Image) -> int:
    try:
        # Read and never written: one odd field elsewhere in it takes nothing from the pixels.
        return int(image.getexif().get(ORIENTATION, 1))
    except Exception:  # Pillow's parser raises all kinds; a picture whose EXIF is no EXIF lies as it is stored
        return 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale whole numbers of 16 bits and floats; Pillow's own conversion would clip at 255.

    Raises:
        ValueError: numbers beyond 16 bits, or floats that are no share of white: which one is white can't be known.
    """
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 0xFFFF:
        raise ValueError(
            f"numbers from {values.min():.6g} to {values.max():.6g}, of which nobody says what is white; save it with "
            "8 or 16 bits"
        )
    if image.mode.startswith("I;16"):
        white = 0xFFFF
    elif image.mode == "F" and values.max() <= 1:
        white = 1
    else:
        white = 0xFF if values.max() <= 0xFF else 0xFFFF
    return Image.fromarray(np.rint(values * (255 / white)).astype(np.uint8))
