"""Recall@K and its relatives, and what a random order would get."""

import numpy as np
from jaxtyping import Int

from .ranks import Ranks

CUTOFFS = (1, 5, 10)


def recall_at(first: Int[np.ndarray, " queries"], k: int) -> float:
    """Return Recall@K = Hit@K in percent, from the place of each query's first right item."""
    return 100 * float((first <= k).mean())


def summarise(ranks: Ranks) -> dict[str, float]:
    """Return all metrics of a run.

    ``i2t_r1`` … ``t2i_r10``: Recall@K = Hit@K in percent (for an image: any of its own captions within the first K);
    ``rsum``: their sum, 0 … 600; ``i2t_medr``, ``t2i_medr``: median rank of the first right answer (numpy's median);
    ``i2t_meanr``, ``t2i_meanr``: its mean; ``i2t_map_at_r``, ``i2t_r_precision`` and ``t2i_…`` in percent (Musgrave et
    al. 2020, *A Metric Learning Reality Check*).

    Example: with the ranks of the 2×4 example of ``Ranks`` (``i2t`` [1, 1], own captions at 1, 3 and 1, 2; ``t2i``
    [1, 2, 1, 1]) ``i2t_r1`` is 100, ``t2i_r1`` 75, ``i2t_r_precision`` 75 and ``i2t_map_at_r`` (½ + 1) / 2 = 75.
    """
    metrics: dict[str, float] = {}
    for direction, first in (("i2t", ranks.i2t), ("t2i", ranks.t2i)):
        metrics |= {f"{direction}_r{k}": recall_at(first, k) for k in CUTOFFS}
        metrics |= {f"{direction}_medr": float(np.median(first)), f"{direction}_meanr": float(first.mean())}
    metrics["rsum"] = sum(metrics[f"{direction}_r{k}"] for direction in ("i2t", "t2i") for k in CUTOFFS)
    precision, average = _at_r(ranks)
    metrics |= {"i2t_r_precision": precision, "i2t_map_at_r": average}
    # A caption has one right image: R = 1, and both are Recall@1.
    return metrics | {"t2i_r_precision": metrics["t2i_r1"], "t2i_map_at_r": metrics["t2i_r1"]}


def chance_levels(image_of_caption: Int[np.ndarray, " captions"]) -> dict[str, float]:
    """Return what ``summarise`` would return on average if every order were equally likely (exact, not simulated).

    An image with n of all C captions has its first one beyond place K with probability C(C−n, K) / C(C, K). The median
    is that of the first ranks' distribution over all images. Example: of 2 images with 2 captions each, ``i2t_r1`` and
    ``t2i_r1`` are 50, and R@5 and R@10 are 100.
    """
    captions, counts = len(image_of_caption), np.bincount(image_of_caption)
    counts = counts[counts > 0]
    images = len(counts)
    places = np.arange(1, captions + 1)
    beyond = np.zeros(captions)
    for n, times in zip(*np.unique(counts, return_counts=True), strict=True):
        # C(C−n, K) / C(C, K) = the product of (C−K−j) / (C−j) over j < n.
        factors = [np.maximum(captions - places - j, 0) / (captions - j) for j in range(n)]
        beyond += np.prod(factors, axis=0) * times / images
    levels: dict[str, float] = {}
    for k in CUTOFFS:
        levels[f"i2t_r{k}"] = 100 * float(1 - beyond[min(k, captions) - 1])
        levels[f"t2i_r{k}"] = 100 * min(k / images, 1.0)
    levels["rsum"] = sum(levels.values())
    # Where exactly half lie beyond a place, the median is halfway to the next, as numpy has it.
    middle = [places[np.argmax(beyond < 0.5 + slack)] for slack in (1e-9, -1e-9)]
    levels |= {"i2t_medr": float(np.mean(middle)), "i2t_meanr": float(1 + beyond.sum())}
    levels |= {"t2i_medr": (images + 1) / 2, "t2i_meanr": (images + 1) / 2}
    levels |= {"t2i_r_precision": levels["t2i_r1"], "t2i_map_at_r": levels["t2i_r1"]}
    # A place is right with probability n/C; given that, each place before it with (n−1)/(C−1).
    harmonic = np.cumsum(1 / np.arange(1, counts.max() + 1))[counts - 1]
    before = (counts - 1) / max(captions - 1, 1) * (counts - harmonic)
    levels["i2t_r_precision"] = 100 * float(counts.mean() / captions)
    return levels | {"i2t_map_at_r": 100 * float((harmonic + before).mean() / captions)}


def _at_r(ranks: Ranks) -> tuple[float, float]:
    """Return R-precision and mAP@R of image-to-text, in percent; R = the image's number of captions."""
    order = np.lexsort((ranks.i2t_positions, ranks.image_of_caption))
    owner, places = ranks.image_of_caption[order], ranks.i2t_positions[order]
    counts = np.bincount(owner)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    # The m-th own caption (by place) stands at place p: precision there is m / p; it counts only while p ≤ R.
    number = np.arange(len(owner)) - starts[owner] + 1
    counted = places <= counts[owner]
    weight = 1 / counts[owner] / len(counts)
    return 100 * float((counted * weight).sum()), 100 * float((counted * weight * number / places).sum())
