"""Small pictures, made when they are asked for and kept."""

import io
from contextlib import suppress
from pathlib import Path

from PIL import Image

from ..data.pictures import read_picture
from ..errors import XmrError
from ..features.contents import stamp_of
from ..paths import atomic_write
from .catalogue import Item

QUALITY = 85


def thumbnail(item: Item, side: int, folder: str | Path) -> bytes:
    """Return a picture of an index as a JPEG file, upright, its longer side at most ``side``.

    Args:
        folder: where they are kept, by what the pictures hold.

    Raises:
        XmrError: the file can't be read now.
    """
    kept = Path(folder) / item.digest[:2] / f"{item.digest[:32]}-{side}.jpg"
    with suppress(OSError):
        return kept.read_bytes()
    picture = read_picture(item.path, at_least=side)
    if isinstance(picture, str):
        raise XmrError(f"{item.name}: the picture can't be read ({picture}); index again")
    written = as_jpeg(picture, side)
    # A file that was changed since it was indexed is shown as it is, but not kept under what it held.
    if stamp_of(Path(item.path)) == item.stamp:
        # An index that can only be read is searched all the same.
        with suppress(OSError), atomic_write(kept) as path:
            path.write_bytes(written)
    return written


def as_jpeg(picture: Image.Image, side: int) -> bytes:
    """Return a picture as a JPEG file, its longer side at most ``side``."""
    picture.thumbnail((side, side))
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=QUALITY)
    return written.getvalue()
