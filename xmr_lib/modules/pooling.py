"""Aggregation: the rows of an item (words of a caption, regions of an image) become one vector."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ..errors import XmrError
from ..ragged import Ragged

POOLS = ("mean", "sum", "max", "meanmax", "idf", "cls")


def pool(
    values: Float[Tensor, "rows dim"],
    offsets: Int[Tensor, " items_plus_one"],
    how: str,
    weights: Float[Tensor, " rows"] | None = None,
) -> Float[Tensor, "items pooled"]:
    """Aggregate ragged rows; no padding takes part in anything. An item without rows becomes the zero vector.

    Args:
        values: rows of all items end to end.
        offsets: rows of item ``i`` are ``offsets[i]:offsets[i + 1]``; on the host, wherever the values lie.
        how: ``mean``; ``sum``; ``max`` (each dimension's largest value); ``meanmax`` (both, concatenated: ``pooled`` is
            then 2 × dim); ``idf`` (mean weighted by ``weights``); ``cls`` (the first row: BERT's ``[CLS]``).
        weights: for ``idf``, the weight of each row, ≥ 0 (inverse document frequency, Spärck Jones 1972).

    Raises:
        XmrError: an unknown ``how``, or ``idf`` without weights.
    """
    lengths = offsets.diff()
    items = len(lengths)
    item_of_row = Ragged(values, offsets).item_of_row
    if how == "meanmax":
        return torch.cat([pool(values, offsets, "mean"), pool(values, offsets, "max")], dim=1)
    if how == "max":
        index = item_of_row[:, None].expand_as(values)
        zeros = values.new_zeros(items, values.shape[1])
        return zeros.scatter_reduce(0, index, values, "amax", include_self=False)
    if how == "cls":
        some = (lengths > 0).nonzero().squeeze(1)
        places, starts = (x.to(values.device, non_blocking=True) for x in (some, offsets[:-1][some]))
        return values.new_zeros(items, values.shape[1]).index_copy(0, places, values[starts])
    if how not in POOLS:
        raise XmrError(f"aggregation {how!r} is unknown; there are {', '.join(POOLS)}")
    if how == "idf":
        if weights is None:
            raise XmrError("aggregation 'idf' needs the weight of each word")
        values = values * weights[:, None]
        total = values.new_zeros(items).index_add_(0, item_of_row, weights)
    else:
        total = lengths.to(values, non_blocking=True) if how == "mean" else values.new_ones(items)
    sums = values.new_zeros(items, values.shape[1]).index_add_(0, item_of_row, values)
    # Items without rows (or with weight zero throughout) have the sum zero: any divisor but 0 leaves it so.
    return sums / torch.where(total > 0, total, 1.0)[:, None]
