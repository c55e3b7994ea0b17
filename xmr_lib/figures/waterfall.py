"""Steps from one model to another, and what each is worth."""

import itertools
from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from .style import FAINT, INK, PALETTE, use_style

GAIN, LOSS = PALETTE[0], PALETTE[1]


def waterfall_figure(
    changes: Sequence[str],
    scores: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    width: float | None = None,
) -> Figure:
    """Draw a line per step: a bar from the score before to its own, and what it gains with its 95 % interval.

    In a column of print the axis begins a little below the first score, which is a point there and no bar.

    Args:
        changes: what each step changes; the first is where it all starts.
        scores: rSum of each step.
        intervals: of what each step but the first gains over the one before, in points.
        width: see ``use_style``.
    """
    use_style(width)
    size = (width, 0.142 * len(changes) + 0.36) if width else (9.5, 0.36 * len(changes) + 0.9)
    figure, axis = plt.subplots(figsize=size)
    if width:
        axis.plot(scores[0], 0, "o", color=INK, markersize=3)
    else:
        axis.barh(0, scores[0], 0.62, color=FAINT)
    for place, (before, score) in enumerate(itertools.pairwise(scores), start=1):
        low, high = intervals[place - 1]
        gain = score - before
        axis.barh(place, gain, 0.62, left=before, color=GAIN if gain >= 0 else LOSS)
        # Where the one before ends, this one begins.
        axis.plot([before, before], [place - 1.31, place + 0.31], color=FAINT, linewidth=0.6)
        axis.plot([before + low, before + high], [place, place], color=INK, linewidth=0.9)
    for place, score in enumerate(scores):
        gain = "" if place == 0 else f"  ({score - scores[place - 1]:+.1f})".replace("-", "−")
        right = score if place == 0 else max(score, scores[place - 1], scores[place - 1] + intervals[place - 1][1])
        axis.annotate(
            f"{score:.1f}{gain}", (right, place), xytext=(3 if width else 6, 0), textcoords="offset points",
            va="center", fontsize=7 if width else 8.5,
        )  # fmt: skip
    axis.set_yticks(range(len(changes)), changes)
    axis.set_ylim(len(changes) - 0.4, -0.6)
    most, least = max(scores), min(scores)
    axis.set_xlim(*((least - 0.1 * (most - least), most + 0.5 * (most - least)) if width else (0, most * 1.22)))
    axis.grid(axis="x")
    axis.grid(axis="y", visible=False)
    figure.supxlabel("rSum on test (gain; line: its 95 % interval)", fontsize="medium")
    return figure
