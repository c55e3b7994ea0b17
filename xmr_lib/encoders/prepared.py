"""Image encoders that see pictures as those who trained the network did, and give one vector or one per place."""

from abc import abstractmethod

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ..features.spec import FeatureSpec
from ..features.view import View
from ..ragged import Ragged
from .base import ImageEncoder
from .grid import grid_rows
from .preparation import Preparation


class PreparedEncoder(ImageEncoder):
    """A subclass gives ``preparation`` and ``taken``; an output by name is that of the places of a grid."""

    preparation: Preparation

    @classmethod
    def yields(cls, spec: FeatureSpec) -> str:
        return "rows" if spec.output else "vector"

    @property
    def view(self) -> View:
        return self.preparation.view

    @property
    def dtype(self) -> str:
        """Of places there are many; a vector is one."""
        return "float32" if type(self).yields(self.spec) == "vector" else "float16"

    @property
    def settings(self) -> dict:
        return {**self.preparation.settings, "dtype": self.dtype, "output": self.spec.output}

    @abstractmethod
    def taken(self, images: Float[Tensor, "images 3 side side"]) -> Float[Tensor, "images *feature"]:
        """Return what this spec takes of the network."""

    @torch.inference_mode()
    def features(self, pixels: np.ndarray) -> np.ndarray:
        return self.taken(self.preparation(pixels, self.runtime.device)).cpu().numpy().astype(self.dtype)

    def inputs(self, stored: np.ndarray) -> np.ndarray | Ragged:
        return grid_rows(stored) if self.spec.output else stored
