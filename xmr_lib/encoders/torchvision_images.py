"""torchvision's ResNet, ViT and ConvNeXt on ImageNet: the vector before the classifier, or the last map's places."""

from functools import cached_property
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from ..features.spec import ENCODERS, FeatureSpec
from ..networks.torchvision_networks import NETWORKS, Penultimate, has_places, penultimate
from ..pretrained import Pretrained
from ..provenance import Provenance
from .base import copy_of
from .preparation import Preparation
from .prepared import PreparedEncoder


@ENCODERS.register(*(slug for slug in NETWORKS if not has_places(slug)))
class TorchvisionEncoder(PreparedEncoder):
    """The vector before the classifier, of a picture prepared by the transforms that are published with the weights."""

    provenance = Provenance(("ImageNet-1k",), "BSD 3-Clause", "https://pytorch.org/vision")

    def __init__(self, spec: FeatureSpec, file: str | Path | None = None):
        super().__init__(spec)
        source = NETWORKS[spec.encoder]
        self.weights = source.find(file)
        self.preparation = Preparation.of_torchvision(source.published.transforms())

    @classmethod
    def restore(cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None) -> "TorchvisionEncoder":
        return cls(spec, copy_of(networks, spec.encoder))

    @classmethod
    def pretrained_of(cls, spec: FeatureSpec) -> tuple[Pretrained, ...]:
        return (NETWORKS[spec.encoder],)

    @cached_property
    def _loaded(self) -> Penultimate:
        return penultimate(self.spec.encoder, self.weights)

    @property
    def network(self) -> Penultimate:
        return self.runtime.place(self._loaded)

    @property
    def row_shape(self) -> tuple[int, ...]:
        side, dim = self.view.side, self._loaded.dim
        return ((side // 32) ** 2, dim) if self.spec.output else (dim,)

    def taken(self, images: Float[Tensor, "images 3 side side"]) -> Float[Tensor, "images *feature"]:
        return self.network.places(images) if self.spec.output else self.network(images)


@ENCODERS.register(*filter(has_places, NETWORKS))
class TorchvisionCnnEncoder(TorchvisionEncoder):
    """What can be taken: the vector before the classifier, (2048,) of a ResNet; ``grid``: the last map, (49, 2048)."""

    outputs = ("", "grid")
