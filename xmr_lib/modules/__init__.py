"""From features to the common space: entries, aggregation, fusion, projections, the dual encoder."""

from .dual import DualEncoder
from .entries import BOX_FEATURES, MapEntry, RegionEntry, TokenEntry, WordEmbedding
from .item import FUSIONS, ItemEncoder, Items, RowPart
from .pooling import POOLS, pool
from .projection import Projection
from .recurrent import RECURRENT
from .row_pooling import LEARNED, POOLINGS, row_pooling
from .rows import Parts, Rows
from .tunable import Tunable

__all__ = [
    "BOX_FEATURES",
    "FUSIONS",
    "LEARNED",
    "POOLINGS",
    "POOLS",
    "RECURRENT",
    "DualEncoder",
    "ItemEncoder",
    "Items",
    "MapEntry",
    "Parts",
    "Projection",
    "RegionEntry",
    "RowPart",
    "Rows",
    "TokenEntry",
    "Tunable",
    "WordEmbedding",
    "pool",
    "row_pooling",
]
