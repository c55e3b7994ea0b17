"""Images by CLIP or SigLIP: the embedding, the patches, or states that the last layers are trained on."""

from functools import cached_property

import numpy as np
import torch

from ..features.spec import ENCODERS
from ..features.view import View
from ..networks.clip import ClipImageTail, ClipImageTower
from ..ragged import Ragged
from ..weights import Weights
from .base import ImageEncoder
from .clip import ClipSide
from .grid import grid_rows
from .preparation import Preparation


@ENCODERS.register("clip-image")
class ClipImageEncoder(ClipSide, ImageEncoder):
    """What can be taken: the embedding, (dim,); ``patches``, the last state of each, (patches, width); ``@11``."""

    outputs = ("", "patches")

    @cached_property
    def _parts(self) -> tuple[ClipImageTower, Preparation, Weights]:
        # The tower of the captions is let go.
        clip = self._load()
        return clip.image, Preparation.of_processor(self.spec.source, clip.processor), clip.weights

    @property
    def tower(self) -> ClipImageTower:
        return self._parts[0]

    @property
    def preparation(self) -> Preparation:
        return self._parts[1]

    @property
    def weights(self) -> Weights:
        return self._parts[2]

    @property
    def view(self) -> View:
        return self.preparation.view

    @property
    def settings(self) -> dict:
        return {**self.preparation.settings, "dtype": self.dtype, "output": self.spec.output, "layer": self.layer}

    @property
    def row_shape(self) -> tuple[int, ...]:
        tower = self.tower
        if self.spec.layers:
            return (tower.tokens, tower.width)
        return (tower.patches, tower.width) if self.spec.output else (tower.dim,)

    @torch.inference_mode()
    def features(self, pixels: np.ndarray) -> np.ndarray:
        prepared = self.preparation(pixels)
        if self.layer is not None:
            found = self.tower.states(prepared, self.layer)
        else:
            found = self.tower.last_patches(prepared) if self.spec.output else self.tower(prepared)
        return found.numpy().astype(self.dtype)

    def inputs(self, stored: np.ndarray) -> np.ndarray | Ragged:
        return grid_rows(stored) if self.spec.output else stored

    def tail(self) -> ClipImageTail | None:
        return None if self.layer is None else ClipImageTail(self.tower, self.layer)
