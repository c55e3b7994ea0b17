"""Import of region files into a store: once; afterwards it is memory-mapped and looked up by image id."""

from contextlib import suppress
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..data.captioned import CaptionedImages
from ..errors import XmrError
from ..features.extract import tell_skipped
from ..features.store import FeatureStore
from ..features.store_writer import AlreadyThere, StoreWriter
from .sources import RegionSource, identity_of, open_source

BLOCK, COMMIT_EVERY = 32, 256
"""Images that are held at a time, some 10 MB; and those between two commits."""
DTYPE = "float16"
"""Half the disk and memory of the files: averaged ReLU maps lose their fourth digit, boxes a quarter of a pixel.
The regions of our own detectors are stored so too."""


def import_regions(
    source: str | Path, dataset: CaptionedImages, folder: str | Path, strict: bool = False
) -> FeatureStore:
    """Import a folder of region files, or open what was imported of the very same files.

    The regions are taken as they come: none is added, left out or put first. After a kill it goes on where the last
    commit was.

    Args:
        source: ``.npz`` files, one per image (see ``npz``), or ``train_ims.npy`` and its like (see ``row_images``).
        folder: the store; its ids are the image ids.
        strict: stop at an image whose regions are missing or can't be read; otherwise it is named in a warning.

    Returns:
        A ragged store of rows (regions, width + 5), float16: vectors and ``BOX_FEATURES``.

    Raises:
        XmrError: there are no region files, they can't be told to be of this dataset, no image has any (or one has
            none, ``strict``); or the files have changed since they were imported.
    """
    source, folder = Path(source).expanduser(), Path(folder)
    meta = {"extractor": "regions", "dataset": dataset.fingerprint, "dtype": DTYPE, **identity_of(source, dataset)}
    if not folder.exists():
        found = open_source(source, dataset)
        own = StoreWriter(folder, {**meta, **found.facts}, (found.columns,), ragged=True, dtype=DTYPE)
        with suppress(AlreadyThere), own as writer:
            _copy(source, found, dataset, writer, strict)
            writer.finish()
    return tell_skipped(FeatureStore.open(folder, meta), strict, "without regions that can be read")


def _copy(source: Path, found: RegionSource, dataset: CaptionedImages, writer: StoreWriter, strict: bool) -> None:
    images, any_read, uncommitted = len(dataset), writer.done > 0, 0
    with tqdm(total=images, initial=writer.done, desc=f"{source.name} → store", unit="image") as bar:
        for first in range(writer.done, images, BLOCK):
            ids, rows, reason = [], [], ""
            for image in range(first, min(first + BLOCK, images)):
                regions = _stored(found.read(image))
                if not isinstance(regions, str):
                    ids.append(dataset.image_ids[image])
                    rows.append(regions)
                elif strict:
                    writer.commit()
                    raise XmrError(f"{source}: {dataset.filenames[image]} has no regions that can be read ({regions})")
                else:
                    reason = regions
                    writer.skip(dataset.filenames[image], reason)
            if rows:
                writer.append(np.array(ids), np.concatenate(rows), np.array([len(own) for own in rows]))
            any_read, uncommitted = any_read or bool(rows), uncommitted + BLOCK
            # Nothing is safe before anything could be read: wrong files must not leave a store of missing ones behind.
            if any_read and uncommitted >= COMMIT_EVERY:
                writer.commit()
                uncommitted = 0
            bar.update(min(BLOCK, images - first))
    if images and not any_read:
        raise XmrError(f"{source}: none of the {images} images has regions that can be read (the last: {reason})")


def _stored(regions: np.ndarray | str) -> np.ndarray | str:
    """Return rows as they are stored, or why that can't be done."""
    if isinstance(regions, str):
        return regions
    with np.errstate(over="ignore"):
        rows = regions.astype(DTYPE)
    return rows if np.isfinite(rows).all() else f"it holds values that {DTYPE} can't hold"
