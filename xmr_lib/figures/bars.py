"""Recall of several models, both directions side by side."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..metrics import Ranks, bootstrap_interval
from ..records import Result
from .style import INK, use_style

PANELS = {"i2t": "image → captions", "t2i": "caption → image"}
SHORT = {"i2t": "i → t", "t2i": "t → i"}
"""Headings that a panel of a column of the paper has room for."""
CUTOFFS = (1, 5, 10)
SHADES = ("#2f6f9f", "#7fb2d6", "#d3e3ef")
"""Dark for the strictest: told apart by lightness alone."""


def recall_bars(
    groups: Sequence[Sequence[Result]],
    ranks: Sequence[Sequence[Ranks]],
    cutoffs: Sequence[int] = CUTOFFS,
    width: float | None = None,
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Draw recall@K of each model in both directions, a line each, with 95 % intervals over test images.

    The bars of a model lie in each other, since who is found among the first 5 is found among the first 10. The last
    line is what a random order scores.

    Args:
        groups: the results of each model, one per seed.
        ranks: the ranks of the same runs.
        cutoffs: values of K, up to three, smallest first.
        width: see ``use_style``.
        names: readable names of models; those that it does not have keep their own.
    """
    use_style(width)
    rows, wide = len(groups) + 1, not width or width > 5
    size = (width, 0.15 * rows + 0.52 + 0.14 * (len(cutoffs) > 1)) if width else (10, 0.34 * rows + 1.1)
    figure, axes = plt.subplots(1, 2, figsize=size, sharex=True, sharey=True)
    for axis, (direction, title) in zip(axes, PANELS.items(), strict=True):
        metrics = [f"{direction}_r{k}" for k in cutoffs]
        for place, (results, own) in enumerate(zip(groups, ranks, strict=True)):
            means = [float(np.mean([result.test[metric] for result in results])) for metric in metrics]
            _bars(axis, place, means, [bootstrap_interval(own, metric) for metric in metrics], width)
        _bars(axis, rows - 1, [groups[0][0].chance[metric] for metric in metrics], None, width)
        axis.set_title(title if wide else SHORT[direction])
        # The last number of the left panel would touch the first of the right one.
        axis.xaxis.set_major_locator(MaxNLocator(4, prune="upper"))
        axis.grid(axis="x")
        axis.grid(axis="y", visible=False)
        axis.set_xlabel(f"R@{cutoffs[0]} (%)" if len(cutoffs) == 1 else "recall@K on test (%)" if wide else "R@K (%)")
    labels = [results[0].model for results in groups]
    axes[0].set_yticks(range(rows), [*((names or {}).get(label, label) for label in labels), "chance"])
    axes[0].set_ylim(rows - 0.4, -0.6)
    if len(cutoffs) > 1:
        handles = [plt.Rectangle((0, 0), 1, 1, color=shade) for shade in SHADES[: len(cutoffs)]]
        figure.legend(handles, [f"K = {k}" for k in cutoffs], loc="outside lower center", ncols=len(cutoffs))
    return figure


def _bars(
    axis: Axes,
    place: int,
    means: Sequence[float],
    intervals: Sequence[tuple[float, float]] | None,
    width: float | None,
) -> None:
    # The widest first, so that the narrower lie on it.
    for mean, shade in reversed(list(zip(means, SHADES, strict=False))):
        axis.barh(place, mean, 0.72, color=shade)
    for mean, (low, high) in zip(means, intervals or (), strict=False):
        # An interval can lie beside its mean by a hair; a whisker can't have a negative length.
        error = [[max(mean - low, 0)], [max(high - mean, 0)]]
        size = {"elinewidth": 0.6, "capsize": 1.2, "capthick": 0.6} if width else {"elinewidth": 0.9, "capsize": 2}
        axis.errorbar(mean, place, xerr=error, fmt="none", ecolor=INK, **size)
