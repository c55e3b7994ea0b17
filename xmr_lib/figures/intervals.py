"""One number per model, with its interval."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ..metrics import Ranks, bootstrap_interval
from ..records import Result
from .style import PALETTE, use_style


def rsum_intervals(
    groups: Sequence[Sequence[Result]],
    ranks: Sequence[Sequence[Ranks]],
    width: float | None = None,
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Draw rSum of many models, a line each, with its 95 % interval over test images.

    There is a colour for each of the image features, or, where all have the same, of the text features. For ``width``
    and ``names`` see ``recall_bars``; the number of seeds stands behind the name, in brackets.
    """
    of_images = len({results[0].config.image_features for results in groups}) > 1
    side = "image_features" if of_images else "text_features"
    features = sorted({getattr(results[0].config, side) for results in groups})
    labels = [results[0].model for results in groups]
    return interval_figure(
        [f"{(names or {}).get(label, label)} ({len(results)})" for label, results in zip(labels, groups, strict=True)],
        [float(np.mean([result.test["rsum"] for result in results])) for results in groups],
        [bootstrap_interval(group_ranks) for group_ranks in ranks],
        [features.index(getattr(results[0].config, side)) for results in groups],
        "rSum on test, 95 % interval (in brackets: seeds)",
        width,
    )


def interval_figure(
    names: Sequence[str],
    means: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    kinds: Sequence[int],
    label: str,
    width: float | None = None,
) -> Figure:
    """Draw a line a model with its mean and interval; models of one kind have one colour."""
    use_style(width)
    size = (width, 0.155 * len(names) + 0.42) if width else (7.5, 0.32 * len(names) + 0.9)
    figure, axis = plt.subplots(figsize=size)
    for place, (mean, (low, high), kind) in enumerate(zip(means, intervals, kinds, strict=True)):
        colour = PALETTE[kind % len(PALETTE)]
        axis.plot([low, high], [place, place], color=colour, linewidth=1.1 if width else 1.6)
        axis.plot(mean, place, "o", color=colour, markersize=3.4 if width else 6)
        axis.annotate(
            f"{mean:.1f}", (high, place), xytext=(3 if width else 5, 0), textcoords="offset points", va="center",
            fontsize=7 if width else 8,
        )  # fmt: skip
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.grid(axis="x")
    axis.grid(axis="y", visible=False)
    # In the middle of the figure, not of the axis: the names leave a narrow axis in a column of the paper.
    figure.supxlabel(label, fontsize="medium")
    return figure
