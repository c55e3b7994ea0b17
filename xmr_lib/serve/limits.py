"""What the page takes, and how much of it: sentences and pictures of whoever uses it."""

import warnings
from collections.abc import AsyncIterator
from io import BytesIO

from PIL import Image, UnidentifiedImageError

from ..data.pictures import FORMATS, upright
from ..data.words import tokenise
from ..errors import XmrError

MOST_CHARACTERS = 2_000
"""Of a sentence."""
MOST_BYTES = 20_000_000
"""Of a picture's file."""
MOST_PIXELS = 50_000_000
"""Of a picture."""


class TooMuchError(XmrError):
    """More was sent than is taken."""


def checked_sentence(text: str) -> str:
    """Return a sentence as it can be searched with, blanks around it taken away.

    Raises:
        XmrError: it is too long, or there is no word in it.
    """
    if len(text) > MOST_CHARACTERS:
        raise TooMuchError(f"the sentence has {len(text):,} characters; {MOST_CHARACTERS:,} are taken: shorten it")
    # Half of a surrogate pair is no character; tokenizers stop at it.
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ").strip()
    if not tokenise(text):
        raise XmrError("there is no word in it: type a sentence, e.g. two dogs on a beach")
    return text


async def read_body(parts: AsyncIterator[bytes], announced: str | None) -> bytes:
    """Return what is sent, and stop at the first byte too many.

    Args:
        announced: the header ``Content-Length``.

    Raises:
        XmrError: it is too large, or there is nothing.
    """
    if announced and announced.isdigit() and int(announced) > MOST_BYTES:
        raise TooMuchError(_too_large(f"has {int(announced) / 1e6:,.0f} MB"))
    found = bytearray()
    async for part in parts:
        found += part
        if len(found) > MOST_BYTES:
            raise TooMuchError(_too_large("is larger"))
    if not found:
        raise XmrError("the file is empty: choose a picture")
    return bytes(found)


def open_picture(data: bytes) -> Image.Image:
    """Return the picture in the bytes of a file, upright, as RGB; its size is looked at before anything is decoded.

    Raises:
        XmrError: it is no picture, damaged, or has too many pixels.
    """
    try:
        with warnings.catch_warnings():
            # Pillow's own warning; what is said here is said to whoever sent it.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError:
        raise TooMuchError(f"the picture has too many pixels; {MOST_PIXELS // 10**6} million are taken") from None
    except UnidentifiedImageError:
        raise XmrError(f"this is no picture that can be read; {', '.join(FORMATS)} can") from None
    except Exception as error:  # on damaged files Pillow's parsers raise anything
        raise XmrError(f"the picture can't be read ({_said(error)})") from None
    with image:
        width, height = image.size
        if width * height > MOST_PIXELS:
            size = f"{width:,} × {height:,} pixels"
            raise TooMuchError(f"the picture has {size}; {MOST_PIXELS // 10**6} million are taken: make it smaller")
        try:
            return upright(image)
        except Exception as error:  # as above
            raise XmrError(f"the picture is damaged ({_said(error)})") from None


def _too_large(what: str) -> str:
    return f"the file {what}; pictures up to {MOST_BYTES // 10**6} MB are taken"


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
