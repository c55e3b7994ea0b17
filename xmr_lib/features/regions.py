"""Regions of images by Faster R-CNN, one ragged store a detector."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import UInt8
from torch import nn
from torchvision.models.detection import FasterRCNN

from ..errors import XmrError
from ..networks.faster_rcnn import (
    COCO_DETECTORS,
    OVERLAP,
    SCORE,
    coco_detector,
    coco_weights,
    find_regions,
    last_layer,
)
from ..networks.frcnn_lite import SIDE, load_frcnn_lite
from ..ragged import Ragged, offsets_of
from ..weights import Weights
from .store import FeatureStore

LITE = "frcnn-lite0"
REGIONS = 36
COCO_SIDE = 640
"""Pixels: torchvision's detectors were trained at 800, which takes half as long again."""
BACKBONE = "-roi"
"""Ending of the slug of regions that are described by the backbone instead of the box head."""


@dataclass(frozen=True)
class RegionExtractor:
    """A frozen detector; a row is box head ‖ backbone ‖ left, top, right, bottom ‖ label ‖ score, in half precision."""

    slug: str
    settings: dict
    """With ``columns``: how many of a row's numbers are of the box head and of the backbone."""
    weights: Weights
    network: Callable[[], nn.Module]

    ragged: ClassVar[bool] = True

    @property
    def row_shape(self) -> tuple[int]:
        return (sum(self.settings["columns"]) + 6,)

    @property
    def side(self) -> int:
        return self.settings["side"]

    def features(self, network: FasterRCNN, pixels: UInt8[np.ndarray, "images side side 3"]) -> Ragged:
        """Return the regions of a batch of images."""
        images = torch.tensor(pixels).permute(0, 3, 1, 2).float() / 255
        found = find_regions(network, images, REGIONS)
        rows = [
            torch.cat([one.head, one.backbone, one.boxes, one.labels[:, None], one.scores[:, None]], dim=1)
            for one in found
        ]
        lengths = np.array([len(one) for one in rows], dtype=np.int64)
        return Ragged(torch.cat(rows).numpy().astype(self.settings["dtype"]), offsets_of(lengths))


@dataclass(frozen=True)
class RegionRows:
    """The columns of a region store, apart."""

    store: FeatureStore

    def take(self, ids: np.ndarray, slug: str) -> Ragged:
        """Return the vectors (of the box head before its last layer, or of the backbone) with ``boxes ‖ score``."""
        rows = self.store.take(ids)
        head, backbone = self.store.meta["columns"]
        vectors = rows.values[:, head : head + backbone] if slug.endswith(BACKBONE) else rows.values[:, :head]
        geometry = rows.values[:, [*range(-6, -2), -1]]
        return Ragged(np.concatenate([vectors, geometry], axis=1), rows.offsets)

    def boxes(self, image_id: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return one image's boxes (regions, 4) as shares of the image, labels and scores; the whole image first."""
        values = self.store.take(np.array([image_id])).values.astype(np.float32)
        return values[:, -6:-2], values[:, -2].astype(np.int64), values[:, -1]


def is_regions(slug: str) -> bool:
    """Tell whether a slug of image features means regions of Faster R-CNN."""
    return slug.removesuffix(BACKBONE) in (LITE, *COCO_DETECTORS)


def region_extractor(slug: str, lite_file: Path | None = None, weights_file: str | None = None) -> RegionExtractor:
    """Return an extractor by the slug of a detector.

    - ``frcnn-lite0``: the light detector that this project trains (``lite_file``); 224 pixels.
    - ``frcnn-resnet50``, ``frcnn-resnet50-v2``, ``frcnn-mobilenet``: torchvision's, COCO weights; 640 pixels.

    Raises:
        XmrError: an unknown slug, or its weights can't be had.
    """
    common = {"dtype": "float16", "regions": REGIONS, "score": SCORE, "overlap": OVERLAP}
    if slug == LITE:
        if lite_file is None:
            raise XmrError(f"{LITE}: the file of the trained detector must be named")
        detector, _, weights = load_frcnn_lite(lite_file)
        columns = [last_layer(detector).in_features, 1280]
        return RegionExtractor(slug, {"side": SIDE, "columns": columns, **common}, weights, lambda: detector)
    if slug not in COCO_DETECTORS:
        raise XmrError(f"detector {slug!r} is unknown; there are {', '.join((LITE, *COCO_DETECTORS))}")
    columns = [1024, 960 if slug == "frcnn-mobilenet" else 2048]
    settings = {"side": COCO_SIDE, "columns": columns, **common}
    return RegionExtractor(
        slug, settings, coco_weights(slug, weights_file), lambda: coco_detector(slug, COCO_SIDE, weights_file)
    )
