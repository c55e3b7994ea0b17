"""Captions with the weight of each word."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from .style import INK, PALETTE, as_written, placed_by_hand, use_style

WIDTH = 9.0
"""Inches, on a screen."""
Placed = list[list[tuple[float, str, float]]]
"""Lines of words: where each begins (inches from the left), the word, its weight."""


def word_weights(
    captions: Sequence[Sequence[str]], weights: Sequence[np.ndarray], title: str, width: float | None = None
) -> Figure:
    """Draw captions, every word on a ground that is the darker the more it weighs; a long one goes on below, indented.

    Args:
        weights: one per word; those of a caption sum to 1. Equal weights would all have the colour of 1 / words.
        title: heading; the paper has its own.
        width: see ``use_style``.
    """
    use_style(width)
    size, gap, line, within = (7.5, 0.075, 0.19, 0.16) if width else (9, 0.12, 0.42, 0.27)
    placed = [
        _broken(words, own, size, gap, (width or WIDTH) - 0.06) for words, own in zip(captions, weights, strict=True)
    ]
    height = sum(line + within * (len(own) - 1) for own in placed)
    figure = plt.figure(figsize=(width or WIDTH, height + (0.04 if width else 0.5)), layout=placed_by_hand())
    axes = figure.add_axes((0, 0, 1, height / figure.get_figheight()))
    axes.set_xlim(0, width or WIDTH)
    axes.set_ylim(height, 0)
    axes.axis("off")
    if not width:
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10.5)
    top = line / 2
    for own in placed:
        for number, words in enumerate(own):
            for left, word, weight in words:
                ground = {"boxstyle": "round,pad=0.18", "fc": PALETTE[1], "ec": "none", "alpha": min(weight * 2, 1)}
                axes.text(
                    left, top + number * within, as_written(word), va="center", fontsize=size, color=INK, bbox=ground
                )
        top += line + within * (len(own) - 1)
    return figure


def _broken(words: Sequence[str], weights: np.ndarray, size: float, gap: float, width: float) -> Placed:
    """Lay words out in lines that are no wider than ``width``."""
    measure = plt.figure(layout=placed_by_hand())
    lines, left = [[]], 0.06
    for word, weight in zip(words, weights, strict=True):
        long = measure.text(0, 0, as_written(word), fontsize=size).get_window_extent().width / measure.dpi
        if lines[-1] and left + long > width:
            lines.append([])
            left = 0.3
        lines[-1].append((left, word, float(weight)))
        left += long + gap
    plt.close(measure)
    return lines
