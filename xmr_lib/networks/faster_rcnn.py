"""Faster R-CNN (Ren et al. 2015) as a describer of regions: what is where, and a vector for each final box."""

import re
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..pretrained import TorchvisionWeights
from ..weights import Weights, load_frozen
from .frcnn_lite import Detector, LiteBackbone

COCO_DETECTORS = {
    slug: TorchvisionWeights(slug, model, "COCO_V1")
    for slug, model in (
        ("frcnn-resnet50", "fasterrcnn_resnet50_fpn"),
        ("frcnn-resnet50-v2", "fasterrcnn_resnet50_fpn_v2"),
        ("frcnn-mobilenet", "fasterrcnn_mobilenet_v3_large_fpn"),
    )
}
"""Slug → torchvision's detector with its COCO weights."""
OLD_NAMES = (
    (re.compile(r"^(rpn\.head\.conv)\.(weight|bias)$"), r"\1.0.0.\2"),
    (re.compile(r"^(backbone\.fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$"), r"\1.0.\2"),
)
"""Convolutions that torchvision has since put into sequences, and their names now."""
SCORE, OVERLAP = 0.05, 0.5
STRIDE, BINS, POINTS = 32, 3, 2
"""Pixels between the cells of the last map; bins that a region of it is cut into, and places read in each, by side."""
MOST_FOUND = 300
"""Boxes per image of all labels together, before those that lie on one another are put aside."""


class Regions(NamedTuple):
    """The regions of one image: the whole image first, then what was found, the most confident first."""

    head: Float[Tensor, "regions cut"]
    """Box head's vector up to its last layer (see ``last_layer``)."""
    backbone: Float[Tensor, "regions channels"]
    """The backbone's last stage, pooled over the box."""
    boxes: Float[Tensor, "regions 4"]
    """Left, top, right, bottom as shares of the image."""
    labels: Int[Tensor, " regions"]
    """0: the whole image."""
    scores: Float[Tensor, " regions"]
    """Of the detector; 1 for the whole image."""


def coco_weights(slug: str, file: str | None = None) -> Weights:
    """Find COCO weights: in ``file``, at ``$XMR_FRCNN_…_WEIGHTS``, or in torch's cache, downloaded with consent.

    Raises:
        XmrError: they are in none of these; the message lists the ways to get them.
    """
    return COCO_DETECTORS[slug].find(file)


def coco_names(slug: str) -> dict[int, str]:
    """Return the names of a detector's labels, from 1 on."""
    return dict(enumerate(COCO_DETECTORS[slug].published.meta["categories"]))


def coco_detector(
    slug: str, shorter: int, longest: int, least_score: float = SCORE, file: str | None = None
) -> Detector:
    """Return torchvision's detector with its COCO weights, frozen.

    Args:
        shorter, longest: pixels of the sides that images are resized to: the shorter one, unless the longer one would
            then have more.
        least_score: of what it finds.

    Raises:
        XmrError: there are no weights, or the file holds something else.
    """
    from torchvision.models import detection

    build = getattr(detection, COCO_DETECTORS[slug].model)
    sizes = {"min_size": shorter, "max_size": longest}
    found = {"box_score_thresh": least_score, "box_detections_per_img": MOST_FOUND}
    with torch.random.fork_rng(devices=[]):
        detector = build(weights=None, weights_backbone=None, num_classes=91, **sizes, **found)
    load_frozen(detector, coco_weights(slug, file), partial(_names_of_today, detector))
    if slug == "frcnn-resnet50":
        # As torchvision does for this file: it was trained with a normalisation that added nothing to the variance.
        for module in detector.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 0.0
    return detector


def _names_of_today(detector: Detector, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Bring a file of torchvision before 0.13 to the names that it has now.

    Such a file was saved with a frozen normalisation, which does not count batches; the counters change nothing.
    """
    renamed = {}
    for name, tensor in state.items():
        for old, new in OLD_NAMES:
            name = old.sub(new, str(name))
        renamed[name] = tensor
    counters = {name: x for name, x in detector.state_dict().items() if name.endswith("num_batches_tracked")}
    return {**counters, **renamed}


def last_layer(detector: Detector) -> nn.Linear | None:
    """Return fc7, the layer that ends a box head of two layers; None for one whose vector is taken whole."""
    return getattr(detector.roi_heads.box_head, "fc7", None)


@torch.inference_mode()
def find_regions(
    detector: Detector,
    images: Float[Tensor, "images 3 height width"],
    most: int = 36,
    given: Sequence[tuple[Tensor, Tensor, Tensor]] | None = None,
    least_score: float = SCORE,
) -> list[Regions]:
    """Find and describe the regions of images.

    Vectors belong to the *final* boxes: torchvision's own box head sees proposals, which are then moved; here it is run
    again where they came to lie.

    Args:
        images: red, green, blue in 0 … 1, where the detector lies; it scales them.
        most: regions kept, the most confident after suppression regardless of class (IoU 0.5); the whole image is one
            more.
        given: of each image, boxes (as shares of it), labels and scores to describe instead of what would be found.
        least_score: of a region that is kept.
    """
    from torchvision.ops import nms, roi_align

    batch, _ = detector.transform(list(images))
    # Channels last: convolutions of one channel each are twice as fast so on a processor.
    features, last = _maps(detector, batch.tensors.contiguous(memory_format=torch.channels_last))
    if given is None:
        proposals, _ = detector.rpn(batch, features)
        found, _ = detector.roi_heads(features, proposals, batch.image_sizes)
    else:
        found = [_as_found(*one, size) for one, size in zip(given, batch.image_sizes, strict=True)]
    kept, boxes = [], []
    for one, (height, width) in zip(found, batch.image_sizes, strict=True):
        if given is None:
            sure = one["scores"] >= least_score
            one = {name: values[sure] for name, values in one.items()}
            keep = nms(one["boxes"], one["scores"], OVERLAP)[:most]
        else:
            keep = torch.arange(len(one["boxes"]), device=one["boxes"].device)
        kept.append({name: values[keep] for name, values in one.items()})
        whole = one["boxes"].new_tensor([[0, 0, width, height]])
        boxes.append(torch.cat([whole, _kept(one["boxes"][keep], (height, width))]))
    head = _head(detector, detector.roi_heads.box_roi_pool(features, boxes, batch.image_sizes))
    scale = last.shape[-1] / batch.tensors.shape[-1]
    pooled = roi_align(last, boxes, BINS, scale, sampling_ratio=POINTS, aligned=True).mean((2, 3))
    regions, start = [], 0
    for image, (one, own, (height, width)) in enumerate(zip(kept, boxes, batch.image_sizes, strict=True)):
        end = start + len(own)
        backbone = pooled[start:end].clone()
        # Over the whole image the plain mean is exact: the very feature of the CNN without a detector.
        backbone[0] = last[image, :, : round(height * scale), : round(width * scale)].mean((1, 2))
        shares = (own / own.new_tensor([width, height, width, height])).clamp(0, 1)
        labels = torch.cat([one["labels"].new_zeros(1), one["labels"]])
        scores = torch.cat([one["scores"].new_ones(1), one["scores"]])
        regions.append(Regions(head[start:end], backbone, shares, labels, scores))
        start = end
    return regions


def _kept(boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """Return boxes as a store keeps them, as shares in half precision: described again, they give the same vectors."""
    height, width = size
    sides = boxes.new_tensor([width, height, width, height])
    return (boxes / sides).half().float() * sides


def _as_found(boxes: Tensor, labels: Tensor, scores: Tensor, size: tuple[int, int]) -> dict[str, Tensor]:
    height, width = size
    pixels = boxes.float() * boxes.new_tensor([width, height, width, height]).float()
    return {"boxes": pixels, "labels": labels, "scores": scores.float()}


def _maps(detector: Detector, images: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """Return the maps that the detector reads, and the last stage of its backbone."""
    backbone = detector.backbone
    if isinstance(backbone, LiteBackbone):
        stage = backbone.trunk(images)
        return {"0": backbone.neck(stage)}, backbone.last_stage(stage)
    stages = backbone.body(images)
    return backbone.fpn(stages), list(stages.values())[-1]


def _head(detector: Detector, pooled: Tensor) -> Tensor:
    head = detector.roi_heads.box_head
    return head(pooled) if last_layer(detector) is None else head.fc6(pooled.flatten(1)).relu()
