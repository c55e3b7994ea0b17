"""Names of images and captions that other programs can read: no spaces in them, and back to file names."""

import re
from urllib.parse import quote, unquote

from ..errors import XmrError
from .captioned import CaptionedImages

_UNSAFE = re.compile(r"[\s%\x00-\x1f\x7f\ud800-\udfff]")


def safe_name(filename: str) -> str:
    """Return a file name without white space: what separates columns is written as in addresses (``%20``)."""
    return _UNSAFE.sub(lambda found: quote(found[0], safe="", errors="surrogatepass"), filename)


def filename_of(name: str) -> str:
    """Return the file name of an image by its id: what ``safe_name`` was given."""
    return unquote(name, errors="surrogatepass")


def image_names(part: CaptionedImages) -> list[str]:
    """Return the id of each image: its file name, without white space.

    Raises:
        XmrError: two images have the same file name.
    """
    names = [safe_name(filename) for filename in part.filenames]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise XmrError(f"{part.name}: two images have the file name {twice!r}; their ids would be the same")
    return names


def caption_names(part: CaptionedImages) -> list[str]:
    """Return the id of each caption: that of its image and ``#0``, ``#1`` … as in the token files of Flickr.

    Raises:
        XmrError: see ``image_names``.
    """
    return [f"{name}#{k}" for image, name in enumerate(image_names(part)) for k in range(len(part.captions_of(image)))]
