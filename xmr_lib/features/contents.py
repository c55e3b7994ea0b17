"""What lies in the picture files: hashes of their bytes, read again only where a file's size or times have changed."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from tqdm import tqdm

from ..data.captioned import CaptionedImages
from ..paths import atomic_write
from ..weights import sha256_of

RECORD = "contents.json"
READERS = 2
FEW = 500
"""Files that are hashed without a progress bar."""


def contents_of(dataset: CaptionedImages, record: Path) -> list[str]:
    """Return 16 hex digits of the SHA-256 of each picture's bytes; "" where there is no file that can be read.

    Args:
        record: JSON file that keeps what was hashed, with size and times; it can be lost without harm.
    """
    paths = [dataset.path(image) for image in range(len(dataset))]
    known = _recorded(record, str(dataset.images_folder))
    stamps = [stamp_of(path) for path in paths]
    found = [
        own if (own := known.get(name, "")) and own.startswith(f"{stamp} ") else ""
        for name, stamp in zip(dataset.filenames, stamps, strict=True)
    ]
    changed = [image for image, stamp in enumerate(stamps) if stamp and not found[image]]
    if changed:
        with ThreadPoolExecutor(READERS) as pool:
            hashes = tqdm(
                pool.map(_hash, [paths[image] for image in changed]),
                "pictures compared",
                len(changed),
                unit="image",
                disable=len(changed) < FEW,
            )
            for image, content in zip(changed, hashes, strict=True):
                found[image] = f"{stamps[image]} {content}"
        kept = {name: own for name, own in zip(dataset.filenames, found, strict=True) if own}
        # A cache that can only be read costs time, no more.
        with suppress(OSError), atomic_write(record) as path:
            path.write_text(json.dumps({"folder": str(dataset.images_folder), "pictures": kept}), "utf-8")
    return [own.rpartition(" ")[2] for own in found]


def digest_of_all(contents: Sequence[str]) -> str:
    """Return one hash, 16 hex digits, of the hashes of all pictures."""
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()[:16]


def stamp_of(path: Path) -> str:
    """Return what changes with a file; a copy that keeps size and time has another ctime. Empty: there is none."""
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns}"


def _hash(path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError:
        return ""


def _recorded(record: Path, folder: str) -> dict[str, str]:
    try:
        kept = json.loads(record.read_text("utf-8"))
        return kept["pictures"] if kept["folder"] == folder else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
