"""Images by CLIP or SigLIP: the embedding, the patches, or states that the last layers are trained on."""

from functools import cached_property

from jaxtyping import Float
from torch import Tensor

from ..features.spec import ENCODERS
from ..networks.clip import ClipImageTail, ClipImageTower
from ..weights import Weights
from .clip import ClipSide
from .preparation import Preparation
from .prepared import PreparedEncoder


@ENCODERS.register("clip-image")
class ClipImageEncoder(ClipSide, PreparedEncoder):
    """What can be taken: the embedding, (dim,); ``patches``, the last state of each, (patches, width); ``@11``."""

    outputs = ("", "patches")

    @cached_property
    def _parts(self) -> tuple[ClipImageTower, Preparation, Weights]:
        # The tower of the captions is let go.
        clip = self._load()
        return clip.image, Preparation.of_processor(self.spec.source, clip.processor), clip.weights

    @property
    def tower(self) -> ClipImageTower:
        return self.runtime.place(self._parts[0])

    @property
    def preparation(self) -> Preparation:
        return self._parts[1]

    @property
    def weights(self) -> Weights:
        return self._parts[2]

    @property
    def settings(self) -> dict:
        return {**super().settings, "layer": self.layer}

    @property
    def row_shape(self) -> tuple[int, ...]:
        tower = self.tower
        if self.spec.layers:
            return (tower.tokens, tower.width)
        return (tower.patches, tower.width) if self.spec.output else (tower.dim,)

    def taken(self, images: Float[Tensor, "images 3 side side"]) -> Float[Tensor, "images *feature"]:
        if self.layer is not None:
            return self.tower.states(images, self.layer)
        return self.tower.last_patches(images) if self.spec.output else self.tower(images)

    def tail(self) -> ClipImageTail | None:
        # As the rest of a model, it is built on the host.
        return None if self.layer is None else ClipImageTail(self.tower, self.layer).to("cpu")
