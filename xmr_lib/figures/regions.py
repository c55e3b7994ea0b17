"""Regions of images, and how much each of them weighs."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from ..data import CaptionedImages
from .pictures import SIDE, picture_of, show_name, show_small
from .style import PALETTE, as_written, use_style

SHOWN = 6
"""Regions drawn with their names; more would hide the picture."""
Found = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Boxes (regions, 4) as shares of the image, labels, scores; the whole image first."""


def regions_figure(
    dataset: CaptionedImages,
    images: Int[np.ndarray, " images"],
    found: Sequence[Found],
    weights: Sequence[np.ndarray],
    names: dict[int, str],
    title: str,
    width: float | None = None,
) -> Figure:
    """Draw images in two rows: what a detector found (the most confident), and where an attention over it looks.

    Args:
        dataset: split that the images are of.
        images: their positions in it.
        found: of each image, what the detector found.
        weights: of each image, one per region; they sum to 1.
        names: label → name.
        title: heading; the paper has its own.
        width: see ``use_style``.
    """
    use_style(width)
    size = (width, 2.25 * width / len(images)) if width else (2.6 * len(images), 5.9)
    figure, axes = plt.subplots(2, len(images), figsize=size, squeeze=False)
    if not width:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10.5)
    for column, (image, regions, weight) in enumerate(zip(images, found, weights, strict=True)):
        picture = picture_of(dataset, int(image))
        if picture is not None:
            dots = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
            _named(axes[0, column], dots, regions, names, width)
            _attended(axes[1, column], dots, regions[0], weight)
        # Boxes and weights are known without the picture, but nobody could see what they are of.
        for axis in axes[:, column] if picture is None else ():
            show_name(axis, dataset.filenames[image], width)
        for axis in axes[:, column]:
            axis.axis("off")
        axes[0, column].set_title(f"{len(regions[0]) - 1} regions", fontsize=7.5 if width else 8.5)
        share = f"whole image: {100 * weight[0]:.0f} %" + ("" if width else " of the weight")
        axes[1, column].set_title(share, fontsize=7.5 if width else 8.5)
    return figure


def _named(axes: Axes, picture: np.ndarray, regions: Found, names: dict[int, str], width: float | None) -> None:
    show_small(axes, Image.fromarray(picture), SIDE)
    size = {"fontsize": 5.5, "lw": 0.9} if width else {"fontsize": 6.5, "lw": 1.8}
    names_at: list[tuple[float, float, float]] = []
    for place, (box, label, score) in enumerate(zip(*(part[1 : SHOWN + 1] for part in regions), strict=True)):
        colour = PALETTE[place % len(PALETTE)]
        # The picture's own rows go down, the axes' go up.
        left, right, bottom, top = box[0], box[2], 1 - box[3], 1 - box[1]
        axes.add_patch(Rectangle((left, bottom), right - left, top - bottom, fill=False, ec=colour, lw=size["lw"]))
        text = f"{names.get(int(label), label)} {score:.2f}"
        # The surest come first: a name that would cover one of them is left out, its box stays.
        x, y = max(left, 0.01), min(top, 0.96)
        wide, high = (0.034 * len(text), 0.085) if width else (0.021 * len(text), 0.055)
        if any(abs(y - other) < high and x < end and begin < x + wide for begin, end, other in names_at):
            continue
        names_at.append((x, x + wide, y))
        frame = {"boxstyle": "square,pad=0.15", "fc": colour, "ec": "none"}
        axes.text(
            x, y, as_written(text), fontsize=size["fontsize"], color="white",
            va="bottom", bbox=frame, clip_on=True,
        )  # fmt: skip


def _attended(axes: Axes, picture: np.ndarray, boxes: np.ndarray, weight: np.ndarray) -> None:
    heat = np.zeros((SIDE, SIDE))
    for box, own in zip(boxes, weight, strict=True):
        left, top, right, bottom = np.round(box * SIDE).astype(int)
        # Spread over the box: a pixel of a small box counts more than one of a large box of the same weight.
        heat[top:bottom, left:right] += own / max((bottom - top) * (right - left), 1)
    grey = (picture @ np.array([0.299, 0.587, 0.114]))[..., None]
    coloured = 255 * plt.get_cmap("inferno")(heat / max(heat.max(), 1e-12))[..., :3]
    show_small(axes, Image.fromarray(np.uint8(0.45 * grey + 0.55 * coloured)), SIDE)
