"""What an index found for queries that are nobody's captions: there is no right answer to frame."""

import io
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Int
from matplotlib.figure import Figure
from PIL import Image

from .pictures import SIDE
from .style import FAINT, as_written, line_style, use_style


@runtime_checkable
class HasPictures(Protocol):
    """What is asked of an index here."""

    def thumbnail(self, number: int, side: int) -> bytes: ...


def found_figure(index: HasPictures, rows: Sequence[tuple[str, Sequence[Any]]], title: str) -> Figure:
    """Draw a row for each query: its words above the pictures found for it, each with its similarity.

    Args:
        rows: query and hits (``id``, ``score``; a score that is no number is that of the query itself).
        title: heading of the figure.
    """
    use_style()
    columns = max(len(hits) for _, hits in rows)
    size = (1.85 * columns, 2.25 * len(rows) + 0.5)
    figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
    for row, (heading, hits) in zip(axes, rows, strict=True):
        for axis in row:
            axis.axis("off")
        for axis, hit in zip(row, hits, strict=False):
            picture = Image.open(io.BytesIO(index.thumbnail(hit.id, SIDE)))
            axis.imshow(picture.resize((SIDE, SIDE)))
            told = "query" if np.isnan(hit.score) else f"{hit.score:.2f}"
            axis.text(0.5, -0.03, told, transform=axis.transAxes, ha="center", va="top", fontsize=8, color=FAINT)
        row[0].text(0, 1.06, as_written(heading), transform=row[0].transAxes, fontsize=10.5, in_layout=False)
    figure.get_layout_engine().set(h_pad=0.16)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10.5)
    return figure


def _label(way: str) -> str:
    """Return ``without``, ``with`` or ``with, not used`` as a line of the legend."""
    how, *rest = way.split(", ")
    return ", ".join([f"{how} query bank", *rest])


def hubness_figure(counts: dict[tuple[str, str], Int[np.ndarray, " items"]], k: int) -> Figure:
    """Draw how often each item is found, most often first, a panel for each direction and a line for each way.

    Args:
        counts: (direction, way) → how many queries have each item among their first ``k``.
    """
    use_style()
    directions = list(dict.fromkeys(direction for direction, _ in counts))
    figure, axes = plt.subplots(1, len(directions), figsize=(4.6 * len(directions), 3.4), squeeze=False)
    for axis, direction in zip(axes[0], directions, strict=True):
        ways = {way: own for (other, way), own in counts.items() if other == direction}
        for place, (way, own) in enumerate(ways.items()):
            share = 100 * (np.arange(len(own)) + 0.5) / len(own)
            axis.plot(share, np.sort(own)[::-1], **line_style(place), label=_label(way), clip_on=False)
        mean = float(next(iter(ways.values())).mean())
        axis.axhline(mean, color=FAINT, linestyle=":", label="all alike")
        axis.set_title(direction)
        axis.set_xlabel("items, most often found first (%)")
        axis.set_xlim(0, 100)
        axis.set_yscale("symlog", linthresh=1)
        axis.set_ylim(bottom=0)
        axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axis.legend()
    axes[0][0].set_ylabel(f"queries with it in their first {k}")
    return figure
