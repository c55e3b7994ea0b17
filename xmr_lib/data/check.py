"""The data check: facts about a dataset, and what is wrong with it."""

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import numpy as np
from tqdm import tqdm

from .captioned import CaptionedImages
from .files import IMAGE_SUFFIXES, beside
from .pictures import read_picture
from .report import DataReport
from .words import scripts_of

_FEATURES = "vgg_feats.mat"


def check_dataset(dataset: CaptionedImages, read_images: bool = True) -> DataReport:
    """Look a dataset over.

    Args:
        dataset: what a reader returned.
        read_images: decode every image file (a minute for Flickr30k); otherwise only see whether it is there.
    """
    lengths = np.array([len(words) for words in dataset.tokens])
    missing, unreadable = _image_faults(dataset, read_images)
    in_a_split = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *dataset.splits.values()]))
    overlaps = {}
    for one, other in combinations(dataset.splits, 2):
        shared = np.intersect1d(dataset.splits[one], dataset.splits[other])
        if len(shared):
            overlaps[one, other] = tuple(dataset.filenames[image] for image in shared)
    test = dataset.splits.get("test", ())
    features = _features_beside(dataset)
    gone = {*missing, *unreadable} if dataset.images_folder else set(dataset.filenames)
    usable = np.array([features is not None or name not in gone for name in dataset.filenames])
    return DataReport(
        name=dataset.name,
        layout=dataset.layout,
        source=str(dataset.source),
        images=len(dataset),
        captions=dataset.caption_count,
        split_source=dataset.split_source,
        split_sizes=dict.fromkeys(("train", "val", "test"), 0)
        | {s: len(images) for s, images in dataset.splits.items()},
        usable={s: int(usable[images].sum()) for s, images in dataset.splits.items()},
        features=features,
        unsplit=len(dataset) - len(in_a_split),
        overlaps=overlaps,
        images_folder=None if dataset.images_folder is None else str(dataset.images_folder),
        images_read=read_images,
        missing=missing,
        unreadable=unreadable,
        unknown_files=_unknown_files(dataset.images_folder, dataset.filenames),
        wordless=tuple(
            (int(dataset.caption_ids[caption]), dataset.filenames[dataset.image_of_caption[caption]])
            for caption in np.flatnonzero(lengths == 0)
        ),
        captions_per_image=dict(sorted(Counter(np.diff(dataset.caption_offsets).tolist()).items())),
        words_per_caption=(int(lengths.min()), float(lengths.mean()), int(lengths.max())),
        scripts=scripts_of(dataset.raw),
        shared_captions=sum(sum(images.values()) for images in _images_by_words(dataset).values() if len(images) > 1),
        recall_ceiling=recall_ceiling(dataset.split("test")) if len(test) else None,
        notes=dataset.notes,
    )


def recall_ceiling(dataset: CaptionedImages) -> float:
    """Return the highest text-to-image R@1, in %, that any system can reach which sees a caption's words alone.

    Captions with the same words get the same first image, so of each such group only those of one image can be hits;
    at best that is the image with most of them: 100 · Σ_group max_image n(group, image) / number of captions.
    Captions that no other image shares count in full. The dataset's own images are the gallery.
    """
    best = sum(max(images.values()) for images in _images_by_words(dataset).values())
    return 100.0 * best / dataset.caption_count


def _features_beside(dataset: CaptionedImages) -> str | None:
    """Return the course's file of image features where it lies beside the captions: with it, no image is needed."""
    file = beside(dataset.source or Path(), _FEATURES)
    return file.name if file.is_file() else None


def _images_by_words(dataset: CaptionedImages) -> dict[tuple[str, ...], Counter[int]]:
    """Return how many captions each image has with the same words."""
    groups: dict[tuple[str, ...], Counter[int]] = defaultdict(Counter)
    for words, image in zip(dataset.tokens, dataset.image_of_caption.tolist(), strict=True):
        groups[words][image] += 1
    return groups


def _image_faults(dataset: CaptionedImages, read_images: bool) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the names of missing files, and those of unreadable ones with the reason."""
    folder = dataset.images_folder
    if folder is None:
        return (), {}
    missing = tuple(name for name in dataset.filenames if not os.path.isfile(folder / name))
    if not read_images:
        return missing, {}
    absent = set(missing)
    present = [name for name in dataset.filenames if name not in absent]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = pool.map(lambda name: _fault(folder / name), present)
        progress = tqdm(faults, total=len(present), desc="reading images", unit="image", delay=3)
        return missing, {name: fault for name, fault in zip(present, progress, strict=True) if fault}


def _fault(path: Path) -> str | None:
    """Return why an image can't be used, or None: the judgement of the very function that features are made by."""
    found = read_picture(path, at_least=1)
    return found.replace(str(path), path.name) if isinstance(found, str) else None


def _unknown_files(folder: Path | None, filenames: Sequence[str]) -> int:
    """Count image files below the folder that are not in the dataset; hidden files are nobody's images."""
    if folder is None:
        return 0
    known = {os.path.normpath(name) for name in filenames}
    found = (
        os.path.normpath(os.path.relpath(os.path.join(parent, file), folder))
        for parent, _, files in os.walk(folder)
        for file in files
        if not file.startswith(".") and os.path.splitext(file)[1].lower() in IMAGE_SUFFIXES
    )
    return sum(name not in known for name in found)
