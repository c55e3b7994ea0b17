"""Training of the light Faster R-CNN on cached maps of its frozen trunk."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..data.boxes import Boxes
from ..features.store import FeatureStore
from ..networks.frcnn_lite import SIDE, Detector, frcnn_lite, trained_state
from ..runtime import CPU, Runtime
from ..tensor_file import write_tensors
from .checkpoint import Checkpoint
from .loop import History, Problem, fit, ignore
from .schedule import Schedule

Target = dict[str, Tensor]


class DetectorProblem(Problem):
    """Items are images; the value is mAP at IoU 0.5 on the held-out images, 0 … 1, by which nothing is chosen."""

    measure = "mAP50"
    chooses = False
    largest_gradient = 10.0

    def __init__(
        self,
        name: str,
        detector: Detector,
        maps: FeatureStore,
        image_ids: Int[np.ndarray, " images"],
        boxes: Boxes,
        train: Int[np.ndarray, " some"],
        held_out: Int[np.ndarray, " others"],
        runtime: Runtime = CPU,
    ):
        self.name, self.detector, self.runtime = name, detector, runtime
        self.modules = nn.ModuleDict({"model": detector})
        self.maps, self.image_ids, self.boxes = maps, image_ids, boxes
        self.train, self.held_out = train, held_out
        self.items = len(train)

    def parameter_groups(self, weight_decay: float) -> list[dict]:
        parameters = [x for x in self.detector.parameters() if x.requires_grad]
        return [{"params": parameters, "weight_decay": weight_decay, "lr_multiplier": 1.0}]

    def start_epoch(self) -> None:
        self.detector.train()
        # Its maps are cached: the statistics of its normalisation must stay what they were.
        self.detector.backbone.trunk.eval()

    def fetch(self, batch: Int[Tensor, " batch"]) -> tuple[Tensor, list[Target]]:
        positions = self.train[batch.numpy()]
        return _maps(self.maps, self.image_ids[positions]), _targets(self.boxes, positions)

    def batch_loss(self, maps: Float[Tensor, "batch 112 14 14"], targets: list[Target]) -> Float[Tensor, ""]:
        # In single precision: torchvision's boxes are not made for less.
        return _losses(self.detector, maps, targets)

    def validate(self) -> float:
        found = mean_average_precision(self.detector, self.maps, self.image_ids, self.boxes, self.held_out)
        return found["map_50"]


def train_detector(
    maps: FeatureStore,
    image_ids: Int[np.ndarray, " images"],
    boxes: Boxes,
    train: Int[np.ndarray, " some"],
    held_out: Int[np.ndarray, " others"],
    path: str | Path,
    schedule: Schedule,
    identity: dict,
    seed: int = 0,
    after_epoch: Callable[[int], None] = ignore,
    runtime: Runtime = CPU,
) -> History:
    """Train a detector and write it to ``path`` (safetensors, the names of the labels and the history with it).

    The last epoch is kept: nothing is chosen on the held-out images. The history's ``validation`` is their mAP at IoU
    0.5, 0 … 1.

    Args:
        maps: maps of the trunk, looked up by ``image_ids``.
        boxes: of all images of the dataset.
        train: positions of the images to learn from; each has a box.
        held_out: positions of the images on which mAP is measured; another split than ``train``.
        identity: what the checkpoint must have been made by.
        after_epoch: see ``fit``.
        runtime: where it is trained.

    Raises:
        XmrError: the loss is not finite, or the checkpoint belongs to another run.
    """
    path = Path(path)
    torch.manual_seed(seed)
    detector = frcnn_lite(max(boxes.names) + 1)
    checkpoint = Checkpoint(path.with_suffix(".checkpoint"), identity)
    problem = DetectorProblem(f"detector {path.stem}", detector, maps, image_ids, boxes, train, held_out, runtime)
    history = fit(problem, schedule, seed, checkpoint, after_epoch)
    facts = {
        "names": json.dumps(boxes.names),
        "history": json.dumps(recorded(history)),
        "identity": json.dumps(identity),
    }
    write_tensors(path, trained_state(detector), facts)
    checkpoint.path.unlink(missing_ok=True)
    return history


def recorded(history: History) -> dict[str, list[float]]:
    """Return what is kept of a detector's history, under the names it is kept by."""
    return {"loss": history.loss, "map50": history.validation}


def read_history(facts: dict[str, str]) -> History:
    """Return what is kept of the history in the metadata of a detector's file."""
    kept = json.loads(facts["history"])
    return History(loss=kept["loss"], validation=kept["map50"], best_epoch=len(kept["loss"]) - 1)


def mean_average_precision(
    detector: Detector,
    maps: FeatureStore,
    image_ids: np.ndarray,
    boxes: Boxes,
    images: Int[np.ndarray, " some"],
    block: int = 32,
) -> dict[str, float]:
    """Return ``map_50`` (mean over labels that the images have) and the AP of each such label, at IoU 0.5, 0 … 1.

    pycocotools computes them, as for COCO (Lin et al. 2014), by way of torchmetrics.
    """
    from torchmetrics.detection import MeanAveragePrecision

    metric = MeanAveragePrecision(iou_thresholds=[0.5], class_metrics=True)
    # COCO counts the 100 surest boxes of an image; torchmetrics would warn of every image that has more.
    metric.warn_on_many_detections = False
    for positions in np.split(images, np.arange(block, len(images), block)):
        metric.update(detect(detector, _maps(maps, image_ids[positions])), _targets(boxes, positions))
    found = metric.compute()
    labels, values = np.atleast_1d(found["classes"].numpy()), np.atleast_1d(found["map_per_class"].numpy())
    return {"map_50": float(found["map_50"])} | {
        boxes.names[int(label)]: float(value) for label, value in zip(labels, values, strict=True) if value >= 0
    }


@torch.inference_mode()
def detect(detector: Detector, maps: Float[Tensor, "images 112 14 14"]) -> list[Target]:
    """Return what a detector finds, from the trunk's maps: boxes in pixels of the 224×224 image, labels, scores.

    They lie on the host.
    """
    detector.eval()
    images, features = _inputs(detector, maps.to(next(detector.parameters()).device))
    proposals, _ = detector.rpn(images, features)
    found, _ = detector.roi_heads(features, proposals, images.image_sizes)
    return [{name: values.cpu() for name, values in one.items()} for one in found]


def _losses(detector: Detector, maps: Tensor, targets: list[Target]) -> Tensor:
    images, features = _inputs(detector, maps)
    proposals, of_proposals = detector.rpn(images, features, targets)
    _, of_boxes = detector.roi_heads(features, proposals, images.image_sizes, targets)
    return sum([*of_proposals.values(), *of_boxes.values()])


def _inputs(detector: Detector, maps: Tensor) -> tuple[Any, dict[str, Tensor]]:
    from torchvision.models.detection.image_list import ImageList

    # The proposal network asks the images for nothing but their size.
    blank = maps.new_zeros(1).expand(len(maps), 3, SIDE, SIDE)
    return ImageList(blank, [(SIDE, SIDE)] * len(maps)), {"0": detector.backbone.neck(maps)}


def _maps(store: FeatureStore, ids: np.ndarray) -> Tensor:
    return torch.from_numpy(store.take(ids).astype(np.float32))


def _targets(boxes: Boxes, positions: Int[np.ndarray, " some"]) -> list[Target]:
    return [
        {"boxes": torch.from_numpy(boxes.boxes[i] * SIDE), "labels": torch.from_numpy(boxes.labels[i])}
        for i in positions
    ]
