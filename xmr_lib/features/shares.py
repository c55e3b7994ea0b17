"""Extraction by several processes: each makes the features of a share of the images, the first one joins them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..data.captioned import CaptionedImages
from ..ragged import Ragged
from .extract import COMMIT_EVERY, Extracts, extract_images, meta_of
from .renew import Plan
from .store import FeatureStore
from .store_writer import StoreWriter


def extract_shared(
    dataset: CaptionedImages,
    encoder: Extracts,
    folder: str | Path,
    rank: int,
    count: int,
    wait: Callable[[], None],
    strict: bool = False,
    batch: int = 8,
    workers: int = 2,
) -> None:
    """Extract, with the other processes, a store that is not there yet; it is that of one process to the last byte.

    After a kill, as many processes go on where each of them was.

    Args:
        rank, count: which process this is, of how many; all see the same folders.
        wait: waits until all processes are here.
        dataset, encoder, folder, strict, batch, workers: see ``extract_images``, whose errors it raises.
    """
    folder = Path(folder)
    places = [folder.with_name(f"{folder.name}.shares") / f"{number}of{count}" / "store" for number in range(count)]
    # Cut between two batches: the network then sees the same images at once as in one process.
    batches = np.split(np.arange(len(dataset)), np.arange(batch, len(dataset), batch))
    own = np.array_split(np.arange(len(batches)), count)[rank]
    if len(own):
        images = np.concatenate([batches[number] for number in own])
        extract_images(dataset.subset(images), encoder, places[rank], strict, batch, workers)
    wait()
    if rank == 0:
        _join(dataset, encoder, folder, [FeatureStore.open(place) for place in places if place.exists()])
        shutil.rmtree(places[0].parent.parent)
    wait()


def _join(dataset: CaptionedImages, encoder: Extracts, folder: Path, shares: list[FeatureStore]) -> None:
    """Write shares, one behind the other, as one store."""
    pictures = [own for share in shares for own in Plan.read(share.folder).pictures]
    skipped = {name: reason for share in shares for name, reason in share.skipped.items()}
    meta, shape = meta_of(dataset, encoder), encoder.row_shape
    with StoreWriter(folder, meta, shape, encoder.ragged, encoder.dtype, resumes=False) as writer:
        Plan(pictures, list(range(len(pictures))), 0).write(writer.partial)
        for name, reason in skipped.items():
            writer.skip(name, reason)
        for share in shares:
            for start in range(0, len(share), COMMIT_EVERY):
                ids = share.ids[start : start + COMMIT_EVERY]
                rows = share.take(ids)
                writer.append(ids, *((rows.values, rows.lengths) if isinstance(rows, Ragged) else (rows, None)))
        writer.finish()
