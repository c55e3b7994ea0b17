"""Images by any image network of Hugging Face that gives a ``last_hidden_state``, such as DINOv2."""

from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float
from torch import Tensor

from ..features.spec import ENCODERS, FeatureSpec
from ..networks.vision import VisionNetwork, load_vision, vision_weights
from ..pretrained import Pretrained
from ..provenance import Provenance
from ..weights import Weights
from .base import copy_of_folder, weights_name
from .model_cards import known_by_name, provenance_by_card
from .preparation import Preparation
from .prepared import PreparedEncoder

KNOWN = (
    (
        r"facebook/dinov2-.*",
        Provenance(
            ("LVD-142M (photographs of the web, no captions)",),
            "Apache 2.0",
            "https://github.com/facebookresearch/dinov2",
        ),
    ),
    (
        r"google/vit-.*-in21k|google/vit-.*-patch\d+-\d+",
        Provenance(
            ("ImageNet-21k", "ImageNet-1k"), "Apache 2.0", "https://github.com/google-research/vision_transformer"
        ),
    ),
)
"""Names, as patterns, of networks of which it is known what they were trained on."""
USUAL = ("facebook/dinov2-small", "facebook/dinov2-base")
"""Those of them that ``xmr weights`` shows."""


@cache
def provenance_of_vision(source: str) -> Provenance:
    """Return what an image network was trained on: by its name or the card in its folder; else ``unknown``."""
    return known_by_name(source, KNOWN) or provenance_by_card(source)


@ENCODERS.register("hf-vision")
class HuggingFaceVisionEncoder(PreparedEncoder):
    """What can be taken of ``hf-vision:NAME_OR_FOLDER``: one vector; ``patches``, the last state of each place.

    Raises:
        XmrError: the network can't be had.
    """

    asks_for_source, known_sources = True, USUAL
    outputs = ("", "patches")
    folder: Path | None = None
    """Where a copy of the network lies; None: where its name leads."""

    @classmethod
    def restore(
        cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None
    ) -> "HuggingFaceVisionEncoder":
        made = cls(spec)
        made.folder = copy_of_folder(networks, spec.source)
        return made

    @classmethod
    def pretrained_of(cls, spec: FeatureSpec) -> tuple[Pretrained, ...]:
        return (vision_weights(spec.source),)

    @classmethod
    def provenance_of(cls, spec: FeatureSpec) -> Provenance:
        return provenance_of_vision(spec.source)

    @cached_property
    def _loaded(self) -> VisionNetwork:
        return load_vision(self.spec.source, self.folder)

    @property
    def network(self) -> VisionNetwork:
        self.runtime.place(self._loaded.network)
        return self._loaded

    @cached_property
    def preparation(self) -> Preparation:
        return Preparation.of_processor(self.spec.source, self._loaded.processor)

    @cached_property
    def weights(self) -> Weights:
        return replace(self._loaded.weights, name=weights_name(self.spec.source))

    @cached_property
    def row_shape(self) -> tuple[int, ...]:
        side = self.view.side
        return self.features(np.zeros((1, side, side, 3), dtype=np.uint8)).shape[1:]

    def taken(self, images: Float[Tensor, "images 3 side side"]) -> Float[Tensor, "images *feature"]:
        return self.network.places(images) if self.spec.output else self.network.vectors(images)
