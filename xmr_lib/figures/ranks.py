"""Where the right answers stand: recall@K for every K at once."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from ..errors import XmrError
from .style import INK, line_style, use_style

PANELS = (("i2t", "image → captions"), ("t2i", "caption → image"))
CHANCE = "chance"


def rank_distribution(
    shares: pd.DataFrame,
    runs: Sequence[str],
    width: float | None = None,
    names: Mapping[str, str] | None = None,
) -> Figure:
    """Draw the share of queries whose right answer stands within rank r, for each run, and for a random order.

    Args:
        shares: ``plotdata/rank_distribution.csv``; of a run with several seeds their mean.
        runs: what is drawn, in this order; chance is added.
        width: see ``use_style``.
        names: readable names of models; those that it does not have keep their own.

    Raises:
        XmrError: a run that ``shares`` does not have.
    """
    if missing := sorted({*runs, CHANCE} - set(shares["run"])):
        raise XmrError(f"rank distribution: no ranks of {', '.join(missing)}; run notebook 08 again")
    use_style(width)
    rows = (len(runs) + 2) // 2
    size = (width, 0.42 * width + 0.25 + 0.13 * rows) if width else (10, 3.6 + 0.22 * rows)
    figure, axes = plt.subplots(1, 2, figsize=size, sharey=True)
    figure.get_layout_engine().set(wspace=0.05)
    for axis, (direction, title) in zip(axes, PANELS, strict=True):
        own = shares[shares["direction"] == direction]
        for place, run in enumerate((*runs, CHANCE)):
            curve = own[own["run"] == run].sort_values("rank")
            style = {"color": INK, "linestyle": ":"} if run == CHANCE else line_style(place)
            axis.plot(curve["rank"], 100 * curve["share"], **style, label=(names or {}).get(run, run))
        axis.set_xscale("log")
        axis.set_xlim(1, own["rank"].max())
        axis.set_ylim(0, 100)
        axis.grid(axis="x")
        axis.set_title(title)
        axis.set_xlabel("within rank r")
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes[0].set_ylabel("queries answered (%)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2 if width and width < 5 else 3, handlelength=2.4)
    return figure
