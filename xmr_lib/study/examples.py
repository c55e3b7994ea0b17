"""Galleries of a run: a few queries, drawn at random once, so that nobody picks the nice ones."""

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

from ..config import RunConfig
from ..encoders.frcnn import RegionEncoder
from ..errors import XmrError
from ..experiment.run import embed, model_of, ranks_of
from ..experiment.workspace import Workspace
from ..figures import gallery_of_captions, gallery_of_images, regions_figure, roi_align_figure
from ..figures.pictures import SIDE, picture_of
from ..model.explain import attention
from ..modules import RegionEntry, RowPart
from ..networks.faster_rcnn import BINS, POINTS, STRIDE
from ..records import Result
from ..search import nearest
from .names import NAMES


def image_queries(workspace: Workspace, result: Result, count: int = 4, gallery: str = "test", seed: int = 0) -> Figure:
    """Draw the five captions nearest to a few test images, searched in the captions of the split ``gallery``."""
    config = result.config
    queries, searched = (workspace.usable(config).split(split) for split in ("test", gallery))
    images = _some(len(queries), count, seed)
    found, _ = nearest(
        embed(workspace, result, "test")[0][images], embed(workspace, result, gallery)[1], 5, config.distance
    )
    title = f"{NAMES.get(config.name, config.name)}: captions found for an image"
    if gallery == "test":
        title += f" (own captions framed; ranks of the first: {_listed(ranks_of(workspace, result).i2t[images])})"
    return gallery_of_captions(queries, images, searched, found, title)


def caption_queries(
    workspace: Workspace, result: Result, count: int = 4, gallery: str = "test", seed: int = 0
) -> Figure:
    """Draw the five images nearest to a few test captions, searched in the images of the split ``gallery``."""
    config = result.config
    queries, searched = (workspace.usable(config).split(split) for split in ("test", gallery))
    captions = _some(queries.caption_count, count, seed)
    found, _ = nearest(
        embed(workspace, result, "test")[1][captions], embed(workspace, result, gallery)[0], 5, config.distance
    )
    title = f"{NAMES.get(config.name, config.name)}: images found for a caption"
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
        XmrError: the run's image aggregation is not attention over regions, or no detector of ours found these.
    """
    config = result.config
    model = model_of(workspace, result)
    [part, *_] = model.network.image.parts
    regions = isinstance(part, RowPart) and isinstance(part.entry, RegionEntry)
    if not regions or config.image_pooling != "attention":
        raise XmrError(f"{config.name}: attention over regions is to be drawn, not {config.image_pooling!r}")
    images = _some(len(workspace.usable(config).split("test")), count, seed)
    rows = workspace.pairs(config, "test", result.seed).images[torch.from_numpy(images)]
    looks = attention(part, rows, model.runtime)
    encoder = _detector_of(workspace, config)
    store = workspace.bank.image_store(config.image_specs[0])
    part = workspace.usable(config).split("test")
    found = [encoder.boxes_of(store, int(part.image_ids[image])) for image in images]
    title = f"{NAMES.get(config.name, config.name)}: regions of Faster R-CNN, and where the attention looks"
    return regions_figure(part, images, found, looks, encoder.names, title, width)


def roi_example(workspace: Workspace, config: RunConfig, seed: int = 0) -> Figure:
    """Draw how the vector of a region is read off the last map: the surest region of a test image, drawn at random.

    Raises:
        XmrError: no detector of ours found the regions that the model takes.
    """
    encoder = _detector_of(workspace, config)
    part, store = workspace.usable(config).split("test"), workspace.bank.image_store(encoder.spec)
    order = np.random.default_rng(seed).permutation(len(part)).tolist()
    found = {image: encoder.boxes_of(store, int(part.image_ids[image])) for image in order}
    # The whole image comes first; a weak detector may find nothing else anywhere.
    image = next((image for image in order if len(found[image][0]) > 1), order[0])
    boxes, labels, _ = found[image]
    place = min(1, len(boxes) - 1)
    # Without a file that can be read the box is there all the same.
    pixels = encoder.view(picture_of(part, image) or Image.new("RGB", (SIDE, SIDE), "white"))
    rows, columns = (-(-side // STRIDE) for side in pixels.shape[:2])
    name = encoder.names.get(int(labels[place]), "the whole image")
    return roi_align_figure(pixels, boxes[place], (rows, columns), BINS, POINTS, name)


def _detector_of(workspace: Workspace, config: RunConfig) -> RegionEncoder:
    encoder = workspace.bank.encoder(config.image_specs[0])
    if not isinstance(encoder, RegionEncoder):
        raise XmrError(f"{config.name}: {config.image_specs[0].slug!r} has no names of its regions to draw")
    return encoder


def _some(items: int, count: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).choice(items, min(count, items), replace=False))


def _listed(ranks: np.ndarray) -> str:
    return ", ".join(map(str, ranks))
