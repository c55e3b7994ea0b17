"""Regions of images, and how much each of them weighs."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from ..features.extract import read_image
from .pictures import show_small
from .style import PALETTE, as_written, use_style

SIDE = 224
SHOWN = 6
"""Regions drawn with their names; more would hide the picture."""
Found = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Boxes (regions, 4) as shares of the image, labels, scores; the whole image first."""


def regions_figure(
    pictures: Sequence[Path],
    found: Sequence[Found],
    weights: Sequence[np.ndarray],
    names: dict[int, str],
    title: str,
    width: float | None = None,
) -> Figure:
    """Draw images in two rows: what a detector found (the most confident), and where an attention over it looks.

    Args:
        weights: of each image, one per region; they sum to 1.
        names: label → name.
        title: heading; the paper has its own.
        width: see ``use_style``.
    """
    use_style(width)
    size = (width, 2.25 * width / len(pictures)) if width else (2.6 * len(pictures), 5.9)
    figure, axes = plt.subplots(2, len(pictures), figsize=size, squeeze=False)
    if not width:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10.5)
    for column, (path, regions, weight) in enumerate(zip(pictures, found, weights, strict=True)):
        picture = read_image(path, SIDE)
        _named(axes[0, column], picture, regions, names, width)
        _attended(axes[1, column], picture, regions[0], weight, width)
    return figure


def _named(axes: Axes, picture: np.ndarray, regions: Found, names: dict[int, str], width: float | None) -> None:
    show_small(axes, Image.fromarray(picture), SIDE)
    axes.axis("off")
    size = {"fontsize": 5.5, "lw": 0.9} if width else {"fontsize": 6.5, "lw": 1.8}
    for place, (box, label, score) in enumerate(zip(*(part[1 : SHOWN + 1] for part in regions), strict=True)):
        colour = PALETTE[place % len(PALETTE)]
        # The picture's own rows go down, the axes' go up.
        left, right, bottom, top = box[0], box[2], 1 - box[3], 1 - box[1]
        axes.add_patch(Rectangle((left, bottom), right - left, top - bottom, fill=False, ec=colour, lw=size["lw"]))
        text = f"{names.get(int(label), label)} {score:.2f}"
        frame = {"boxstyle": "square,pad=0.15", "fc": colour, "ec": "none"}
        axes.text(
            max(left, 0.01), min(top, 0.96), as_written(text), fontsize=size["fontsize"], color="white",
            va="bottom", bbox=frame, clip_on=True,
        )  # fmt: skip
    axes.set_title(f"{len(regions[0]) - 1} regions", fontsize=7.5 if width else 8.5)


def _attended(axes: Axes, picture: np.ndarray, boxes: np.ndarray, weight: np.ndarray, width: float | None) -> None:
    heat = np.zeros((SIDE, SIDE))
    for box, own in zip(boxes, weight, strict=True):
        left, top, right, bottom = np.round(box * SIDE).astype(int)
        # Spread over the box: a pixel of a small box counts more than one of a large box of the same weight.
        heat[top:bottom, left:right] += own / max((bottom - top) * (right - left), 1)
    grey = (picture @ np.array([0.299, 0.587, 0.114]))[..., None]
    coloured = 255 * plt.get_cmap("inferno")(heat / max(heat.max(), 1e-12))[..., :3]
    show_small(axes, Image.fromarray(np.uint8(0.45 * grey + 0.55 * coloured)), SIDE)
    axes.axis("off")
    share = f"whole image: {100 * weight[0]:.0f} %" + ("" if width else " of the weight")
    axes.set_title(share, fontsize=7.5 if width else 8.5)
