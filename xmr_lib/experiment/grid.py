"""The places of a CNN's last map as rows, like the regions of a detector."""

import numpy as np
import torch
from jaxtyping import Float

from ..modules import GEOMETRY, Rows


def grid_rows(features: Float[np.ndarray, "images places dim"]) -> Rows:
    """Return a square map, row by row, as rows with the geometry of its cells (score 1)."""
    images, places, dim = features.shape
    side = round(places**0.5)
    row, column = np.divmod(np.arange(places), side)
    cells = np.stack([column, row, column + 1, row + 1, np.full(places, side)], axis=1) / side
    values = np.empty((images, places, dim + GEOMETRY), dtype=features.dtype)
    values[..., :dim], values[..., dim:] = features, cells
    return Rows(torch.from_numpy(values.reshape(-1, dim + GEOMETRY)), torch.arange(images + 1) * places)
