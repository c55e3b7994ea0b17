"""What to print about the detector of task (c)."""

from ..features.regions import LITE
from ..networks.faster_rcnn import coco_weights
from .lab import Lab


def detector_lines(lab: Lab) -> list[str]:
    """Return what to print about the detector of a lab; it is trained first if need be."""
    if lab.no_detector:
        return [f"no Faster R-CNN here: {lab.no_detector}"]
    if lab.detector_slug != LITE:
        return [f"{lab.detector_slug}: torchvision's, COCO weights {coco_weights(lab.detector_slug).sha256}"]
    history = lab.detector()
    epochs = enumerate(zip(history.loss, history.map50, strict=True), start=1)
    return [f"epoch {epoch}: loss {loss:.3f}, mAP@0.5 {100 * map50:.1f} %" for epoch, (loss, map50) in epochs]
