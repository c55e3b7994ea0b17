"""Pixels as networks want them."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def scaled(
    pixels: UInt8[np.ndarray, "images side side 3"], mean: Sequence[float], deviation: Sequence[float]
) -> Float[Tensor, "images 3 side side"]:
    """Return (pixels − mean) / deviation; both are of red, green and blue on the scale 0..255."""
    return ((torch.tensor(pixels) - torch.tensor(mean)) / torch.tensor(deviation)).permute(0, 3, 1, 2)
