"""What a model reaches against what it takes to train it."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from .labels import label_points
from .style import PALETTE, use_style

MARKS = "osD^vPX*<>h"
"""More than there are colours, so that no two kinds look the same."""


def time_accuracy(rows: pd.DataFrame, width: float | None = None, names: Mapping[str, str] | None = None) -> Figure:
    """Draw rSum against processor time, one named point per model; colour and form are its task.

    Intervals would cover the names; they are in ``rsum_intervals``.

    Args:
        rows: rows of ``summary.csv`` as numbers: run, task, cpu_minutes, rsum.
        width: see ``use_style``.
        names: readable names of models; those that it does not have keep their own.
    """
    use_style(width)
    figure, axis = plt.subplots(figsize=(width, 1.1 * width) if width else (9, 5.5))
    for place, (task, own) in enumerate(rows.groupby("task", sort=False)):
        colour = PALETTE[place % len(PALETTE)]
        axis.plot(
            own["cpu_minutes"], own["rsum"], MARKS[place % len(MARKS)], color=colour, ms=3.6 if width else 6,
            label=f"task ({task})" if len(task) == 1 else task,
        )  # fmt: skip
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    # Room for names on all sides.
    low, high = rows["cpu_minutes"].min(), rows["cpu_minutes"].max()
    axis.set_xlim(low / (high / low) ** 0.12 / 1.2, high * (high / low) ** 0.12 * 1.2)
    spread = rows["rsum"].max() - rows["rsum"].min()
    axis.set_ylim(rows["rsum"].min() - 0.12 * spread - 1, rows["rsum"].max() + 0.15 * spread + 1)
    axis.set_xlabel("processor time of training and scoring (minutes)")
    axis.set_ylabel("rSum on test")
    figure.legend(loc="outside lower center", ncols=4, handletextpad=0.1)
    shown = [(names or {}).get(run, run) for run in rows["run"]]
    label_points(
        axis, list(rows["cpu_minutes"]), list(rows["rsum"]), shown, 6.5 if width else 8.5, 4.0 if width else 6.5
    )
    return figure
