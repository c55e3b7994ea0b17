"""From image files to a feature store: threads decode while the network computes."""

import shutil
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from PIL import Image
from tqdm import tqdm

from ..data.captioned import CaptionedImages
from ..data.pictures import read_picture, upright
from ..errors import XmrError
from ..ragged import Ragged
from ..weights import Weights
from .contents import RECORD, contents_of
from .renew import Plan, first_names, plan_of, set_aside
from .spec import FeatureSpec
from .store import META, FeatureStore
from .store_writer import AlreadyThere, StoreWriter
from .view import Pixels, Squash, View, together

COMMIT_EVERY = 256
"""Images between two commits: a kill loses a few seconds of work."""
Seen = dict[View, UInt8[np.ndarray, "height width 3"]]
"""The pixels of one picture by the views of those who see it."""
LONG = 600
"""Seconds: what takes longer is told before it is well under way."""


@runtime_checkable
class Extracts(Protocol):
    """What is asked of an encoder here; see ``encoders.ImageEncoder``."""

    spec: FeatureSpec
    settings: dict
    weights: Weights | None
    row_shape: tuple[int, ...]
    view: View
    dtype: str
    ragged: bool

    def features(self, pixels: Pixels) -> np.ndarray | Ragged: ...


def extract_images(
    dataset: CaptionedImages,
    encoder: Extracts,
    folder: str | Path,
    strict: bool = False,
    batch: int = 8,
    workers: int = 2,
) -> FeatureStore:
    """Extract the features of all images of a dataset into a store, or open the store that is there already.

    A store is that of its pictures, not of their names: those whose bytes have changed since are read again. After a
    kill the next call goes on where the last commit was, in the same batches, so that the store comes out the same to
    the last bit.

    Args:
        folder: the store.
        strict: stop at an image that can't be read; otherwise it is left out of the store and named in a warning.
        batch: images that the network sees at once.
        workers: threads that decode pictures.

    Raises:
        XmrError: an image can't be read (``strict``), none can, there is no image folder, or the store in ``folder``
            was made by something else.
    """
    folder = Path(folder)
    meta = meta_of(dataset, encoder)
    # Without the pictures a store that is there can be used still.
    if dataset.images_folder is not None or not folder.exists():
        now = contents_of(dataset, folder.parent / RECORD)
        before = set_aside(dataset, folder, meta, now)
        if not folder.exists():
            own = StoreWriter(folder, meta, encoder.row_shape, encoder.ragged, encoder.dtype)
            with suppress(AlreadyThere), own as writer:
                plan = plan_of(writer.partial, writer.done, now, before)
                _copy(dataset, plan, before, writer)
                _extract(dataset, encoder, writer, strict, batch, plan.order, workers)
                writer.finish()
            if before:
                shutil.rmtree(before.folder, ignore_errors=True)
            # A picture may have changed while the others were read, or between two parts of the work.
            return extract_images(dataset, encoder, folder, strict, batch, workers)
    return tell_skipped(FeatureStore.open(folder, meta), strict)


def tell_skipped(store: FeatureStore, strict: bool = False, what: str = "can't be read") -> FeatureStore:
    """Name the images that have no features in a store in a warning, and return it.

    Args:
        strict: stop at them.
        what: what is the matter with them, in words.

    Raises:
        XmrError: there are such images (``strict``).
    """
    if not store.skipped:
        return store
    named, reasons = _named(store.skipped), f"reasons in {store.folder / META}"
    if strict:
        raise XmrError(f"{store.folder}: {named} {what}; {reasons}; mend them and run again, or run without strict")
    tqdm.write(f"warning: {named} {what}: left out; {reasons}", file=sys.stderr)
    return store


def meta_of(dataset: CaptionedImages, encoder: Extracts) -> dict:
    """Return what a store is told by."""
    weights = {"weights": encoder.weights.sha256} if encoder.weights else {}
    return {"extractor": encoder.spec.slug, **encoder.settings, **weights, "dataset": dataset.fingerprint}


def drop_skipped(dataset: CaptionedImages, store: FeatureStore) -> CaptionedImages:
    """Take the images that have no features in a store out of the splits, and say so in the dataset's notes."""
    without = ~np.isin(dataset.image_ids, store.ids)
    splits = {name: images[~without[images]] for name, images in dataset.splits.items()}
    dropped = sorted({image for images in dataset.splits.values() for image in images[without[images]].tolist()})
    if not dropped:
        return dataset
    note = f"{_named([dataset.filenames[image] for image in dropped])} without features left the splits"
    return replace(dataset, splits=splits, notes=(*dataset.notes, note))


def pixels_of(image: str | Path | Image.Image | np.ndarray, view: View | int) -> UInt8[np.ndarray, "height width 3"]:
    """Return the pixels of a file, an open image or an array (height, width, 3), RGB; see ``read_image``.

    Raises:
        XmrError: it can't be read, or is no image.
    """
    return _viewed(picture_of(image), view)


def picture_of(image: str | Path | Image.Image | np.ndarray) -> Image.Image:
    """Return a file, an open image or an array (height, width, 3) as an RGB picture, turned upright.

    Raises:
        XmrError: it can't be read, or is no image.
    """
    if isinstance(image, str | Path):
        found = read_picture(Path(image).expanduser())
        if isinstance(found, str):
            raise XmrError(f"{image}: the image can't be read ({found})")
        return found
    if isinstance(image, np.ndarray):
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise XmrError(f"an image is an array (height, width, 3) of uint8, not {image.shape} of {image.dtype}")
        image = Image.fromarray(image)
    try:
        return upright(image)
    except ValueError as error:
        raise XmrError(f"the image can't be used ({error})") from None


def seen_by(views: Iterable[View], picture: Image.Image) -> Seen:
    """Return the pixels of a picture in each view."""
    return {view: view(picture) for view in views}


def read_image(path: str | Path, view: View | int) -> UInt8[np.ndarray, "height width 3"] | str:
    """Read an image of any kind, turned upright, as RGB; or return why that can't be done.

    Args:
        view: how a network sees it; a number squashes it to that many pixels a side.
    """
    picture = read_picture(Path(path))
    return picture if isinstance(picture, str) else _viewed(picture, view)


def _viewed(picture: Image.Image, view: View | int) -> np.ndarray:
    return (Squash(view) if isinstance(view, int) else view)(picture)


def _extract(
    dataset: CaptionedImages,
    encoder: Extracts,
    writer: StoreWriter,
    strict: bool,
    batch: int,
    order: Sequence[int],
    workers: int,
) -> None:
    images, start = len(dataset), writer.done
    paths = [dataset.path(image) for image in order]
    decoded = ahead(lambda path: read_image(path, encoder.view), paths[start:], 2 * batch, workers)
    # Nothing is committed before an image could be read: a wrong folder must not leave a store of missing files behind.
    any_read, uncommitted = start > 0, 0
    with tqdm(total=images, initial=start, desc=f"{encoder.spec.slug} features", unit="image") as bar:
        for first in range(start, images, batch):
            read, pixels = [], []
            for image in order[first : first + batch]:
                found = next(decoded)
                if not isinstance(found, str):
                    read.append(image)
                    pixels.append(found)
                elif strict:
                    writer.commit()
                    raise XmrError(
                        f"{dataset.path(image)}: the image can't be read ({found}); mend it and run again (it goes on "
                        f"after {first} images), or run without strict to leave it out"
                    )
                else:
                    writer.skip(dataset.filenames[image], found)
            if read:
                features = encoder.features(together(pixels))
                rows = (features.values, features.lengths) if isinstance(features, Ragged) else (features, None)
                writer.append(dataset.image_ids[read], *rows)
            any_read = any_read or bool(read)
            uncommitted += batch
            if any_read and uncommitted >= COMMIT_EVERY:
                writer.commit()
                uncommitted = 0
            bar.update(min(batch, images - first))
            if first == start + batch:
                # The first batch waits for what is loaded once.
                started = time.perf_counter()
            elif first == start + 3 * batch:
                _tell_time(encoder, images - first - batch, (time.perf_counter() - started) / (2 * batch))
    if images and not any_read:
        raise XmrError(f"{dataset.images_folder}: none of the {images} images can be read (the last: {found})")


def _tell_time(encoder: Extracts, images: int, seconds_each: float) -> None:
    """Say how long the rest takes, if that is long."""
    if (seconds := images * seconds_each) > LONG:
        time_left = f"{seconds / 60:.0f} minutes" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} hours"
        line = f"{encoder.spec.slug}: about {time_left} for {images:,} images here ({seconds_each:.2g} s each)"
        tqdm.write(f"{line}; another --device may be faster; stopped, it goes on from there", file=sys.stderr)


def _copy(dataset: CaptionedImages, plan: Plan, before: FeatureStore | None, writer: StoreWriter) -> None:
    """Take what still holds from the store that was set aside."""
    for start in range(writer.done, plan.kept, COMMIT_EVERY):
        block = np.array(plan.order[start : min(start + COMMIT_EVERY, plan.kept)])
        ids = dataset.image_ids[block]
        has = np.isin(ids, before.ids)
        rows = before.take(ids[has])
        writer.append(ids[has], *((rows.values, rows.lengths) if isinstance(rows, Ragged) else (rows, None)))
        for image in block[~has].tolist():
            writer.skip(dataset.filenames[image], before.skipped[dataset.filenames[image]])
        writer.commit()


def ahead(job: Callable[[Any], Any], given: Iterable[Any], most: int, workers: int) -> Iterator[Any]:
    """Yield what a job returns for each thing in turn; threads work at most ``most`` things ahead."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque = deque()
        try:
            for one in given:
                waiting.append(pool.submit(job, one))
                if len(waiting) > most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _named(names: Collection[str]) -> str:
    """Return "7 images (a.jpg, b.jpg, c.jpg, d.jpg, e.jpg, …)"."""
    return f"{len(names)} image{'s' * (len(names) > 1)} ({first_names(names)})"
