"""Pixels as networks want them."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor


def scaled(
    pixels: UInt8[np.ndarray, "images side side 3"],
    mean: Sequence[float],
    deviation: Sequence[float],
    device: torch.device | str = "cpu",
) -> Float[Tensor, "images 3 side side"]:
    """Return (pixels − mean) / deviation on a device; both are of red, green and blue on the scale 0..255."""
    # Bytes travel, and become numbers four times as long only there.
    values, mean, deviation = (torch.tensor(x).to(device) for x in (pixels, mean, deviation))
    return ((values - mean) / deviation).permute(0, 3, 1, 2)
