"""From features to the common space: aggregation of words, projections, the dual encoder."""

from .dual import DualEncoder
from .pooling import pool
from .projection import Projection

__all__ = ["DualEncoder", "Projection", "pool"]
