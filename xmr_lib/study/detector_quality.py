"""How good a detector must be for its regions to be worth having: the true boxes, made worse step by step.

Every box is moved and resized at random, and described by the same frozen backbone as the regions of notebook 03: what
is changed is where the regions are, and nothing else. No thing is missed and none is invented, so a detector of the
same mAP is worse in other ways: the curve says what is lost to places alone.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float
from tqdm import tqdm

from .. import plotdata
from ..config import RunConfig
from ..data.boxes import Boxes, read_boxes
from ..encoders.frcnn import REGIONS, RegionEncoder
from ..experiment.bank import LITE
from ..experiment.sweep import sweep
from ..experiment.workspace import Workspace
from ..features.extract import pixels_of
from ..features.spec import FeatureSpec
from ..features.view import together
from ..items import Items
from ..model import as_items
from ..ragged import Ragged
from .models import get_configs
from .results_at_hand import at_hand

SWEEP = "detector_quality"
NOISES = {"smoke": (0.0, 0.5), "demo": (), "full": (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)}
"""By profile: standard deviation of what a box is moved by, in its own widths and heights, and of its log size."""
MODEL, WHOLE = "c-roi-attention", "r-fasttext"
COLUMNS = list(plotdata.COLUMNS[SWEEP])
DETECTED, WHOLE_IMAGE = "the detector", "the whole image"
BATCH = 32
LEAST = 1 / 56
"""Share of the image's side that a box has at least: four pixels."""


def noisy_configs(workspace: Workspace) -> dict[float, RunConfig]:
    """Return the configs of the study by noise; none where no boxes lie beside the captions."""
    if workspace.detector_slug != LITE.slug:
        return {}
    [config] = get_configs(workspace, MODEL)
    return {noise: config.replace(name=f"{MODEL}-noise{noise:g}") for noise in NOISES[workspace.profile.name]}


def quality_points(workspace: Workspace, seeds: Sequence[int]) -> pd.DataFrame:
    """Train ``MODEL`` on boxes of each quality and return what validation says; what is recorded is read.

    Columns: ``regions`` (``noise 0.1`` …, ``the detector``, ``the whole image``), ``map50`` (%, on validation,
    NaN where nothing is detected), ``seed``, ``val_rsum``. No rows where no boxes lie beside the captions, and none
    with noise in the demo's profile.
    """
    rows: list[tuple[str, float, int, float]] = []
    if workspace.detector_slug != LITE.slug or workspace.missing(get_configs(workspace, MODEL)[0]):
        return pd.DataFrame(rows, columns=COLUMNS)
    configs = noisy_configs(workspace)
    detected, whole = get_configs(workspace, MODEL, WHOLE)
    dataset = workspace.usable(detected)
    boxes = read_boxes(workspace.beside("boxes.json"), dataset) if configs else None
    for noise, config in configs.items():
        noisy = [_noisy(own, noise, int(i)) for i, own in zip(dataset.image_ids, boxes.boxes, strict=True)]
        map50 = 100 * _map50(noisy, boxes, dataset.splits["val"])
        # Described when a training first asks: where all is recorded, nothing is.
        other = workspace.with_images(partial(_described, workspace, config, noisy, boxes))
        points = sweep(other, SWEEP, [(config, seed) for seed in seeds])
        rows += [(f"noise {noise:g}", map50, point.seed, point.val_rsum) for point in points]
    found = 100 * workspace.bank.detector().validation[-1]
    rows += [(DETECTED, found, own.seed, own.val_rsum) for own in at_hand(workspace, detected, seeds)]
    rows += [(WHOLE_IMAGE, np.nan, own.seed, own.val_rsum) for own in at_hand(workspace, whole, seeds)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _noisy(boxes: Float[np.ndarray, "boxes 4"], noise: float, image: int) -> Float[np.ndarray, "boxes 4"]:
    """Return boxes moved and resized at random, within the image; the same for each call."""
    rng = np.random.default_rng([0, image])
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    centre = centre + noise * rng.normal(size=centre.shape) * size
    size = size * np.exp(noise * rng.normal(size=size.shape))
    # A box that has left the image is put at its edge: it is still somewhere.
    low, high = (np.clip(centre + side * size / 2, 0, 1) for side in (-1, 1))
    low = np.minimum(low, 1 - LEAST)
    return np.concatenate([low, np.maximum(high, low + LEAST)], axis=1).astype(np.float32)


def _map50(noisy: Sequence[np.ndarray], boxes: Boxes, images: np.ndarray) -> float:
    """Return mAP at IoU 0.5 of noisy boxes with the right labels, all equally sure, 0 … 1; as for detectors."""
    from torchmetrics.detection import MeanAveragePrecision

    metric = MeanAveragePrecision(iou_thresholds=[0.5])
    metric.warn_on_many_detections = False
    for image in images:
        labels = torch.from_numpy(boxes.labels[image])
        found = {"boxes": torch.from_numpy(noisy[image]), "scores": torch.ones(len(labels)), "labels": labels}
        metric.update([found], [{"boxes": torch.from_numpy(boxes.boxes[image]), "labels": labels}])
    return float(metric.compute()["map_50"])


def _described(workspace: Workspace, config: RunConfig, noisy: Sequence[np.ndarray], boxes: Boxes, split: str) -> Items:
    """Return the regions of a split's images at noisy boxes, as ``config`` is fed them."""
    encoder, dataset = workspace.bank.encoder(FeatureSpec.parse(config.image_features)), workspace.usable(config)
    assert isinstance(encoder, RegionEncoder)
    images, parts = dataset.splits[split], []
    blocks = [block.tolist() for block in np.array_split(images, -(-len(images) // BATCH))]
    for some in tqdm(blocks, f"{config.name}, {split}", unit="batch", leave=False):
        pixels = together([pixels_of(dataset.path(image), encoder.view) for image in some])
        given = [(noisy[i][:REGIONS], boxes.labels[i][:REGIONS], np.ones(len(noisy[i][:REGIONS]))) for i in some]
        parts.append(encoder.inputs(encoder.describe(pixels, given)))
    lengths = np.concatenate([part.lengths for part in parts])
    return as_items(Ragged.from_lengths(np.concatenate([part.values for part in parts]), lengths))
