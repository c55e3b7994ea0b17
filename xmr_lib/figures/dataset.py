"""A first look at a dataset."""

import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ..data import CaptionedImages
from .galleries import show_picture
from .style import PALETTE, use_style


def dataset_figure(dataset: CaptionedImages, count: int = 4, seed: int = 0) -> Figure:
    """Draw a few images with all their captions, and how long captions are."""
    use_style()
    images = np.sort(np.random.default_rng(seed).choice(len(dataset), min(count, len(dataset)), replace=False))
    figure = plt.figure(figsize=(10, 1.9 * len(images)))
    pictures, histogram = figure.subfigures(1, 2, width_ratios=(2.3, 1))
    for axes, image in zip(
        pictures.subplots(len(images), 2, width_ratios=(1, 3.2), squeeze=False), images, strict=True
    ):
        show_picture(axes[0], dataset, int(image))
        axes[1].axis("off")
        lines = [
            textwrap.shorten(dataset.raw[caption], 72, placeholder=" …") for caption in dataset.captions_of(int(image))
        ]
        axes[1].text(0, 0.5, "\n".join(lines[:6]), va="center", fontsize=8.8, linespacing=1.5)
    axis = histogram.subplots()
    lengths = np.array([len(words) for words in dataset.tokens])
    axis.hist(lengths, bins=np.arange(-0.5, np.percentile(lengths, 99.5) + 1), color=PALETTE[0])
    axis.set_title("Words a caption")
    axis.set_xlabel(f"words (mean {lengths.mean():.1f}, longest {lengths.max()})")
    axis.set_ylabel("captions")
    return figure
