"""The modality gap, before and after training, and what closing it would do."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import FAINT, INK, PALETTE, line_style, use_style

HEAD = 1.5
"""Lines that the name of a model takes over its bars."""
PARTS = ("the gap (and its share)", "the rest")


def modality_gap(
    gaps: pd.DataFrame, closing: pd.DataFrame, width: float | None = None, names: Mapping[str, str] | None = None
) -> Figure:
    """Draw what the squared distance of a pair consists of, and the loss when the gap is closed or widened.

    Args:
        gaps: ``plotdata/modality_gap.csv``.
        closing: ``plotdata/gap_closing.csv`` of one run: InfoNCE at several temperatures, divided by what it is with
            the gap as it is.
        width: see ``use_style``.
        names: readable names of models; those that it does not have keep their own.
    """
    use_style(width)
    lines = gaps["run"].nunique() * HEAD + len(gaps)
    if width and width < 5:
        heights = (0.125 * lines + 0.3, 1.25)
        figure, axes = plt.subplots(2, 1, figsize=(width, sum(heights) + 0.3), height_ratios=heights)
    else:
        size = (width, 0.125 * lines + 0.85) if width else (10, 0.24 * lines + 1.4)
        figure, axes = plt.subplots(1, 2, figsize=size, width_ratios=(1.15, 1))
    _distances(axes[0], gaps, names or {})
    after = gaps[(gaps["stage"] == "after") & gaps["run"].isin(closing["run"])]
    _closing(axes[1], closing, after["temperature"].item(), width)
    return figure


def _distances(axis: Axes, gaps: pd.DataFrame, names: Mapping[str, str]) -> None:
    places, labels, at = [], [], 0.0
    for run, own in gaps.groupby("run", sort=False):
        # The name stands over its bars: before it, it would leave them no room in a column.
        axis.text(0, at - 0.1, f" {names.get(run, run)}", va="center", fontsize="small")
        at += (1 + HEAD) / 2
        for row in own.itertuples():
            between, pair = row.gap**2, row.pair_distance**2
            for left, length, colour, part in ((0, between, PALETTE[1], 0), (between, pair - between, "#cfd8e0", 1)):
                axis.barh(at, length, 0.74, left=left, color=colour, label=PARTS[part] if not places else None)
            axis.annotate(
                f"{100 * row.share:.0f} %", (pair, at), xytext=(2, 0), textcoords="offset points", va="center",
                fontsize="small",
            )  # fmt: skip
            places.append(at)
            labels.append(row.stage)
            at += 1
        at += (HEAD - 1) / 2
    axis.set_yticks(places, labels)
    axis.set_ylim(places[-1] + 0.55, -HEAD / 2)
    axis.set_xlim(0, 1.16 * (gaps["pair_distance"] ** 2).max())
    axis.grid(axis="x")
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("mean squared distance of a pair")
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderpad=0, borderaxespad=0.3)


def _closing(axis: Axes, closing: pd.DataFrame, learned: float, width: float | None) -> None:
    for place, (temperature, own) in enumerate(closing.groupby("temperature", sort=True)):
        own = own.sort_values("closed")
        as_it_is = own.loc[own["closed"] == 0, "loss"].item()
        axis.plot(
            100 * own["closed"], own["loss"] / as_it_is, **line_style(place), marker="o", ms=1.8 if width else 3,
            label=f"τ = {temperature:.2f}" + (" (learned)" if np.isclose(temperature, learned, atol=1e-4) else ""),
        )  # fmt: skip
    axis.axvline(0, color=INK, lw=0.6, ls=":")
    axis.axhline(1, color=FAINT, lw=0.6, zorder=0)
    axis.set_xlabel("part of the gap that is closed (%)")
    axis.set_ylabel("loss / loss as trained")
    # To the left there is room: long names of models above push both panels to the right.
    axis.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=3, borderpad=0, borderaxespad=0.3)
