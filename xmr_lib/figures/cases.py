"""Galleries of the best, the typical and the worst case, for the page of the paper."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..data import CaptionedImages
from .pictures import show_picture
from .style import INK, PAGE, RIGHT, WRONG, as_written, use_style


@dataclass(frozen=True)
class Case:
    """One query, and what was found for it."""

    name: str
    """``best``, ``typical`` or ``worst``."""
    query: int
    """Position of the query image or caption in its split."""
    rank: int
    """Of the first right answer."""
    found: Int[np.ndarray, " found"]
    """Positions of what was found, best first."""
    right: int
    """Position of the first right answer: shown also where it is not among what was found."""


def cases_of_images(split: CaptionedImages, cases: Sequence[Case], width: float = PAGE) -> Figure:
    """Draw text-to-image search: a caption with its own image, then what was found for it; the own one is framed."""
    use_style(width)
    columns = len(cases[0].found) + 2
    tile = width / (columns + 1.0)
    figure, axes = plt.subplots(
        len(cases), columns, figsize=(width, (tile + 0.04) * len(cases) + 0.16), squeeze=False,
        width_ratios=(1.75, *[1] * (columns - 1)),
    )  # fmt: skip
    figure.get_layout_engine().set(wspace=0.01, hspace=0.01)
    for row, case in zip(axes, cases, strict=True):
        _query(row[0], case, f"“{split.raw[case.query]}”", 27)
        show_picture(row[1], split, case.right, RIGHT, width)
        for axis, image in zip(row[2:], case.found, strict=True):
            show_picture(axis, split, int(image), RIGHT if image == case.right else WRONG, width)
    for place, axis in enumerate(axes[0][1:]):
        axis.set_title(f"found {place}" if place else "its own image", loc="center", fontsize=7.5, pad=2)
    return figure


def cases_of_captions(split: CaptionedImages, cases: Sequence[Case], width: float = PAGE) -> Figure:
    """Draw image-to-text search: an image, the captions found for it, its own framed, below them if all come later."""
    use_style(width)
    lines = len(cases[0].found) + 1
    height = 0.155 * lines + 0.06
    figure, axes = plt.subplots(
        len(cases), 2, figsize=(width, height * len(cases)), squeeze=False, width_ratios=(height, width - height)
    )
    figure.get_layout_engine().set(wspace=0.01, hspace=0.01)
    for (picture, text), case in zip(axes, cases, strict=True):
        show_picture(picture, split, case.query, width=width)
        picture.set_ylabel(f"{case.name}: rank {case.rank:,}", fontsize=7.5)
        text.axis("off")
        shown = list(enumerate(case.found, start=1))
        if case.right not in case.found:
            shown.append((case.rank, case.right))
        for line, (rank, caption) in enumerate(shown):
            own = split.image_of_caption[caption] == case.query
            frame = {"boxstyle": "round,pad=0.18", "fc": "#e5f5ec", "ec": RIGHT, "lw": 0.7}
            frame |= {"ls": "--"} if rank > len(case.found) else {}
            words = textwrap.shorten(split.raw[caption], 105, placeholder=" …")
            at = 1 - (line + 0.5) / lines
            text.text(0.0, at, f"{rank:,}", ha="left", va="center", fontsize=7, transform=text.transAxes)
            text.text(
                0.04, at, as_written(words), va="center", fontsize=7.5, bbox=frame if own else None,
                color=INK if own else "#4c5a66", transform=text.transAxes,
            )  # fmt: skip
    return figure


def _query(axis: Axes, case: Case, caption: str, wrap: int) -> None:
    axis.axis("off")
    lines = textwrap.wrap(caption, wrap, max_lines=5, placeholder=" …")
    axis.text(
        0, 1, f"{case.name}: rank {case.rank:,}", fontsize=8, fontweight="bold", va="top", transform=axis.transAxes
    )
    axis.text(0, 0.8, as_written("\n".join(lines)), fontsize=7.5, va="top", linespacing=1.15, transform=axis.transAxes)
