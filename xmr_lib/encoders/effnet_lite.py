"""EfficientNet-Lite0 on ImageNet: its last map averaged or place by place, and maps that a tail is trained on."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..errors import XmrError
from ..features.spec import ENCODERS, FeatureSpec
from ..networks.efficientnet_lite import (
    EFFNET_LITE0,
    EfficientNetHead,
    EfficientNetTail,
    efficientnet_lite0,
    efficientnet_lite0_weights,
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
"""Blocks behind which a map may be taken, and its shape."""
PLACES = 49


@ENCODERS.register("effnet-lite0")
class EfficientNetLite0Encoder(ImageEncoder):
    """What can be taken:

    - the last map, averaged over its 49 places, (1280,); ``grid``: the same map place by place, (49, 1280);
    - ``trunk``, the last map of stride 16, (112, 14, 14): what a detector learns from;
    - ``@15``, the map before the last block, (192, 7, 7), to train that block on.
    """

    outputs = ("", "grid", "trunk")
    provenance = Provenance(("ImageNet-1k",), "Apache 2.0", "https://github.com/tensorflow/tpu")

    def __init__(self, spec: FeatureSpec, file: str | Path | None = None):
        super().__init__(spec)
        self.weights = efficientnet_lite0_weights(file)
        self.blocks = CUT if spec.output == "trunk" else spec.layers[0] if spec.layers else None
        self._network: nn.Module | None = None
        shapes = {"": (1280,), "grid": (PLACES, 1280)}
        self.row_shape = CUTS[self.blocks] if self.blocks else shapes[spec.output]
        # ReLU6 keeps a map in 0..6, where half precision has an error below 0.002; a store takes half the disk.
        self.dtype = "float32" if self.row_shape == (1280,) else "float16"

    @classmethod
    def restore(
        cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None
    ) -> "EfficientNetLite0Encoder":
        return cls(spec, copy_of(networks, "effnet-lite0"))

    @classmethod
    def check_layers(cls, spec: FeatureSpec) -> None:
        if spec.layers and (spec.output or len(spec.layers) > 1 or spec.layers[0] not in CUTS):
            raise XmrError(
                f"features {spec.slug!r}: a map is taken behind one block, @{' or @'.join(map(str, sorted(CUTS)))}"
            )

    @classmethod
    def pretrained_of(cls, spec: FeatureSpec) -> tuple[Pretrained, ...]:
        return (EFFNET_LITE0,)

    @classmethod
    def yields(cls, spec: FeatureSpec) -> str:
        return "map" if spec.layers or spec.output == "trunk" else "rows" if spec.output == "grid" else "vector"

    @property
    def settings(self) -> dict:
        outputs = {"": "last map, averaged", "grid": "last map, row by row", "trunk": "last map of stride 16"}
        output = (
            "map before the last block"
            if self.blocks == 15
            else outputs[self.spec.output or ("trunk" if self.blocks else "")]
        )
        return {"side": self.side, "mean": MEAN, "deviation": DEVIATION, "dtype": self.dtype, "output": output}

    def network(self) -> nn.Module:
        """Return the frozen network, or its first blocks."""
        if self._network is None:
            whole = efficientnet_lite0(self.weights)[0]
            self._network = self.runtime.place(EfficientNetHead(whole, self.blocks) if self.blocks else whole)
        return self._network

    @torch.inference_mode()
    def features(self, pixels: np.ndarray) -> np.ndarray:
        maps = self.network()(scaled(pixels, MEAN, DEVIATION, self.runtime.device))
        if not self.blocks:
            maps = maps.flatten(2).transpose(1, 2) if self.spec.output == "grid" else maps.mean((2, 3))
        return maps.cpu().numpy().astype(self.dtype)

    def inputs(self, stored: np.ndarray) -> np.ndarray | Ragged:
        return grid_rows(stored) if self.spec.output == "grid" else stored

    def tail(self) -> EfficientNetTail | None:
        if not self.blocks:
            return None
        return EfficientNetTail(efficientnet_lite0(self.weights)[0], self.blocks).requires_grad_(True)
