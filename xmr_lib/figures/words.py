"""Captions with the weight of each word."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from .style import INK, PALETTE, use_style

WIDTH = 9.0
"""Inches."""


def word_weights(captions: Sequence[Sequence[str]], weights: Sequence[np.ndarray], title: str) -> Figure:
    """Draw captions, a line each, every word on a ground that is the darker the more it weighs.

    Args:
        weights: one a word; those of a caption sum to 1. Equal weights would all have the colour of 1 / words.
    """
    use_style()
    figure, axes = plt.subplots(figsize=(WIDTH, 0.42 * len(captions) + 0.5))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(len(captions) - 0.4, -0.6)
    axes.axis("off")
    axes.set_title(title)
    renderer = figure.canvas.get_renderer()
    figure.draw_without_rendering()
    for line, (words, own) in enumerate(zip(captions, weights, strict=True)):
        left = 0.05
        for word, weight in zip(words, own, strict=True):
            ground = {"boxstyle": "round,pad=0.18", "fc": PALETTE[1], "ec": "none", "alpha": min(float(weight) * 2, 1)}
            text = axes.text(left, line, word, va="center", fontsize=9, color=INK, bbox=ground)
            box = text.get_window_extent(renderer).transformed(axes.transData.inverted())
            left = box.x1 + 0.12
            if left > WIDTH - 0.3:
                axes.text(left, line, "…", va="center", fontsize=9)
                break
    return figure
