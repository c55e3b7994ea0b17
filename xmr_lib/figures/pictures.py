"""Pictures inside a PDF: as few bytes as their printed size needs."""

import numpy as np
from matplotlib.axes import Axes
from PIL import Image

COLOURS = 256
"""Chosen for each picture: a PDF keeps one byte per dot then instead of three, and no difference can be seen."""


def show_small(axis: Axes, picture: Image.Image, side: int) -> None:
    """Draw a picture as so many dots square, which a PDF takes as they are."""
    small = picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
    small = small.quantize(COLOURS, dither=Image.Dither.NONE).convert("RGB")
    axis.imshow(np.asarray(small), interpolation="none", extent=(0, 1, 0, 1))
