"""From a box to a vector: which places of a network's map a region is read at, rounded to cells or not."""

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float, UInt8
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from .style import PALETTE, use_style

BOX, CELL, READ = PALETTE[1], PALETTE[0], PALETTE[7]


def roi_align_figure(
    pixels: UInt8[np.ndarray, "height width 3"],
    box: Float[np.ndarray, " 4"],
    cells: tuple[int, int],
    bins: int,
    points: int,
    name: str,
) -> Figure:
    """Draw a picture under the cells of a map three times: the box of a region; RoI pooling of it; RoIAlign of it.

    RoI pooling (Girshick 2015) rounds the box to whole cells and takes the largest of each bin's; RoIAlign (He et al.
    2017) rounds nothing and reads the map between its cells, at ``points`` × ``points`` places of each bin.

    Args:
        pixels: the picture as the network sees it.
        box: left, top, right, bottom as shares of the picture.
        cells: rows and columns of the map.
        bins: side of the grid that the region is cut into.
        points: side of the grid of places that RoIAlign reads in each bin.
        name: what the region is taken for.
    """
    use_style()
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.9))
    rows, columns = cells
    left, top, right, bottom = (float(side) for side in box * np.array([columns, rows, columns, rows]))
    # Whole cells, one at least.
    low, high = (np.floor([left, top]), np.ceil([right, bottom]))
    for axis in axes:
        axis.imshow(pixels, extent=(0, columns, rows, 0), alpha=0.75)
        axis.set_xticks(range(columns + 1), [])
        axis.set_yticks(range(rows + 1), [])
        axis.tick_params(length=0)
        axis.grid(color=CELL, lw=0.6, alpha=0.6)
    frame = (left, top, right - left, bottom - top)
    _box(axes[0], *frame)
    axes[0].set_title(f"the region: {name}")
    axes[0].set_xlabel(f"map of {rows} × {columns} cells, in blue")
    _box(axes[1], *frame, ls="--")
    _bins(axes[1], *low, *(high - low), bins)
    axes[1].set_title("RoI pooling: rounded to cells")
    axes[1].set_xlabel(f"{bins} × {bins} bins, of each the largest cell it touches")
    _bins(axes[2], *frame, bins)
    share = (np.arange(bins * points) + 0.5) / (bins * points)
    x, y = np.meshgrid(left + share * (right - left), top + share * (bottom - top))
    axes[2].plot(x, y, "o", color=READ, ms=4, mec="white", mew=0.7)
    axes[2].set_title("RoIAlign: rounded to nothing")
    axes[2].set_xlabel(f"{bins} × {bins} bins, the mean of {points * points} places each (dots)")
    return figure


def _box(axis: Axes, left: float, top: float, width: float, height: float, **style: object) -> None:
    axis.add_patch(Rectangle((left, top), width, height, fill=False, ec=BOX, lw=2, **style))


def _bins(axis: Axes, left: float, top: float, width: float, height: float, bins: int) -> None:
    for row in range(bins):
        for column in range(bins):
            corner = (left + column * width / bins, top + row * height / bins)
            axis.add_patch(Rectangle(corner, width / bins, height / bins, fill=False, ec=BOX, lw=1.2))
