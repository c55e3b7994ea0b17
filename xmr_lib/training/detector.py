"""Training of the light Faster R-CNN on cached maps of its frozen trunk; resumable after every epoch."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from safetensors.torch import save_file
from torch import Tensor
from torchmetrics.detection import MeanAveragePrecision
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.image_list import ImageList
from tqdm import tqdm

from ..data.boxes import Boxes
from ..features.store import FeatureStore
from ..networks.frcnn_lite import SIDE, frcnn_lite, trained_state
from ..paths import atomic_write
from .checkpoint import load_checkpoint, save_checkpoint
from .loop import schedule

Target = dict[str, Tensor]


@dataclass
class DetectorHistory:
    """What happened, epoch by epoch."""

    loss: list[float] = field(default_factory=list)
    map50: list[float] = field(default_factory=list)
    """mAP at IoU 0.5 on the held-out images, 0 … 1."""


def train_detector(
    maps: FeatureStore,
    image_ids: Int[np.ndarray, " images"],
    boxes: Boxes,
    train: Int[np.ndarray, " some"],
    held_out: Int[np.ndarray, " others"],
    path: Path,
    epochs: int,
    identity: dict,
    seed: int = 0,
    batch: int | None = None,
    learning_rate: float = 1e-3,
) -> DetectorHistory:
    """Train a detector and write it to ``path`` (safetensors, the names of the labels and the history with it).

    AdamW, warm-up and cosine decay. The last epoch is kept: nothing is chosen on the held-out images.

    Args:
        maps: maps of the trunk, looked up by ``image_ids``.
        boxes: of all images of the dataset.
        train: positions of the images to learn from; those without a box are left out.
        held_out: positions of the images on which mAP is measured; another split than ``train``.
        batch: images a step; default: 4 to 16, a hundredth of the training images, so that few still give many steps.
        identity: what the checkpoint must have been made by.
    """
    train = np.array([image for image in train if len(boxes.boxes[image])], dtype=np.int64)
    batch = batch or min(max(len(train) // 100, 4), 16)
    torch.manual_seed(seed)
    detector = frcnn_lite(max(boxes.names) + 1)
    parameters = [x for x in detector.parameters() if x.requires_grad]
    optimiser = torch.optim.AdamW(parameters, learning_rate, weight_decay=1e-2)
    steps = max(len(train) // batch, 1)
    history, checkpoint = DetectorHistory(), path.with_suffix(".checkpoint")
    if (found := load_checkpoint(checkpoint, identity, detector, optimiser)) is not None:
        history = DetectorHistory(**found[0])
    with tqdm(
        total=steps * epochs, initial=steps * len(history.loss), desc=f"detector {path.stem}", unit="step"
    ) as bar:
        for epoch in range(len(history.loss), epochs):
            torch.manual_seed(int(np.random.SeedSequence([seed, epoch + 1]).generate_state(1)[0]))
            detector.train()
            detector.backbone.trunk.eval()
            total = 0.0
            for step, chosen in enumerate(torch.randperm(len(train)).split(batch)[:steps]):
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate * schedule(epoch * steps + step, steps * epochs, 0.1)
                positions = train[chosen.numpy()]
                losses = _losses(detector, _maps(maps, image_ids[positions]), _targets(boxes, positions))
                optimiser.zero_grad(set_to_none=True)
                losses.backward()
                torch.nn.utils.clip_grad_norm_(parameters, 10.0)
                optimiser.step()
                total += losses.item()
                bar.update()
            history.loss.append(total / steps)
            history.map50.append(mean_average_precision(detector, maps, image_ids, boxes, held_out)["map_50"])
            bar.set_postfix(loss=f"{history.loss[-1]:.3f}", mAP50=f"{100 * history.map50[-1]:.1f} %")
            save_checkpoint(checkpoint, identity, detector, optimiser, history.__dict__, {})
    facts = {
        "names": json.dumps(boxes.names),
        "history": json.dumps(history.__dict__),
        "identity": json.dumps(identity),
    }
    with atomic_write(path) as temporary:
        save_file(trained_state(detector), temporary, facts)
    checkpoint.unlink(missing_ok=True)
    return history


def mean_average_precision(
    detector: FasterRCNN,
    maps: FeatureStore,
    image_ids: np.ndarray,
    boxes: Boxes,
    images: Int[np.ndarray, " some"],
    block: int = 32,
) -> dict[str, float]:
    """Return ``map_50`` (mean over labels that the images have) and the AP of each such label, at IoU 0.5, 0 … 1.

    pycocotools computes them, as for COCO (Lin et al. 2014), by way of torchmetrics.
    """
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
def detect(detector: FasterRCNN, maps: Float[Tensor, "images 112 14 14"]) -> list[Target]:
    """Return what a detector finds, from the trunk's maps: boxes in pixels of the 224×224 image, labels, scores."""
    detector.eval()
    images, features = _inputs(detector, maps)
    proposals, _ = detector.rpn(images, features)
    found, _ = detector.roi_heads(features, proposals, images.image_sizes)
    return found


def _losses(detector: FasterRCNN, maps: Tensor, targets: list[Target]) -> Tensor:
    images, features = _inputs(detector, maps)
    proposals, of_proposals = detector.rpn(images, features, targets)
    _, of_boxes = detector.roi_heads(features, proposals, images.image_sizes, targets)
    return sum([*of_proposals.values(), *of_boxes.values()])


def _inputs(detector: FasterRCNN, maps: Tensor) -> tuple[ImageList, dict[str, Tensor]]:
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
