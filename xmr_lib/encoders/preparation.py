"""From a picture to what a network reads, as those who trained it published it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from ..errors import XmrError
from ..features.view import BILINEAR, CentreCrop, Squash, View
from ..networks.huggingface import Processor
from .pixels import scaled


@dataclass(frozen=True)
class Preparation:
    """The way from a picture to what a network reads: its view, then mean and deviation on the scale 0..255."""

    view: View
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @property
    def settings(self) -> dict:
        """What a store is told by."""
        return {**self.view.settings, "mean": list(self.mean), "deviation": list(self.deviation)}

    def __call__(
        self, pixels: UInt8[np.ndarray, "images side side 3"], device: torch.device | str = "cpu"
    ) -> Float[Tensor, "images 3 side side"]:
        return scaled(pixels, self.mean, self.deviation, device)

    @classmethod
    def of_torchvision(cls, transforms: Any) -> "Preparation":
        """Take over the transforms (``ImageClassification``) that torchvision publishes with weights."""
        [shorter], [side] = transforms.resize_size, transforms.crop_size
        view = CentreCrop(shorter, side, Image.Resampling[transforms.interpolation.name], rounded=True)
        return cls(view, *(tuple(255 * x for x in own) for own in (transforms.mean, transforms.std)))

    @classmethod
    def of_processor(cls, name: str, processor: Processor) -> "Preparation":
        """Take over what a processor of Hugging Face does.

        Raises:
            XmrError: it does something else than to squash, or to resize and crop, to a square.
        """
        told = processor.to_dict()
        refused = XmrError(f"{name}: its {type(processor).__name__} prepares pictures in a way that is not known here")
        if (view := _view_of(told)) is None:
            raise refused
        plain = {"image_mean": [0.0] * 3, "image_std": [1.0] * 3}
        given = {key: (told.get(key) if told.get("do_normalize") else None) or plain[key] for key in plain}
        scale = told.get("rescale_factor") if told.get("do_rescale") else 1
        made = cls(view, *(tuple(float(x) / scale for x in given[key]) for key in plain))
        theirs = processor(images=PROOF, return_tensors="np")["pixel_values"]
        ours = made(made.view(PROOF)[None]).numpy()
        # Rounded before or after the resizing: at most three of 255 levels.
        if theirs.shape != ours.shape or (np.abs(theirs - ours) * np.min(made.deviation)).max() > 3:
            raise refused
        return made


PROOF = Image.fromarray(np.stack(np.broadcast_arrays(*np.ogrid[0:244:4, 0:178:2], 90), axis=2).astype(np.uint8))
"""A smooth picture, wider than high, by which it is seen that a processor was understood."""


def _view_of(told: dict) -> View | None:
    """Return what a processor's settings say; None where they can't be read."""
    size, crop = (dict(told.get(key) or {}) for key in ("size", "crop_size"))
    resample, shorter = Image.Resampling(told.get("resample") or BILINEAR), size.get("shortest_edge")
    if not told.get("do_resize"):
        return None
    if shorter and told.get("crop_pct"):
        # ConvNeXt's rule: small squares are cut from a larger picture, of large ones nothing is lost.
        large = shorter >= 384
        return Squash(shorter, resample) if large else CentreCrop(int(shorter / told["crop_pct"]), shorter, resample)
    square = crop if told.get("do_center_crop") else size
    side = square.get("height")
    if side is None or side != square.get("width"):
        return None
    return CentreCrop(shorter, side, resample) if shorter else Squash(side, resample)
