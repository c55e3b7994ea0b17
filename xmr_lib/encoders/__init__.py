"""From features to the common space: aggregation of words, projections, the dual encoder."""

from .dual import DualEncoder
from .pooling import pool
from .projection import Projection
from .regions import GEOMETRY, RegionEncoder, region_pooling
from .rows import Rows

__all__ = ["GEOMETRY", "DualEncoder", "Projection", "RegionEncoder", "Rows", "pool", "region_pooling"]
