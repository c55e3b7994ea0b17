"""Pictures of a dataset inside a figure, each in its frame; the file's name where there is none that can be read."""

import numpy as np
from matplotlib.axes import Axes
from PIL import Image

from ..data import CaptionedImages
from ..data.pictures import read_picture
from .style import FAINT, RIGHT, as_written

SIDE = 224
"""Dots of a picture's side on a screen, and of what is drawn over one."""
TILE = 176
"""The same in print: 200 per inch at the size that a tile has on the page."""
COLOURS = 256
"""Chosen for each picture: a PDF keeps one byte per dot then instead of three, and no difference can be seen."""


def show_picture(
    axis: Axes, dataset: CaptionedImages, image: int, frame: str = FAINT, width: float | None = None
) -> None:
    """Draw the picture at a position, square and without axes.

    Args:
        frame: colour around it; ``RIGHT`` is a thick one.
        width: see ``use_style``; in print a picture has as few bytes as its size needs.
    """
    axis.grid(False)
    axis.set_xticks([])
    axis.set_yticks([])
    picture = picture_of(dataset, image)
    if picture is None:
        show_name(axis, dataset.filenames[image], width)
    elif width:
        show_small(axis, picture, TILE)
    else:
        axis.imshow(picture.resize((SIDE, SIDE)))
    thick, thin = (1.8, 0.5) if width else (3.5, 0.8)
    for spine in axis.spines.values():
        spine.set(visible=True, color=frame, linewidth=thick if frame == RIGHT else thin)


def picture_of(dataset: CaptionedImages, image: int) -> Image.Image | None:
    """Return the picture at a position as RGB, upright; None where there is no file that can be read."""
    picture = read_picture(dataset.path(image)) if dataset.images_folder is not None else ""
    return None if isinstance(picture, str) else picture


def show_name(axis: Axes, name: str, width: float | None = None) -> None:
    """Write a file's name where its picture would be; for ``width`` see ``use_style``."""
    axis.text(0.5, 0.5, as_written(name), ha="center", va="center", fontsize=5 if width else 7, wrap=True)
    axis.set_box_aspect(1)


def show_small(axis: Axes, picture: Image.Image, side: int) -> None:
    """Draw a picture as so many dots square, which a PDF takes as they are."""
    small = picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    small = small.quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
    axis.imshow(np.asarray(small), interpolation="none", extent=(0, 1, 0, 1))
