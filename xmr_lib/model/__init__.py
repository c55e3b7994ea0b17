"""Models that leave their run: built from a config, fed with photographs and sentences, saved as one folder."""

from .build import BranchInput, build_dual_encoder, build_image_encoder
from .inputs import ImageInput, TextInput, as_items, one_or_parts, pooled
from .retrieval import EnsembleModel, RetrievalModel

__all__ = [
    "BranchInput",
    "EnsembleModel",
    "ImageInput",
    "RetrievalModel",
    "TextInput",
    "as_items",
    "build_dual_encoder",
    "build_image_encoder",
    "one_or_parts",
    "pooled",
]
