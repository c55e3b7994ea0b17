"""Queries and what was found for them, the right answers framed."""

import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Bool, Int
from matplotlib.figure import Figure

from ..data import CaptionedImages
from .pictures import show_picture
from .style import INK, RIGHT, WRONG, as_written, use_style


def gallery_of_captions(
    queries: CaptionedImages,
    images: Int[np.ndarray, " queries"],
    gallery: CaptionedImages,
    found: Int[np.ndarray, "queries found"],
    title: str,
) -> Figure:
    """Draw image-to-text search: each query image with the captions found for it; its own captions are marked.

    Args:
        queries: split of the query images.
        images: positions of the query images in ``queries``.
        gallery: split whose captions were searched.
        found: positions of the captions in ``gallery``, shape (queries, found), best first.
        title: heading of the figure.
    """
    use_style()
    figure, axes = plt.subplots(
        len(images), 2, figsize=(9, 1.75 * len(images) + 0.4), width_ratios=(1, 4.2), squeeze=False
    )
    for (picture, text), image, captions in zip(axes, images, found, strict=True):
        show_picture(picture, queries, int(image))
        text.axis("off")
        for place, caption in enumerate(captions):
            right = gallery.image_ids[gallery.image_of_caption[caption]] == queries.image_ids[image]
            line = textwrap.shorten(gallery.raw[caption], 92, placeholder=" …")
            box = {"boxstyle": "round,pad=0.25", "facecolor": "#e5f5ec", "edgecolor": RIGHT} if right else None
            text.text(
                0.0, 0.93 - place / len(captions), as_written(f"{place + 1}  {line}"), bbox=box,
                color=INK if right else "#4c5a66", va="top", fontsize=9.5, transform=text.transAxes,
            )  # fmt: skip
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10.5)
    return figure


def gallery_of_images(
    queries: CaptionedImages,
    captions: Int[np.ndarray, " queries"],
    gallery: CaptionedImages,
    found: Int[np.ndarray, "queries found"],
    title: str,
) -> Figure:
    """Draw text-to-image search: each query caption above the images found for it; its own image is framed.

    Args:
        queries: split of the query captions.
        captions: positions of the query captions in ``queries``.
        gallery: split whose images were searched.
        found: positions of the images in ``gallery``, shape (queries, found), best first.
        title: heading of the figure.
    """
    use_style()
    rows, columns = found.shape
    figure, axes = plt.subplots(rows, columns, figsize=(1.85 * columns, 2.2 * rows + 0.3), squeeze=False)
    for row, caption, images in zip(axes, captions, found, strict=True):
        own = queries.image_ids[queries.image_of_caption[caption]]
        for axis, image in zip(row, images, strict=True):
            show_picture(axis, gallery, int(image), RIGHT if gallery.image_ids[image] == own else WRONG)
        heading = f"“{textwrap.shorten(queries.raw[caption], 100, placeholder=' …')}”"
        # Wider than the picture below it: as a title it would make the layout widen the first column.
        row[0].text(0, 1.06, as_written(heading), transform=row[0].transAxes, fontsize=10.5, in_layout=False)
    figure.get_layout_engine().set(h_pad=0.16)
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10.5)
    return figure


def gallery_of_neighbours(
    dataset: CaptionedImages,
    queries: Int[np.ndarray, " queries"],
    found: Sequence[tuple[str, Int[np.ndarray, "queries found"]]],
    relevant: Bool[np.ndarray, "images images"],
) -> Figure:
    """Draw image-to-image search: each query image, then a row for each model with what it found; relevant ones framed.

    Args:
        dataset: split that was asked and searched.
        queries: positions of the query images.
        found: each model's name and the positions of what it found, best first.
        relevant: which images are relevant to which; row = query.
    """
    use_style()
    rows, columns = len(queries) * len(found), found[0][1].shape[1]
    figure, axes = plt.subplots(rows, columns + 1, figsize=(1.35 * (columns + 1) + 0.4, 1.42 * rows), squeeze=False)
    for place, row in enumerate(axes):
        (query, (name, own)) = (queries[place // len(found)], found[place % len(found)])
        if place % len(found) == 0:
            show_picture(row[0], dataset, int(query))
        else:
            row[0].axis("off")
        for axis, image in zip(row[1:], own[place // len(found)], strict=True):
            show_picture(axis, dataset, int(image), RIGHT if relevant[query, image] else WRONG)
        row[1].set_ylabel(name, fontsize=9)
    axes[0][0].set_title("query", fontsize=10)
    axes[0][1].set_title("found, relevant ones framed", fontsize=10, loc="left")
    return figure
