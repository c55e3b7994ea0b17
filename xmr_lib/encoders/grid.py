"""The places of a square map, as rows like those of regions."""

import numpy as np

from ..ragged import Ragged


def grid_rows(features: np.ndarray) -> Ragged:
    """Return a square map (images, places, dim) as rows like regions: with the box of each place, score 1."""
    images, places, dim = features.shape
    side = round(places**0.5)
    row, column = np.divmod(np.arange(places), side)
    cells = np.stack([column, row, column + 1, row + 1, np.full(places, side)], axis=1) / side
    values = np.empty((images, places, dim + cells.shape[1]), dtype=features.dtype)
    values[..., :dim], values[..., dim:] = features, cells
    return Ragged.from_lengths(values.reshape(-1, values.shape[-1]), np.full(images, places))
