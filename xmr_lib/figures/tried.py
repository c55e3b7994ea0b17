"""What was tried, on validation."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from .style import FAINT, PALETTE, use_style


def tried_figure(
    names: Sequence[str], without: Sequence[float], with_bank: Sequence[float], width: float | None = None
) -> Figure:
    """Draw a line per trial: its validation rSum, without and with the query bank.

    Args:
        names: of the trials, from top to bottom.
        without: rSum of the order as the model gives it.
        with_bank: the same, normalised by the model's query bank.
        width: see ``use_style``.
    """
    use_style(width)
    size = (width, 0.155 * len(names) + 0.55) if width else (8, 0.3 * len(names) + 1.1)
    figure, axis = plt.subplots(figsize=size)
    places = range(len(names))
    axis.hlines(places, without, with_bank, color=FAINT, linewidth=1)
    for values, colour, label in ((without, PALETTE[0], "as it is"), (with_bank, PALETTE[1], "with its query bank")):
        axis.plot(values, places, "o", color=colour, markersize=3.4 if width else 6, label=label)
    axis.set_yticks(places, names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.grid(axis="x")
    axis.grid(axis="y", visible=False)
    axis.set_xlabel("rSum on validation")
    figure.legend(loc="outside lower center", ncols=2)
    return figure
