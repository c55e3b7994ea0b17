"""Regions of images, and how much each of them weighs."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..features.images import read_image
from .style import PALETTE, use_style

SIDE = 224
SHOWN = 6
"""Regions drawn with their names; more would hide the picture."""
Found = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Boxes (regions, 4) as shares of the image, labels, scores; the whole image first."""


def regions_figure(
    pictures: Sequence[Path], found: Sequence[Found], weights: Sequence[np.ndarray], names: dict[int, str], title: str
) -> Figure:
    """Draw images in two rows: what a detector found (the most confident), and where an attention over it looks.

    Args:
        weights: of each image, one a region; they sum to 1.
        names: label → name.
    """
    use_style()
    figure, axes = plt.subplots(2, len(pictures), figsize=(2.6 * len(pictures), 5.9), squeeze=False)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10.5)
    for column, (path, regions, weight) in enumerate(zip(pictures, found, weights, strict=True)):
        picture = read_image(path, SIDE)
        _named(axes[0, column], picture, regions, names)
        _attended(axes[1, column], picture, regions[0], weight)
    return figure


def _named(axes: Axes, picture: np.ndarray, regions: Found, names: dict[int, str]) -> None:
    axes.imshow(picture)
    axes.axis("off")
    for place, (box, label, score) in enumerate(zip(*(part[1 : SHOWN + 1] for part in regions), strict=True)):
        colour = PALETTE[place % len(PALETTE)]
        left, top, right, bottom = box * SIDE
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, ec=colour, lw=1.8))
        text = f"{names.get(int(label), label)} {score:.2f}"
        frame = {"boxstyle": "square,pad=0.15", "fc": colour, "ec": "none"}
        axes.text(max(left, 2), max(top, 9), text, fontsize=6.5, color="white", va="bottom", bbox=frame, clip_on=True)
    axes.set_title(f"{len(regions[0]) - 1} regions", fontsize=8.5)


def _attended(axes: Axes, picture: np.ndarray, boxes: np.ndarray, weight: np.ndarray) -> None:
    heat = np.zeros((SIDE, SIDE))
    for box, own in zip(boxes, weight, strict=True):
        left, top, right, bottom = np.round(box * SIDE).astype(int)
        # Spread over the box: a pixel of a small box counts more than one of a large box of the same weight.
        heat[top:bottom, left:right] += own / max((bottom - top) * (right - left), 1)
    axes.imshow(picture @ np.array([0.299, 0.587, 0.114]), cmap="gray", vmin=0, vmax=255)
    axes.imshow(heat / max(heat.max(), 1e-12), cmap="inferno", alpha=0.55, vmin=0, vmax=1)
    axes.axis("off")
    axes.set_title(f"whole image: {100 * weight[0]:.0f} % of the weight", fontsize=8.5)
