"""What to print and to keep about the detector of task (c)."""

import json

from ..experiment.bank import LITE
from ..experiment.workspace import Workspace
from ..networks.faster_rcnn import coco_weights
from ..paths import atomic_write
from ..records import DETECTOR
from ..training.detector import recorded


def detector_lines(workspace: Workspace) -> list[str]:
    """Return what to print about the detector of a workspace; it is trained first if need be.

    The history of the light one is written beside the results: the weights alone are in the cache.
    """
    if workspace.detector_error:
        return [f"no Faster R-CNN here: {workspace.detector_error}"]
    if workspace.detector_slug != LITE.slug:
        return [
            f"{workspace.detector_slug}: torchvision's, COCO weights {coco_weights(workspace.detector_slug).sha256}"
        ]
    history = workspace.bank.detector()
    with atomic_write(workspace.results / DETECTOR) as path:
        path.write_text(
            json.dumps({"detector": workspace.detector_slug, **recorded(history)}, indent=1) + "\n", "utf-8"
        )
    epochs = enumerate(zip(history.loss, history.validation, strict=True), start=1)
    return [f"epoch {epoch}: loss {loss:.3f}, mAP@0.5 {100 * map50:.1f} %" for epoch, (loss, map50) in epochs]
