"""A look into a PDF's objects, as far as the checks need it."""

import re
import zlib
from pathlib import Path

from ..errors import XmrError

_STREAM = re.compile(rb"/Type\s*/ObjStm.*?stream\r?\n(.*?)endstream", re.S)
_HASH = re.compile(rb"/XMRFacts\s*\(([0-9a-f]+)\)")


def objects(path: str | Path) -> bytes:
    """Return a PDF's bytes with its compressed objects behind them, unpacked.

    Raises:
        XmrError: there is no such file, or it is no PDF.
    """
    path = Path(path)
    if not path.is_file() or not (raw := path.read_bytes()).startswith(b"%PDF"):
        raise XmrError(f"{path}: not a PDF")
    unpacked = []
    for packed in _STREAM.findall(raw):
        unpacked.append(zlib.decompressobj().decompress(packed))
    return raw + b"\n".join(unpacked)


def has_type_3_fonts(path: str | Path) -> bool:
    """Return whether any font is of Type 3: drawn by programs, refused by conferences."""
    return re.search(rb"/Subtype\s*/Type3\b", objects(path)) is not None


def facts_hash(path: str | Path) -> str | None:
    """Return the hash of the facts that a PDF was built from, or None."""
    found = _HASH.search(objects(path))
    return found[1].decode() if found else None
