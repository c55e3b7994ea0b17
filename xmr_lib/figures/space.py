"""Maps of the common space, before and after training."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from .style import FAINT, INK, PALETTE, as_written, use_style

STAGES = ("before", "after")
MARKS = {"image": "o", "caption": "^"}
METHODS = {"tsne": "t-SNE", "umap": "UMAP"}
MARGIN = 0.03
REST = "#c3cad1"
"""Of the topic ``other``: there, but behind the rest."""


def shared_space(
    points: pd.DataFrame, method: str = "tsne", other: str = "other", pairs: int = 12, width: float | None = None
) -> Figure:
    """Draw images and captions of one model in the plane: colour is topic, form is modality, lines join some pairs.

    Args:
        points: ``plotdata/shared_space.csv`` of one model: method, stage, modality, image, x, y, topic.
        method: ``tsne`` or ``umap``.
        other: topic that gets no colour of its own.
        pairs: images that are joined to their captions: evenly spaced in the order of their ids, in all panels the
            same.
        width: see ``use_style``.
    """
    use_style(width)
    points = points[points["method"] == method]
    topics = sorted(set(points["topic"]) - {other}, key=lambda name: (-(points["topic"] == name).sum(), name))
    colours = {name: PALETTE[place % len(PALETTE)] for place, name in enumerate(topics)} | {other: REST}
    images = np.unique(points["image"])
    joined = images[np.linspace(0, len(images) - 1, min(pairs, len(images))).round().astype(int)]
    # No higher than the maps are; one scale for both directions and both stages.
    low, high = points["y"].min() - MARGIN, points["y"].max() + MARGIN
    high_as_wide = (high - low) / (1 + 2 * MARGIN)
    panel = (width or 10) / 2 - 0.1
    figure, axes = plt.subplots(1, 2, figsize=(width or 10, high_as_wide * panel + (0.5 if width else 0.95)))
    for axis, stage in zip(axes, STAGES, strict=True):
        _draw(axis, points[points["stage"] == stage], colours, joined, width)
        axis.set_xlim(-MARGIN, 1 + MARGIN)
        axis.set_ylim(low, high)
        axis.set_title(f"{METHODS[method]}, {stage} training")
    named = [name for name in colours if (points["topic"] == name).any()]
    handles = [Line2D([], [], marker="s", ls="", ms=4 if width else 7, color=colours[name]) for name in named]
    handles += [
        Line2D([], [], marker=mark, ls="", ms=4 if width else 7, mfc="none", mec=INK, mew=0.7)
        for mark in MARKS.values()
    ]
    figure.legend(handles, [*map(as_written, named), *MARKS], loc="outside lower center", ncols=6, handletextpad=0.1)
    return figure


def _draw(axis: Axes, points: pd.DataFrame, colours: dict[str, str], joined: np.ndarray, width: float | None) -> None:
    places = {kind: points[points["modality"] == kind].set_index("image") for kind in MARKS}
    for image in joined:
        ends = [places[kind].loc[image, ["x", "y"]] for kind in MARKS]
        axis.plot(*zip(*ends, strict=True), color=INK, lw=0.4 if width else 0.6, alpha=0.8, zorder=3)
    for kind, mark in MARKS.items():
        for name, colour in colours.items():
            own = places[kind][places[kind]["topic"] == name]
            axis.scatter(
                own["x"], own["y"], s=7 if width else 16, marker=mark, color=colour, lw=0, alpha=0.9,
                zorder=1 if colour == REST else 2,
            )  # fmt: skip
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)
    for spine in axis.spines.values():
        spine.set(visible=True, color=FAINT)
