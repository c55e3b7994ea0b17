"""From features to the common space: entries, aggregation, fusion, projections, the dual encoder."""

from .chunks import InChunks
from .dual import DualEncoder, embed_items
from .entries import BOX_FEATURES, MapEntry, RegionEntry, StatesEntry, TokenEntry, WordEmbedding
from .item import FUSIONS, ItemEncoder, RowPart
from .moments import Moments
from .padded import PaddedPart, PaddedTower
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
    "InChunks",
    "ItemEncoder",
    "MapEntry",
    "Moments",
    "PaddedPart",
    "PaddedTower",
    "Projection",
    "RegionEntry",
    "RowPart",
    "StatesEntry",
    "TokenEntry",
    "Tunable",
    "WordEmbedding",
    "embed_items",
    "pool",
    "row_pooling",
]
