"""What to print and to keep about the detector of task (c)."""

import json
from dataclasses import asdict

from ..features.regions import LITE
from ..networks.faster_rcnn import coco_weights
from ..paths import atomic_write
from ..records import DETECTOR
from .lab import Lab


def detector_lines(lab: Lab) -> list[str]:
    """Return what to print about the detector of a lab; it is trained first if need be.

    The history of the light one is written beside the results: the weights alone are in the cache.
    """
    if lab.no_detector:
        return [f"no Faster R-CNN here: {lab.no_detector}"]
    if lab.detector_slug != LITE:
        return [f"{lab.detector_slug}: torchvision's, COCO weights {coco_weights(lab.detector_slug).sha256}"]
    history = lab.detector()
    with atomic_write(lab.results / DETECTOR) as path:
        path.write_text(json.dumps({"detector": lab.detector_slug, **asdict(history)}, indent=1) + "\n", "utf-8")
    epochs = enumerate(zip(history.loss, history.map50, strict=True), start=1)
    return [f"epoch {epoch}: loss {loss:.3f}, mAP@0.5 {100 * map50:.1f} %" for epoch, (loss, map50) in epochs]
