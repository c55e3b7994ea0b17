"""Which captions a model finds the image of."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from .style import FAINT, INK, PALETTE, use_style


def wording_figure(table: pd.DataFrame, width: float | None = None) -> Figure:
    """Draw by how much R@1 of some captions differs from that of all others, a line each, with its interval.

    Args:
        table: as ``study.wording.wording_table`` returns it.
        width: see ``use_style``.
    """
    use_style(width)
    names = [f"{what}: {which}" for what, which in table.index]
    figure, axis = plt.subplots(figsize=(width, 0.16 * len(names) + 0.5) if width else (7.5, 0.34 * len(names) + 0.9))
    kinds = list(dict.fromkeys(what for what, _ in table.index))
    for place, ((what, _), row) in enumerate(table.iterrows()):
        colour = PALETTE[kinds.index(what) % len(PALETTE)]
        axis.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=1.1 if width else 1.6)
        axis.plot(row["difference"], place, "o", color=colour, markersize=3.4 if width else 6)
        axis.annotate(
            f"{row['captions (%)']:.0f} %",
            (1, place),
            (3, 0),
            ("axes fraction", "data"),
            "offset points",
            va="center",
            color=FAINT,
        )
    axis.axvline(0, color=INK, linewidth=0.8)
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.grid(axis="x")
    axis.grid(axis="y", visible=False)
    figure.supxlabel(
        "R@1, text to image: points above all other captions\n(right: share of the captions)", fontsize="medium"
    )
    return figure
