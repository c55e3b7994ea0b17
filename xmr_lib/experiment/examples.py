"""Galleries of a run: a few queries, drawn at random once, so that nobody picks the nice ones."""

import numpy as np
from matplotlib.figure import Figure

from ..config import Config
from ..figures import gallery_of_captions, gallery_of_images
from ..records import Result
from ..search import nearest
from .lab import Lab
from .run import embed, ranks_of


def image_queries(lab: Lab, result: Result, count: int = 4, gallery: str = "test", seed: int = 0) -> Figure:
    """Draw the five captions nearest to a few test images, searched in the captions of the split ``gallery``."""
    config = Config.from_dict(result.config)
    queries, searched = (lab.usable(config.image_features).split(split) for split in ("test", gallery))
    images = _some(len(queries), count, seed)
    found, _ = nearest(embed(lab, result, "test")[0][images], embed(lab, result, gallery)[1], 5, config.measure)
    title = f"{config.model}: captions found for an image"
    if gallery == "test":
        title += f" (own captions framed; ranks of the first: {_listed(ranks_of(lab, result).i2t[images])})"
    return gallery_of_captions(queries, images, searched, found, title)


def caption_queries(lab: Lab, result: Result, count: int = 4, gallery: str = "test", seed: int = 0) -> Figure:
    """Draw the five images nearest to a few test captions, searched in the images of the split ``gallery``."""
    config = Config.from_dict(result.config)
    queries, searched = (lab.usable(config.image_features).split(split) for split in ("test", gallery))
    captions = _some(queries.caption_count, count, seed)
    found, _ = nearest(embed(lab, result, "test")[1][captions], embed(lab, result, gallery)[0], 5, config.measure)
    title = f"{config.model}: images found for a caption"
    if gallery == "test":
        title += f" (its own framed; its ranks: {_listed(ranks_of(lab, result).t2i[captions])})"
    else:
        title += f" in the {gallery} split: none is its own"
    return gallery_of_images(queries, captions, searched, found, title)


def _some(items: int, count: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).choice(items, min(count, items), replace=False))


def _listed(ranks: np.ndarray) -> str:
    return ", ".join(map(str, ranks))
