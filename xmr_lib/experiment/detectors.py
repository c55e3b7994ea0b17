"""The detector of a dataset: trained on the boxes that lie beside its captions, training split only."""

import json
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ..data import CaptionedImages
from ..data.boxes import read_boxes
from ..errors import XmrError
from ..features.renew import pictures_of
from ..features.store import FeatureStore
from ..networks.frcnn_lite import DETECTOR
from ..runtime import CPU, Runtime
from ..tensor_file import read_tensors
from ..training import History, Schedule
from ..training.detector import read_history, train_detector
from ..weights import sha256_of

HELD_OUT = 300
"""Images of the validation split on which mAP is measured, at most."""


def detector_of(
    dataset: CaptionedImages,
    boxes_file: str | Path,
    maps: FeatureStore,
    path: str | Path,
    epochs: int,
    seed: int = 0,
    runtime: Runtime = CPU,
) -> History:
    """Train the light Faster R-CNN of a dataset, or read the history of the one that is at ``path``.

    Args:
        dataset: its splits without images that have no features.
        boxes_file: boxes in COCO's detection format.
        maps: maps of the frozen trunk.
        epochs: passes over the training images that have boxes.
        runtime: where it is trained.

    Raises:
        XmrError: the boxes can't be read, or what an earlier training left belongs to another one.
    """
    boxes_file = Path(boxes_file)
    path = Path(path)
    boxes = read_boxes(boxes_file, dataset)
    train, val = (dataset.splits[split] for split in ("train", "val"))
    held_out = np.sort(np.random.default_rng(0).permutation(val)[:HELD_OUT])
    identity = {
        "dataset": dataset.fingerprint,
        "splits": dataset.split_fingerprint,
        "pictures": pictures_of(maps),
        "boxes": sha256_of(boxes_file),
        "epochs": epochs,
        "seed": seed,
    }
    if path.is_file():
        facts, _ = read_tensors(path, *DETECTOR)
        for key, value in json.loads(facts["identity"]).items():
            if value != identity.get(key):
                raise XmrError(
                    f"{path}: this detector was trained with {key} = {value!r}, not {identity.get(key)!r}; delete "
                    "it (and the region features made with it) or move it (XMR_CACHE) and run again"
                )
        return read_history(facts)
    if boxes.left_out:
        why = "without an area within the picture, or of a crowd"
        tqdm.write(f"{boxes_file}: {boxes.left_out} boxes left out ({why})", file=sys.stderr)
    train = np.array([image for image in train if len(boxes.boxes[image])], dtype=np.int64)
    # A hundredth of the images, within bounds, so that few still give many steps.
    batch = min(max(len(train) // 100, 4), 16)
    schedule = Schedule(epochs, batch, learning_rate=1e-3, weight_decay=1e-2, warmup=0.1)
    return train_detector(
        maps, dataset.image_ids, boxes, train, held_out, path, schedule, identity, seed, runtime=runtime
    )
