"""From features to the common space: entries, aggregation, fusion, projections, the dual encoder."""

from .dual import DualEncoder
from .entries import BOX_FEATURES, MapEntry, RegionEntry, StatesEntry, TokenEntry, WordEmbedding
from .item import FUSIONS, ItemEncoder, RowPart
from .parts import Items, Parts
from .pooling import POOLS, pool
from .projection import Projection
from .recurrent import RECURRENT
from .row_pooling import LEARNED, POOLINGS, row_pooling
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
    "StatesEntry",
    "TokenEntry",
    "Tunable",
    "WordEmbedding",
    "pool",
    "row_pooling",
]
