"""What is searched with: a sentence, a picture that was sent, or an item of an index."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from ..data.pictures import read_picture
from ..errors import XmrError
from .limits import checked_sentence, open_picture
from .recent import Recent

KEPT_BYTES = 128 * 2**20
"""Of pictures that were sent; the page names them by their content, so that it can be loaded again."""
PREVIEW = 640
"""Pixels of a side, at most."""
JPEG_QUALITY = 85


class GoneError(XmrError):
    """What is named is not there, or no longer."""


@dataclass(frozen=True)
class Upload:
    """A picture that was sent."""

    data: bytes
    """The file as it came."""
    preview: bytes
    """JPEG."""
    key: str
    """Of its content."""

    @classmethod
    def of(cls, data: bytes) -> "Upload":
        """Look at the bytes of a file; see ``open_picture``, whose errors it raises."""
        picture = open_picture(data)
        picture.thumbnail((PREVIEW, PREVIEW))
        preview = BytesIO()
        picture.save(preview, "JPEG", quality=JPEG_QUALITY)
        return cls(data, preview.getvalue(), hashlib.sha256(data).hexdigest()[:32])

    @property
    def nbytes(self) -> int:
        return len(self.data) + len(self.preview)


def kept_uploads() -> Recent[Upload]:
    """Return a place for pictures that are sent."""
    return Recent(KEPT_BYTES, lambda upload: upload.nbytes)


@dataclass(frozen=True)
class Query:
    """One of a sentence, a picture that was sent, and the file of a picture."""

    text: str = ""
    upload: Upload | None = None
    path: Path | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What embeddings of it are kept under."""
        if self.upload:
            return "upload", self.upload.key
        return ("path", str(self.path)) if self.path else ("text", self.text)

    @property
    def kind(self) -> str:
        """``text`` or ``image``."""
        return "text" if self.text else "image"

    def given(self) -> str | Image.Image | Path:
        """Return it as an index takes it."""
        if self.upload:
            return open_picture(self.upload.data)
        return self.path or self.text

    def picture(self) -> Image.Image | None:
        """Return the picture, upright; None: it is a sentence.

        Raises:
            XmrError: its file can't be read any more.
        """
        return open_picture(self.upload.data) if self.upload else file_picture(self.path) if self.path else None


def file_picture(path: Path) -> Image.Image:
    """Return the picture of an index, upright.

    Raises:
        XmrError: its file can't be read any more.
    """
    found = read_picture(path)
    if isinstance(found, str):
        raise XmrError(f"{path.name}: the picture can't be read ({found})")
    return found


def number(text: str, least: int = 0, most: int = 2**63 - 1) -> int:
    """Read a whole number of a request.

    Raises:
        XmrError: it is none, or out of bounds.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise XmrError(f"{text[:20]!r} is no number from {least} to {most}")
    return int(text)


def uploaded(key: str, uploads: Recent[Upload]) -> Upload:
    """Return a picture that was sent.

    Raises:
        GoneError: it was not, or long ago.
    """
    if (found := uploads.get(key)) is None:
        raise GoneError("this picture is no longer here: choose it again")
    return found


def query_of(asked: Mapping[str, str], indexes: Mapping, uploads: Recent[Upload]) -> Query:
    """Return the query of a request: ``q``, ``picture``, or ``item`` and the index that it is ``of``.

    Raises:
        XmrError: there is none of them, or it can't be used.
    """
    if "picture" in asked:
        return Query(upload=uploaded(asked["picture"], uploads))
    if "item" in asked:
        hit = gallery_of(asked.get("of", ""), indexes).index.item(number(asked["item"]))
        return Query(path=hit.path) if hit.kind == "image" and hit.path else Query(text=hit.text or "")
    return Query(text=checked_sentence(asked.get("q", "")))


def gallery_of(name: str, galleries: Mapping):
    """Return an open index by its name.

    Raises:
        GoneError: no index of that name is open.
    """
    if name not in galleries:
        raise GoneError(f"no index {name[:80]!r} is open here; there are {', '.join(galleries)}")
    return galleries[name]
