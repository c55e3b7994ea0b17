"""torchvision's ResNet, ViT and ConvNeXt on ImageNet: the vector before the classifier, or the last map's places."""

from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from ..features.spec import ENCODERS, FeatureSpec
from ..features.view import View
from ..networks.torchvision_networks import (
    VERSIONS,
    Penultimate,
    has_places,
    penultimate,
    published,
    torchvision_weights,
)
from ..provenance import Provenance
from ..ragged import Ragged
from .base import ImageEncoder, copy_of
from .grid import grid_rows
from .preparation import Preparation


@ENCODERS.register(*(slug for slug in VERSIONS if not has_places(slug)))
class TorchvisionEncoder(ImageEncoder):
    """The vector before the classifier, of a picture prepared by the transforms that are published with the weights."""

    provenance = Provenance(("ImageNet-1k",), "BSD 3-Clause", "https://pytorch.org/vision")

    def __init__(self, spec: FeatureSpec, file: str | Path | None = None):
        super().__init__(spec)
        self.weights = torchvision_weights(spec.encoder, str(file) if file else None)
        self.preparation = Preparation.of_torchvision(published(spec.encoder).transforms())
        self.dtype = "float16" if spec.output else "float32"

    @classmethod
    def restore(cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None) -> "TorchvisionEncoder":
        return cls(spec, copy_of(networks, spec.encoder))

    @classmethod
    def yields(cls, spec: FeatureSpec) -> str:
        return "rows" if spec.output else "vector"

    @cached_property
    def network(self) -> Penultimate:
        return penultimate(self.spec.encoder, self.weights)

    @property
    def view(self) -> View:
        return self.preparation.view

    @property
    def settings(self) -> dict:
        output = self.spec.output or "before the classifier"
        return {**self.preparation.settings, "dtype": self.dtype, "output": output}

    @cached_property
    def row_shape(self) -> tuple[int, ...]:
        side = self.view.side
        return ((side // 32) ** 2, self.network.dim) if self.spec.output else (self.network.dim,)

    @torch.inference_mode()
    def features(self, pixels: np.ndarray) -> np.ndarray:
        taken = self.network.places if self.spec.output else self.network
        return taken(self.preparation(pixels)).numpy().astype(self.dtype)

    def inputs(self, stored: np.ndarray) -> np.ndarray | Ragged:
        return grid_rows(stored) if self.spec.output else stored


@ENCODERS.register(*filter(has_places, VERSIONS))
class TorchvisionCnnEncoder(TorchvisionEncoder):
    """What can be taken: the vector before the classifier, (2048,) of a ResNet; ``grid``: the last map, (49, 2048)."""

    outputs = ("", "grid")
