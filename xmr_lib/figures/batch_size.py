"""How many negatives a loss wants."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from .style import FAINT, INK, line_style, use_style


def batch_size_figure(points: pd.DataFrame, width: float | None = None) -> Figure:
    """Draw what batches of several sizes make of losses: rSum on validation, and where the loss ends.

    A line per loss, mean of its seeds, with a band from the lowest to the highest seed; broken: without warm-up.

    Args:
        points: a row per training, as ``study.batch_size.batch_sizes`` returns them.
        width: see ``use_style``.
    """
    use_style(width)
    figure, panels = plt.subplots(2 if width else 1, 1 if width else 2, figsize=(width, 3.3) if width else (9.5, 3.8))
    labels = ("rSum on validation", "loss at the end ÷ loss\nof equal similarities")
    for axis, column, label in zip(panels, ("val_rsum", "share"), labels, strict=True):
        _lines(axis, points, column, width)
        axis.set_ylabel(label)
    panels[1].axhline(1, color=INK, linewidth=0.8)
    panels[1].annotate(
        "nothing learned", (0.01, 1), (0, -2), ("axes fraction", "data"), "offset points", va="top", color=INK
    )
    panels[1].set_ylim(0, 1.1)
    for axis in panels if not width else panels[1:]:
        axis.set_xlabel("pairs per batch")
    handles, names = panels[0].get_legend_handles_labels()
    if not points["warmup"].all():
        handles.append(plt.Line2D([], [], color=FAINT, ls=(0, (4, 1.5))))
        names.append("without warm-up")
    figure.legend(handles, names, loc="outside lower center", ncols=2 if width else 5)
    return figure


def _lines(axis: Axes, points: pd.DataFrame, column: str, width: float | None) -> None:
    for place, loss in enumerate(points["loss"].unique()):
        colour = line_style(place)["color"]
        for warm, dashes in ((True, "solid"), (False, (0, (4, 1.5)))):
            own = points[(points["loss"] == loss) & (points["warmup"] == warm)].groupby("batch")[column]
            if not own.ngroups:
                continue
            mean, low, high = own.mean(), own.min(), own.max()
            axis.plot(
                mean.index,
                mean,
                color=colour,
                linestyle=dashes,
                marker="o" if warm else None,
                markersize=2 if width else 4,
                label=loss if warm else None,
            )
            if warm:
                axis.fill_between(mean.index, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.set_xscale("log", base=2)
    axis.set_xticks(sorted(points["batch"].unique()))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))
    axis.xaxis.set_minor_locator(NullLocator())
