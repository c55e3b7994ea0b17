"""How sure a recall is, and whether two differ: images are what was sampled, so images are what is drawn again."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from ..errors import XmrError
from .ranks import Ranks
from .recall import CUTOFFS

RECALLS = tuple(f"{direction}_r{k}" for direction in ("i2t", "t2i") for k in CUTOFFS)


def bootstrap_interval(
    ranks: Sequence[Ranks], metric: str = "rsum", draws: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a recall or of rSum, in percent or points (Efron 1979).

    Test images are drawn with replacement, each with all its captions; the gallery that is searched stays as it is. The
    statistic is the mean over ``ranks`` (the seeds of one model), which all see the same draw.

    Raises:
        XmrError: runs on different test sets, or a metric that is not a recall.
    """
    return _percentiles(_drawn_values(ranks, metric, draws, seed), level)


def difference_interval(
    a: Sequence[Ranks],
    b: Sequence[Ranks],
    metric: str = "rsum",
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the paired bootstrap interval of how much higher ``b`` is than ``a``, in percent or points.

    Draws, and means over seeds, as of ``bootstrap_interval``; both models are scored on the same draw, so that what
    makes an image hard for both takes no part in the width.

    Raises:
        XmrError: runs on different test sets, or a metric that is not a recall.
    """
    _same_test_set([*a, *b])
    # The same seed and as many images: the same draws.
    values = _drawn_values(b, metric, draws, seed) - _drawn_values(a, metric, draws, seed)
    return _percentiles(values, level)


def mean_interval(
    values: Float[np.ndarray, " queries"], draws: int = 2000, seed: int = 0, level: float = 0.95
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of what each query reached (of its mean over seeds)."""
    return _percentiles(_drawn_sums(values[:, None], draws, seed)[:, 0] / len(values), level)


def contrast_interval(
    values: Float[np.ndarray, " captions"],
    group: Bool[np.ndarray, " captions"],
    image_of_caption: Int[np.ndarray, " captions"],
    draws: int = 2000,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of a group of captions minus that of all others.

    Test images are drawn with replacement, each with all its captions; a draw without any of the group, or of the
    others, is left out.
    """
    columns = (group * values, group, ~group * values, ~group)
    images = int(image_of_caption.max()) + 1
    table = np.column_stack([np.bincount(image_of_caption, own.astype(float), minlength=images) for own in columns])
    sums = _drawn_sums(table, draws, seed)
    sums = sums[(sums[:, 1] > 0) & (sums[:, 3] > 0)]
    return _percentiles(sums[:, 0] / sums[:, 1] - sums[:, 2] / sums[:, 3], level)


def paired_test(
    a: Sequence[Ranks],
    b: Sequence[Ranks],
    draws: int = 10_000,
    seed: int = 0,
    directions: Sequence[str] = ("i2t", "t2i"),
) -> float:
    """Return the two-sided p value of "a and b have the same rSum": a paired randomisation test over test images.

    Args:
        directions: whose recalls are added; one alone for models that were trained for it.

    Raises:
        XmrError: the runs were scored on different test sets.
    """
    _same_test_set([*a, *b])
    return sign_flip_test(_share_of_rsum(a, directions) - _share_of_rsum(b, directions), draws, seed)


def sign_flip_test(difference: Float[np.ndarray, " queries"], draws: int = 10_000, seed: int = 0) -> float:
    """Return the two-sided p value of "the mean of these paired differences is 0".

    If the models were equal, each query's difference could as well have the other sign: signs are flipped at random
    (Smucker et al. 2007). The smallest value possible is 1 / (draws + 1).
    """
    difference = difference[difference != 0]  # the others have no sign to flip
    rng = np.random.default_rng(seed)
    sums = np.array([(2 * rng.integers(2, size=len(difference)) - 1) @ difference for _ in range(draws)])
    # Sums that are equal but for rounding count as equal.
    as_extreme = np.abs(sums) >= abs(difference.sum()) - 1e-9
    return float((as_extreme.sum() + 1) / (draws + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number (Holm 1979): the family-wise error stays below the level."""
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return [float(value) for value in adjusted]


def _drawn_values(ranks: Sequence[Ranks], metric: str, draws: int, seed: int) -> Float[np.ndarray, " draws"]:
    """Return a recall or rSum, mean over ``ranks``, of each draw of test images."""
    if metric not in (*RECALLS, "rsum"):
        raise XmrError(f"no interval for {metric!r}; there are rsum, {', '.join(RECALLS)}")
    _same_test_set(ranks)
    counts = np.bincount(ranks[0].image_of_caption)
    hits = {name: np.mean([_hits(one, name) for one in ranks], axis=0) for name in RECALLS if metric in (name, "rsum")}
    sums = _drawn_sums(np.column_stack([*hits.values(), counts]), draws, seed)
    images, captions = len(counts), sums[:, -1]
    return sum(100 * sums[:, i] / (images if name.startswith("i2t") else captions) for i, name in enumerate(hits))


def _drawn_sums(
    table: Float[np.ndarray, "images columns"], draws: int, seed: int
) -> Float[np.ndarray, "draws columns"]:
    """Return the sums of each column over images drawn with replacement, as many as there are, for each draw."""
    rng, images = np.random.default_rng(seed), len(table)
    # A draw is how often each image came up; one at a time, for all of them would be draws × images numbers.
    return np.stack([np.bincount(rng.integers(images, size=images), minlength=images) @ table for _ in range(draws)])


def _percentiles(values: Float[np.ndarray, " draws"], level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _share_of_rsum(ranks: Sequence[Ranks], directions: Sequence[str]) -> Float[np.ndarray, " images"]:
    """Return what each image adds to rSum (or a direction's part of it), mean over seeds; summed over images: rSum."""
    images, captions = ranks[0].images, len(ranks[0].t2i)
    return sum(
        100 * np.mean([_hits(one, name) for one in ranks], axis=0) / (images if name.startswith("i2t") else captions)
        for name in RECALLS
        if name.split("_")[0] in directions
    )


def _hits(ranks: Ranks, recall: str) -> Float[np.ndarray, " images"]:
    """Return the hits of each image: 0 or 1 for image-to-text; of its captions for text-to-image."""
    direction, k = recall.split("_r")
    if direction == "i2t":
        return (ranks.i2t <= int(k)).astype(float)
    return np.bincount(ranks.image_of_caption, ranks.t2i <= int(k), minlength=ranks.images)


def _same_test_set(ranks: Sequence[Ranks]) -> None:
    for one in ranks[1:]:
        if not np.array_equal(one.image_of_caption, ranks[0].image_of_caption):
            raise XmrError(
                "runs that are compared must be scored on the same test images and captions; an image that can't be "
                "read leaves the split only for features that are made from it: take it out of the data"
            )
