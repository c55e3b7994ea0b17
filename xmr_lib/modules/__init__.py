"""From features to the common space: entries, aggregation, fusion, projections, the dual encoder."""

from .dual import DualEncoder
from .entries import GEOMETRY, MapEntry, RegionEntry, TokenEntry, WordEmbedding
from .item import FUSIONS, ItemEncoder, Items, RowPart
from .pooling import POOLS, pool
from .projection import Projection
from .recurrent import RECURRENT
from .row_pooling import LEARNED, POOLINGS, row_pooling
from .rows import Parts, Rows

__all__ = [
    "FUSIONS",
    "GEOMETRY",
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
    "WordEmbedding",
    "pool",
    "row_pooling",
]
