"""VGG-16's fc7 after its ReLU, one view, with the weights that torchvision publishes."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from ..features.spec import ENCODERS, FeatureSpec
from ..networks.vgg import VGG16, vgg16_fc7, vgg16_weights
from ..pretrained import Pretrained
from ..provenance import Provenance
from .base import ImageEncoder, copy_of
from .pixels import scaled

MEAN = [255 * mean for mean in (0.485, 0.456, 0.406)]
DEVIATION = [255 * deviation for deviation in (0.229, 0.224, 0.225)]


@ENCODERS.register("vgg16-torchvision")
class Vgg16Encoder(ImageEncoder):
    """(4096,), about 70 % zeros."""

    provenance = Provenance(("ImageNet-1k",), "BSD 3-Clause", "https://pytorch.org/vision")
    row_shape = (4096,)

    def __init__(self, spec: FeatureSpec, file: str | Path | None = None):
        super().__init__(spec)
        self.weights = vgg16_weights(str(file) if file else None)
        self._network: nn.Module | None = None

    @classmethod
    def restore(cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None) -> "Vgg16Encoder":
        return cls(spec, copy_of(networks, spec.encoder))

    @classmethod
    def pretrained_of(cls, spec: FeatureSpec) -> tuple[Pretrained, ...]:
        return (VGG16,)

    @property
    def settings(self) -> dict:
        return {"side": 224, "mean": MEAN, "deviation": DEVIATION, "dtype": self.dtype, "output": "fc7 after ReLU"}

    @torch.inference_mode()
    def features(self, pixels: np.ndarray) -> np.ndarray:
        if self._network is None:
            self._network = self.runtime.place(vgg16_fc7(str(self.weights.path))[0])
        return self._network(scaled(pixels, MEAN, DEVIATION, self.runtime.device)).cpu().numpy().astype(self.dtype)
