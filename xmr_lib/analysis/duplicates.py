"""The same picture, or the same sentence, twice: where both are in one split neither can be told from the other."""

from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import imagehash
import numpy as np
from jaxtyping import Int, UInt64
from tqdm import tqdm

from ..data.captioned import CaptionedImages
from ..data.pictures import read_picture

NEAR = 4
"""Bits of 64 in which the hashes of two files of one picture may differ; other pictures differ in about 32."""


def perceptual_hashes(paths: Iterable[str | Path]) -> UInt64[np.ndarray, " pictures"]:
    """Return a hash of each picture that size, format and compression hardly change: the signs of its low frequencies.

    It is that of the package ImageHash (``phash``). A file that can't be read has none: 0, and is near to nothing.
    """
    found = []
    for path in tqdm(list(paths), "hashing", unit="image", leave=False):
        picture = read_picture(path, at_least=128)
        bits = np.zeros(64, bool) if isinstance(picture, str) else imagehash.phash(picture).hash.ravel()
        found.append(np.packbits(bits).view(">u8")[0])
    return np.array(found, dtype=np.uint64)


def near_pairs(hashes: UInt64[np.ndarray, " pictures"], near: int = NEAR) -> Int[np.ndarray, "pairs 2"]:
    """Return the pairs of positions, first before second, whose hashes differ in at most ``near`` of 64 bits.

    A hash of 0 (no picture, or one of a single colour) is near to nothing.
    """
    found = [np.empty((0, 2), dtype=np.int64)]
    for first in range(len(hashes) - 1):
        bits = np.unpackbits((hashes[first + 1 :] ^ hashes[first]).view(np.uint8)).reshape(-1, 64).sum(1)
        second = first + 1 + np.flatnonzero((bits <= near) & (hashes[first + 1 :] != 0) & (hashes[first] != 0))
        found.append(np.column_stack([np.full(len(second), first), second]))
    return np.concatenate(found)


def same_words(dataset: CaptionedImages) -> Int[np.ndarray, "pairs 2"]:
    """Return the pairs of captions of two images, by their positions, that have the same words in the same order."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for caption, tokens in enumerate(dataset.tokens):
        if tokens:
            groups[tokens].append(caption)
    owner = dataset.image_of_caption
    pairs = [pair for group in groups.values() for pair in combinations(group, 2) if owner[pair[0]] != owner[pair[1]]]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
