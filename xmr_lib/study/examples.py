"""Galleries of a run: a few queries, drawn at random once, so that nobody picks the nice ones."""

import numpy as np
import torch
from matplotlib.figure import Figure

from ..config import Config
from ..errors import XmrError
from ..experiment.run import embed, fitted, ranks_of
from ..experiment.workspace import Workspace
from ..features.regions import BACKBONE, LITE, RegionRows
from ..figures import gallery_of_captions, gallery_of_images, regions_figure
from ..modules import RegionEntry, RowPart
from ..networks.faster_rcnn import coco_names
from ..networks.frcnn_lite import load_frcnn_lite
from ..records import Result
from ..search import nearest


def image_queries(workspace: Workspace, result: Result, count: int = 4, gallery: str = "test", seed: int = 0) -> Figure:
    """Draw the five captions nearest to a few test images, searched in the captions of the split ``gallery``."""
    config = Config.from_dict(result.config)
    queries, searched = (workspace.usable(config.image_features).split(split) for split in ("test", gallery))
    images = _some(len(queries), count, seed)
    found, _ = nearest(
        embed(workspace, result, "test")[0][images], embed(workspace, result, gallery)[1], 5, config.distance
    )
    title = f"{config.model}: captions found for an image"
    if gallery == "test":
        title += f" (own captions framed; ranks of the first: {_listed(ranks_of(workspace, result).i2t[images])})"
    return gallery_of_captions(queries, images, searched, found, title)


def caption_queries(
    workspace: Workspace, result: Result, count: int = 4, gallery: str = "test", seed: int = 0
) -> Figure:
    """Draw the five images nearest to a few test captions, searched in the images of the split ``gallery``."""
    config = Config.from_dict(result.config)
    queries, searched = (workspace.usable(config.image_features).split(split) for split in ("test", gallery))
    captions = _some(queries.caption_count, count, seed)
    found, _ = nearest(
        embed(workspace, result, "test")[1][captions], embed(workspace, result, gallery)[0], 5, config.distance
    )
    title = f"{config.model}: images found for a caption"
    if gallery == "test":
        title += f" (its own framed; its ranks: {_listed(ranks_of(workspace, result).t2i[captions])})"
    else:
        title += f" in the {gallery} split: none is its own"
    return gallery_of_images(queries, captions, searched, found, title)


def region_queries(
    workspace: Workspace, result: Result, count: int = 4, seed: int = 0, width: float | None = None
) -> Figure:
    """Draw the regions of a few test images, and where the attention of a run looks; for ``width`` see ``use_style``.

    Raises:
        XmrError: the run's image aggregation is not attention over regions.
    """
    config = Config.from_dict(result.config)
    [part, *_] = fitted(workspace, config, result.seed)[0].image.parts
    regions = isinstance(part, RowPart) and isinstance(part.entry, RegionEntry)
    if not regions or config.image_aggregation != "attention":
        raise XmrError(f"{config.model}: attention over regions is to be drawn, not {config.image_aggregation!r}")
    images = _some(len(workspace.usable(config.image_features).split("test")), count, seed)
    with torch.inference_mode():
        rows, geometry = part.eval().entry(
            workspace.pairs(config, "test", result.seed).images[torch.from_numpy(images)]
        )
        weights = part.pooling.weights(rows, geometry)
    detector = config.image_features.removesuffix(BACKBONE)
    names = load_frcnn_lite(workspace.detector_file)[1] if detector == LITE else coco_names(detector)
    part = workspace.usable(config.image_features).split("test")
    found = [RegionRows(workspace.image_store(detector)).boxes(int(part.image_ids[image])) for image in images]
    title = f"{config.model}: regions of Faster R-CNN, and where the attention looks"
    looks = [own.numpy() for own in weights.split(rows.lengths.tolist())]
    return regions_figure([part.path(int(image)) for image in images], found, looks, names, title, width)


def _some(items: int, count: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).choice(items, min(count, items), replace=False))


def _listed(ranks: np.ndarray) -> str:
    return ", ".join(map(str, ranks))
