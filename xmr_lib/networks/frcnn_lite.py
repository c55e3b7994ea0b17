"""A light Faster R-CNN (Ren et al. 2015) on a frozen EfficientNet-Lite0: small enough to train on two cores.

The frozen trunk gives a 14×14×112 map, which may be cached. What is trained: a 3×3 neck, the region proposal network, a
box head of two layers and its predictor; all but the neck are torchvision's.
"""

import json
from collections import OrderedDict
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..errors import XmrError
from ..tensor_file import read_tensors
from ..weights import Weights, digest_of
from .efficientnet_lite import EfficientNetHead, EfficientNetLite, EfficientNetTail, load_efficientnet

Detector = nn.Module
"""A ``FasterRCNN`` of torchvision's, light or not; the class itself takes seconds to import."""
SIDE = 224
MAP = (112, 14, 14)
GRID = 5
"""Side of the grid that a region is pooled to; 7, as in the paper, makes training half as long again."""
CUT = 11
"""Blocks of EfficientNet-Lite0 in the trunk: the last of them has stride 16."""
DETECTOR = ("a detector of this project", "delete it and train again")
"""What its file is called where it can't be read, and what to do then."""
TRAINED = ("backbone.neck.", "rpn.", "roi_heads.")


class LiteBackbone(nn.Module):
    """The trunk with a neck (what the detector sees), and the rest of the network (what regions are described by)."""

    def __init__(self, network: EfficientNetLite, channels: int):
        super().__init__()
        self.trunk = EfficientNetHead(network, CUT)
        self.neck = nn.Sequential(nn.Conv2d(MAP[0], channels, 3, padding=1), nn.ReLU())
        self.out_channels = channels

    def forward(self, images: Float[Tensor, "images 3 224 224"]) -> Float[Tensor, "images channels 14 14"]:
        return self.neck(self.trunk(images))

    def last_stage(self, stage: Float[Tensor, "images 112 14 14"]) -> Float[Tensor, "images 1280 7 7"]:
        """Run the rest of EfficientNet-Lite0 on the trunk's map."""
        return EfficientNetTail(self.trunk.network, CUT)(stage)


def frcnn_lite(classes: int, channels: int = 256, hidden: int = 512, trunk: Weights | None = None) -> Detector:
    """Build a detector whose trunk is trained and frozen and whose other layers are not trained yet.

    Args:
        classes: largest label + 1; label 0 is the background.
        channels: of the neck.
        hidden: width of the box head.
        trunk: weights of EfficientNet-Lite0; default: the package's.

    Raises:
        XmrError: EfficientNet-Lite0's weights are not installed.
    """
    from torchvision.models.detection import FasterRCNN
    from torchvision.models.detection.anchor_utils import AnchorGenerator
    from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
    from torchvision.ops import MultiScaleRoIAlign

    # Sides from a ball to the whole picture; at stride 16 an 8×8 thing covers a quarter of a cell.
    anchors = AnchorGenerator(((20, 40, 72, 120, 190),), ((0.5, 1.0, 2.0),))
    detector = FasterRCNN(
        LiteBackbone(load_efficientnet(weights=trunk)[0], channels),
        rpn_anchor_generator=anchors,
        box_roi_pool=MultiScaleRoIAlign(["0"], output_size=GRID, sampling_ratio=2),
        box_head=TwoMLPHead(channels * GRID**2, hidden),
        box_predictor=FastRCNNPredictor(hidden, classes),
        min_size=SIDE,
        max_size=SIDE,
        image_mean=[127 / 255] * 3,
        image_std=[128 / 255] * 3,
        rpn_pre_nms_top_n_train=400,
        rpn_pre_nms_top_n_test=400,
        rpn_post_nms_top_n_train=100,
        rpn_post_nms_top_n_test=100,
        rpn_batch_size_per_image=64,
        box_batch_size_per_image=64,
    )
    detector.backbone.trunk.requires_grad_(False)
    return detector


def trained_state(detector: Detector) -> "OrderedDict[str, Tensor]":
    """Return the tensors that training changes: all but the trunk's."""
    state = detector.state_dict().items()
    return OrderedDict((name, x.cpu().contiguous()) for name, x in state if name.startswith(TRAINED))


def load_frcnn_lite(path: str | Path, trunk: Weights | None = None) -> tuple[Detector, dict[int, str], Weights]:
    """Return a trained detector in evaluation mode, the names of its labels, and its weights.

    Raises:
        XmrError: there is no such file, or it holds another detector.
    """
    path = Path(path)
    if not path.is_file():
        raise XmrError(f"{path}: no detector here; 'xmr detector train' makes it from boxes in COCO's format")
    facts, state = read_tensors(path, *DETECTOR)
    try:
        names = {int(label): name for label, name in json.loads(facts["names"]).items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise XmrError(f"{path}: not a detector of this project ({error}); delete it and train again") from None
    with torch.random.fork_rng(devices=[]):
        detector = frcnn_lite(max(names) + 1, trunk=trunk)
    try:
        missing, unknown = detector.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise XmrError(f"{path}: not a detector of this project ({str(error).splitlines()[-1].strip()})") from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in state.values() if tensor.is_floating_point()):
        raise XmrError(f"{path}: weights of this detector are not finite; delete it (and its regions) and train again")
    missing = [name for name in missing if name.startswith(TRAINED)]
    if missing or unknown:
        raise XmrError(f"{path}: not a detector of this project: {(missing + unknown)[0]} is missing or too much")
    return detector.requires_grad_(False).eval(), names, Weights("frcnn-lite0", path, digest_of(path))
