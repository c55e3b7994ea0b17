"""How models learn."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ..records import Result
from .style import line_style, use_style


def training_curves(
    groups: Sequence[Sequence[Result]], width: float | None = None, names: Mapping[str, str] | None = None
) -> Figure:
    """Draw validation rSum against the epoch: a line for each model (mean of its seeds), a band for its seeds.

    A model without epochs (closed form) is a level line. For ``width`` and ``names`` see ``recall_bars``.
    """
    use_style(width)
    # Names stand beside the curves, or, in a column of the paper, below them, in two columns of their own.
    below = 0.13 * ((len(groups) + 1) // 2)
    figure, axis = plt.subplots(figsize=(width, 1.7 + below) if width else (7.5, 3.5))
    for place, results in enumerate(groups):
        curves = [result.history["val_rsum"] for result in results if "val_rsum" in result.history]
        style = line_style(place)
        label = (names or {}).get(results[0].model, results[0].model)
        if not curves:
            level = np.mean([result.val_rsum for result in results])
            axis.axhline(level, color=style["color"], ls="--", label=label)
            continue
        # Seeds stop at different epochs; a mean over fewer seeds would jump, so the line ends with the first to stop.
        shortest = min(map(len, curves))
        stacked = np.array([curve[:shortest] for curve in curves])
        epochs = np.arange(1, shortest + 1)
        axis.plot(epochs, stacked.mean(0), **style, marker="o", markersize=1.6 if width else 3, label=label)
        axis.fill_between(epochs, stacked.min(0), stacked.max(0), color=style["color"], alpha=0.18, linewidth=0)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.set_xlabel("epoch")
    axis.set_ylabel("rSum on validation")
    if width:
        figure.legend(loc="outside lower center", ncols=2, handlelength=2.4)
    else:
        axis.set_title("How the models learn")
        axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), handlelength=2.4)
    return figure
