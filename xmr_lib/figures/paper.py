"""Figures of the paper: at the size they are printed in, so that a label of 7 points is one of 7 points."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ..metrics import Ranks, bootstrap_interval
from ..records import Result
from .style import FAINT, INK, PALETTE, use_style

COLUMN, PAGE = 3.25, 6.875
"""Widths of a column and of the page, in inches."""
DIRECTIONS = (("i2t", "image → text", "o"), ("t2i", "text → image", "s"))
DASHES = ("-", "--", "-.", ":")


@contextmanager
def paper_style() -> Iterator[None]:
    """Use the one style at the size of print while the block lasts."""
    with mpl.rc_context():
        use_style()
        mpl.rcParams.update(
            {
                "font.size": 7,
                "axes.titlesize": 7.5,
                "axes.labelsize": 7,
                "xtick.labelsize": 7,
                "ytick.labelsize": 7,
                "legend.fontsize": 6.5,
                "lines.linewidth": 1.1,
                "axes.linewidth": 0.6,
                "xtick.major.width": 0.6,
                "ytick.major.width": 0.6,
                "grid.linewidth": 0.5,
                "figure.constrained_layout.h_pad": 0.02,
                "figure.constrained_layout.w_pad": 0.02,
            }
        )
        yield


def recall_lines(names: Sequence[str], ranks: Sequence[Sequence[Ranks]], chance: dict[str, float]) -> Figure:
    """Draw R@1 in both directions, a line a model, with 95 % intervals over test images; dotted: a random order."""
    with paper_style():
        figure, axis = plt.subplots(figsize=(COLUMN, 0.19 * len(names) + 0.75))
        for shift, (direction, label, marker), colour in zip((-0.16, 0.16), DIRECTIONS, PALETTE, strict=False):
            metric = f"{direction}_r1"
            means = [_recall_at_1(group, direction) for group in ranks]
            bounds = np.array([bootstrap_interval(group, metric) for group in ranks])
            at = np.arange(len(names)) + shift
            axis.hlines(at, bounds[:, 0], bounds[:, 1], color=colour, linewidth=1.2)
            axis.plot(means, at, marker, color=colour, markersize=3.6, label=label)
            axis.axvline(chance[metric], color=FAINT, linestyle=":", linewidth=0.9)
        _name_lines(axis, names)
        axis.set_xlim(left=0)
        axis.set_xlabel("R@1 on test (%), 95 % interval")
        axis.xaxis.get_major_locator().set_params(nbins=5)
        figure.legend(loc="outside upper right", ncols=2, handletextpad=0.3)
    return figure


def rsum_lines(
    names: Sequence[str],
    means: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    kinds: Sequence[str],
) -> Figure:
    """Draw rSum with its interval, a line a model; models of one kind share a colour and a marker."""
    with paper_style():
        figure, axis = plt.subplots(figsize=(COLUMN, 0.155 * len(names) + 0.75))
        order, markers = list(dict.fromkeys(kinds)), "osD^vP"
        for place, (mean, (low, high), kind) in enumerate(zip(means, intervals, kinds, strict=True)):
            colour, marker = PALETTE[order.index(kind)], markers[order.index(kind)]
            axis.hlines(place, low, high, color=colour, linewidth=1.2)
            label = kind if kinds.index(kind) == place else None
            axis.plot(mean, place, marker, color=colour, markersize=3.6, label=label)
        _name_lines(axis, names)
        axis.set_xlabel("rSum on test, 95 % interval")
        figure.legend(loc="outside upper right", ncols=len(order), handletextpad=0.3)
    return figure


def learning_lines(names: Sequence[str], groups: Sequence[Sequence[Result]]) -> Figure:
    """Draw validation rSum against the epoch: the mean of a model's seeds, and a band for them."""
    with paper_style():
        figure, axis = plt.subplots(figsize=(COLUMN, 2.2))
        for place, (name, results) in enumerate(zip(names, groups, strict=True)):
            colour, dash = PALETTE[place % len(PALETTE)], DASHES[place % len(DASHES)]
            curves = [result.history["val_rsum"] for result in results]
            # Seeds stop at different epochs; a mean over fewer would jump, so the line ends with the first to stop.
            shortest = min(map(len, curves))
            stacked = np.array([curve[:shortest] for curve in curves])
            epochs = np.arange(1, shortest + 1)
            axis.plot(epochs, stacked.mean(0), dash, color=colour, label=name)
            axis.fill_between(epochs, stacked.min(0), stacked.max(0), color=colour, alpha=0.18, linewidth=0)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set_xlabel("epoch")
        axis.set_ylabel("rSum on validation")
        figure.legend(loc="outside lower center", ncols=2)
    return figure


def _recall_at_1(ranks: Sequence[Ranks], direction: str) -> float:
    return float(np.mean([100 * (getattr(one, direction) == 1).mean() for one in ranks]))


def _name_lines(axis: plt.Axes, names: Sequence[str]) -> None:
    axis.set_yticks(range(len(names)), names, color=INK)
    axis.tick_params(axis="y", length=0)
    axis.invert_yaxis()
    axis.grid(axis="x")
    axis.grid(axis="y", visible=False)
