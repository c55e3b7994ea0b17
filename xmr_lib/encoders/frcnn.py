"""Regions of images by Faster R-CNN: the light one trained here, and torchvision's from COCO."""

import copy
import shutil
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import XmrError
from ..features.spec import ENCODERS, FeatureSpec
from ..features.store import FeatureStore
from ..features.view import Pixels, Whole
from ..networks.efficientnet_lite import LITE0, efficientnet_lite_weights
from ..networks.faster_rcnn import (
    COCO_DETECTORS,
    OVERLAP,
    SCORE,
    Regions,
    coco_detector,
    coco_names,
    coco_weights,
    find_regions,
    last_layer,
)
from ..networks.frcnn_lite import SIDE, Detector, load_frcnn_lite
from ..pretrained import Pretrained
from ..provenance import Provenance
from ..ragged import Ragged
from ..weights import Weights
from .base import ImageEncoder, Site, copy_of

LITE = "frcnn-lite0"
DETECTORS = (LITE, *COCO_DETECTORS)
REGIONS = 36
"""Regions per image at most, beside the whole image."""
COCO_VIEW = Whole(640, 1067)
"""torchvision's detectors were trained at 800 and 1333 pixels, which takes half as long again."""
COCO_SCORE = 0.001
"""Of a region, at least: so low, nearly every photograph has ``REGIONS`` of them."""
DETECTOR = "detector.safetensors"
Given = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Boxes as shares of the image, shape (regions, 4), labels and scores, without the whole image."""


@dataclass(frozen=True)
class Columns:
    """The columns of a stored region by name: box head ‖ backbone ‖ left, top, right, bottom ‖ label ‖ score."""

    head_width: int
    backbone_width: int

    @property
    def head(self) -> slice:
        return slice(0, self.head_width)

    @property
    def backbone(self) -> slice:
        return slice(self.head_width, self.head_width + self.backbone_width)

    @property
    def box(self) -> slice:
        return slice(self.backbone.stop, self.backbone.stop + 4)

    @property
    def label(self) -> int:
        return self.box.stop

    @property
    def score(self) -> int:
        return self.label + 1

    @property
    def width(self) -> int:
        return self.score + 1


class RegionEncoder(ImageEncoder):
    """A frozen detector; outputs: the box head's vector before its last layer; ``roi``: the backbone over the box."""

    outputs = ("", "roi")
    ragged, dtype = True, "float16"
    batch = (8, 16)
    least_score: float = SCORE
    """Of a region that is kept."""
    columns: Columns
    names: dict[int, str]
    """Of the labels, from 1 on."""

    @classmethod
    def yields(cls, spec: FeatureSpec) -> str:
        return "rows"

    @property
    def row_shape(self) -> tuple[int]:
        return (self.columns.width,)

    @property
    def settings(self) -> dict:
        widths = [self.columns.head_width, self.columns.backbone_width]
        rules = {"dtype": self.dtype, "regions": REGIONS, "score": self.least_score, "overlap": OVERLAP}
        return {**self.view.settings, "columns": widths, **rules}

    @abstractmethod
    def network(self) -> Detector:
        """Return the frozen detector."""

    def features(self, pixels: Pixels) -> Ragged:
        return self._rows(self._found(pixels))

    def describe(self, pixels: Pixels, boxes: Sequence[Given]) -> Ragged:
        """Return what ``features`` would, had the detector found these boxes."""
        given = [
            (
                torch.tensor(np.asarray(box, dtype=np.float32).reshape(-1, 4)),
                torch.tensor(np.asarray(labels, dtype=np.int64)),
                torch.tensor(np.asarray(scores, dtype=np.float32)),
            )
            for box, labels, scores in boxes
        ]
        return self._rows(self._found(pixels, self.runtime.send(given)))

    def inputs(self, stored: Ragged) -> Ragged:
        columns = self.columns
        vectors = stored.values[:, columns.backbone if self.spec.output == "roi" else columns.head]
        beside = stored.values[:, [*range(columns.box.start, columns.box.stop), columns.score]]
        return Ragged(np.concatenate([vectors, beside], axis=1), stored.offsets)

    def boxes_of(self, store: FeatureStore, image_id: int) -> Given:
        """Return the boxes that a store has of one image, the whole image first."""
        values = store.take(np.array([image_id])).values.astype(np.float32)
        columns = self.columns
        return values[:, columns.box], values[:, columns.label].astype(np.int64), values[:, columns.score]

    def tail(self) -> nn.Module | None:
        if self.spec.output == "roi":
            return None
        # None where a box head's vector is taken whole.
        layer = copy.deepcopy(last_layer(self.network()))
        return None if layer is None else layer.requires_grad_(True)

    def store_folder(self, site: Site) -> Path:
        return site.cache / "features" / self.spec.encoder

    def _rows(self, found: Sequence[Regions]) -> Ragged:
        rows = [
            torch.cat([one.head, one.backbone, one.boxes, one.labels[:, None], one.scores[:, None]], dim=1)
            for one in found
        ]
        lengths = np.array([len(one) for one in rows], dtype=np.int64)
        return Ragged.from_lengths(torch.cat(rows).cpu().numpy().astype(self.dtype), lengths)

    def _found(self, pixels: Pixels, given: Sequence[tuple[Tensor, Tensor, Tensor]] | None = None) -> list[Regions]:
        """Find or describe regions; pictures of one size together, so that none is padded for a neighbour's sake."""
        found: dict[int, Regions] = {}
        sizes: dict[tuple[int, ...], list[int]] = {}
        for place, own in enumerate(pixels):
            sizes.setdefault(own.shape, []).append(place)
        for places in sizes.values():
            same = np.stack([pixels[place] for place in places])
            shares = self.runtime.send(torch.from_numpy(same)).permute(0, 3, 1, 2).float() / 255
            boxes = None if given is None else [given[place] for place in places]
            regions = find_regions(self.network(), shares, REGIONS, boxes, self.least_score)
            found.update(zip(places, regions, strict=True))
        return [found[place] for place in range(len(pixels))]


@ENCODERS.register(LITE)
class FrcnnLiteEncoder(RegionEncoder):
    """The light detector that was trained on boxes beside the captions; 224 pixels."""

    provenance = Provenance(
        ("ImageNet-1k", "boxes beside the captions of the training split"),
        "Apache 2.0 (trunk)",
        "https://github.com/tensorflow/tpu",
    )
    side = SIDE

    def __init__(self, spec: FeatureSpec, file: str | Path | None = None, trunk: str | Path | None = None):
        super().__init__(spec)
        if file is None:
            raise XmrError(f"{LITE}: the file of the trained detector must be given; 'xmr detector train' makes it")
        self.file, self.trunk = Path(file), efficientnet_lite_weights(LITE0, trunk)
        self._detector, self.names, self.weights = load_frcnn_lite(self.file, self.trunk)
        self.columns = Columns(last_layer(self._detector).in_features, 1280)

    @classmethod
    def open(cls, spec: FeatureSpec, site: Site) -> "FrcnnLiteEncoder":
        return cls(spec, site.cache / "detectors" / f"{LITE}-{site.profile}.safetensors")

    @classmethod
    def restore(cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None) -> "FrcnnLiteEncoder":
        return cls(spec, Path(folder) / DETECTOR, copy_of(networks, "effnet-lite0"))

    def save(self, folder: str | Path) -> None:
        folder = Path(folder)
        shutil.copyfile(self.file, folder / DETECTOR)

    def networks(self) -> tuple[Weights, ...]:
        # The detector itself was trained here and is always in the folder; its trunk was not.
        return (self.trunk,)

    def network(self) -> Detector:
        return self.runtime.place(self._detector)

    def store_folder(self, site: Site) -> Path:
        return site.cache / "features" / f"{LITE}-{site.profile}"


@ENCODERS.register(*COCO_DETECTORS)
class CocoRegionEncoder(RegionEncoder):
    """torchvision's detectors, COCO weights; photographs in their own shape, the shorter side of 640 pixels."""

    provenance = Provenance(("COCO", "ImageNet-1k"), "BSD 3-Clause", "https://pytorch.org/vision")
    view = COCO_VIEW
    least_score = COCO_SCORE

    def __init__(self, spec: FeatureSpec, file: str | Path | None = None):
        super().__init__(spec)
        self.weights = coco_weights(spec.encoder, str(file) if file else None)
        self.columns = Columns(1024, 960 if spec.encoder == "frcnn-mobilenet" else 2048)
        self.names = coco_names(spec.encoder)
        self._detector: Detector | None = None

    @classmethod
    def restore(cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None) -> "CocoRegionEncoder":
        return cls(spec, copy_of(networks, spec.encoder))

    @classmethod
    def pretrained_of(cls, spec: FeatureSpec) -> tuple[Pretrained, ...]:
        return (COCO_DETECTORS[spec.encoder],)

    def network(self) -> Detector:
        if self._detector is None:
            sizes = self.view.shorter, self.view.longest
            loaded = coco_detector(self.spec.encoder, *sizes, self.least_score, str(self.weights.path))
            self._detector = self.runtime.place(loaded)
        return self._detector
