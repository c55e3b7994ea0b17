"""A first look at a dataset."""

import textwrap
from collections import Counter

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..data import CaptionedImages
from .pictures import show_picture
from .style import PALETTE, as_written, use_style

SHORTEST_WORD = 3
"""Letters; shorter words (a, in, of) are in every caption and tell nothing."""


def dataset_figure(dataset: CaptionedImages, count: int = 4, seed: int = 0) -> Figure:
    """Draw a few images of the splits with their captions, how long captions are, and the words that they use most."""
    use_style()
    parts = [images for images in dataset.splits.values() if len(images)]
    # What a reader took out of the splits is no example of the data.
    shown = np.unique(np.concatenate(parts)) if parts else np.arange(len(dataset))
    images = np.sort(np.random.default_rng(seed).choice(shown, min(count, len(shown)), replace=False))
    figure = plt.figure(figsize=(10, 1.6 * len(images)))
    pictures, facts = figure.subfigures(1, 2, width_ratios=(2.2, 1))
    rows = pictures.subplots(len(images), 2, width_ratios=(1, 3.4), squeeze=False)
    for (picture, text), image in zip(rows, images, strict=True):
        show_picture(picture, dataset, int(image))
        text.axis("off")
        captions = list(dataset.captions_of(int(image)))[:6]
        lines = [textwrap.shorten(dataset.raw[caption], 70, placeholder=" …") for caption in captions]
        text.text(0, 0.5, as_written("\n".join(lines)), va="center", fontsize=8.8, linespacing=1.5)
    lengths, words = facts.subplots(2, 1)
    _draw_lengths(lengths, dataset)
    _draw_words(words, dataset)
    return figure


def _draw_lengths(axis: Axes, dataset: CaptionedImages) -> None:
    lengths = np.array([len(words) for words in dataset.tokens])
    axis.hist(lengths, bins=np.arange(-0.5, np.percentile(lengths, 99.5) + 1), color=PALETTE[0])
    axis.set_title("Words per caption")
    axis.set_xlabel(f"mean {lengths.mean():.1f}, longest {lengths.max()}")
    axis.set_ylabel("captions")


def _draw_words(axis: Axes, dataset: CaptionedImages, count: int = 12) -> None:
    everywhere = Counter(word for words in dataset.tokens for word in set(words))
    long = Counter({word: times for word, times in everywhere.items() if len(word) > SHORTEST_WORD})
    # Where all words are short (Chinese), the short ones are what there is to see.
    words, times = zip(*reversed((long or everywhere).most_common(count)), strict=True)
    axis.barh([as_written(word) for word in words], np.array(times) / dataset.caption_count * 100, color=PALETTE[1])
    axis.grid(axis="y", visible=False)
    axis.grid(axis="x", visible=True)
    axis.set_title(f"Frequent words of over {SHORTEST_WORD} letters" if long else "Frequent words")
    axis.set_xlabel("captions that have it (%)")
