"""Images by any image network of Hugging Face that gives a ``last_hidden_state``, such as DINOv2."""

from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import torch

from ..features.spec import ENCODERS, FeatureSpec
from ..features.view import View
from ..networks.vision import VisionNetwork, load_vision
from ..provenance import Provenance
from ..ragged import Ragged
from ..weights import Weights
from .base import ImageEncoder, copy_of_folder, weights_name
from .grid import grid_rows
from .model_cards import known_by_name, provenance_by_card
from .preparation import Preparation

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


@cache
def provenance_of_vision(source: str) -> Provenance:
    """Return what an image network was trained on: by its name or the card in its folder; else ``unknown``."""
    return known_by_name(source, KNOWN) or provenance_by_card(source)


@ENCODERS.register("hf-vision")
class HuggingFaceVisionEncoder(ImageEncoder):
    """What can be taken of ``hf-vision:NAME_OR_FOLDER``: one vector; ``patches``, the last state of each place.

    Raises:
        XmrError: the network can't be had.
    """

    asks_for_source = True
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
    def yields(cls, spec: FeatureSpec) -> str:
        return "rows" if spec.output else "vector"

    @classmethod
    def provenance_of(cls, spec: FeatureSpec) -> Provenance:
        return provenance_of_vision(spec.source)

    @cached_property
    def network(self) -> VisionNetwork:
        return load_vision(self.spec.source, self.folder)

    @cached_property
    def preparation(self) -> Preparation:
        return Preparation.of_processor(self.spec.source, self.network.processor)

    @cached_property
    def weights(self) -> Weights:
        return replace(self.network.weights, name=weights_name(self.spec.source))

    @property
    def view(self) -> View:
        return self.preparation.view

    @property
    def dtype(self) -> str:
        return "float16" if self.spec.output else "float32"

    @property
    def settings(self) -> dict:
        return {**self.preparation.settings, "dtype": self.dtype, "output": self.spec.output}

    @cached_property
    def row_shape(self) -> tuple[int, ...]:
        side = self.view.side
        return self.features(np.zeros((1, side, side, 3), dtype=np.uint8)).shape[1:]

    @torch.inference_mode()
    def features(self, pixels: np.ndarray) -> np.ndarray:
        taken = self.network.places if self.spec.output else self.network.vectors
        return taken(self.preparation(pixels)).numpy().astype(self.dtype)

    def inputs(self, stored: np.ndarray) -> np.ndarray | Ragged:
        return grid_rows(stored) if self.spec.output else stored
