"""From a config to modules: the towers, and the dual encoder that they make."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..config import Branch, DualEncoderConfig, MetricLearningConfig, RunConfig, TextBranch, Tower
from ..errors import XmrError
from ..modules import (
    BOX_FEATURES,
    DualEncoder,
    ItemEncoder,
    MapEntry,
    Projection,
    RegionEntry,
    RowPart,
    StatesEntry,
    TokenEntry,
    WordEmbedding,
    row_pooling,
)


@dataclass(frozen=True)
class BranchInput:
    """What a branch is fed, and what it starts from."""

    dim: int
    """Length of a vector, or of a row without what stands beside it; of words, of a row of ``table``."""
    rows: bool = False
    """Whether an item has several."""
    table: Tensor | None = None
    """Vectors of the words that captions name by number, shape (vocabulary, dim)."""
    tail: nn.Module | None = None
    """Pretrained layers between the features and their vectors: fc7, the rest of a CNN, the last layers of a BERT."""

    @property
    def shape(self) -> dict[str, Any]:
        """What ``of_shape`` needs, as JSON keeps it."""
        return {"dim": self.dim, "rows": self.rows, "table": None if self.table is None else list(self.table.shape)}

    @classmethod
    def of_shape(cls, shape: dict[str, Any], tail: nn.Module | None) -> "BranchInput":
        """Return an input of this shape, its table empty: weights are to be loaded into what is built from it."""
        table = None if shape["table"] is None else torch.zeros(shape["table"])
        return cls(shape["dim"], shape["rows"], table, tail)


def build_dual_encoder(config: RunConfig, images: Sequence[BranchInput], texts: Sequence[BranchInput]) -> DualEncoder:
    """Build the untrained dual encoder; the scaling of its inputs is still to be taken from the training split.

    Raises:
        XmrError: one vector per image that is to be aggregated, or several that are not; nothing that could be tuned.
    """
    method = config.method
    if not isinstance(method, DualEncoderConfig):
        raise XmrError(f"config {config.name!r}: a dual encoder is to be built, not {method.kind!r}")
    image = _image_tower(config, images)
    parts = [_text_part(config, *pair) for pair in zip(method.text.branches, texts, strict=True)]
    model = DualEncoder(image, _tower(config, method.text, parts))
    model.fed = {"image": [given.shape for given in images], "text": [given.shape for given in texts]}
    return model


def build_image_encoder(config: RunConfig, images: Sequence[BranchInput]) -> ItemEncoder:
    """Build the untrained tower of images alone; errors as of ``build_dual_encoder``."""
    return _image_tower(config, images)


Part = tuple[nn.Module, int]
"""A module from features to one vector per item, and the length of that vector."""


def _image_tower(config: RunConfig, images: Sequence[BranchInput]) -> ItemEncoder:
    assert isinstance(config.method, DualEncoderConfig | MetricLearningConfig)
    tower = config.method.image
    parts = [_image_part(config, *pair) for pair in zip(tower.branches, images, strict=True)]
    return _tower(config, tower, parts)


def _tower(config: RunConfig, tower: Tower, parts: Sequence[Part]) -> ItemEncoder:
    embed_dim, normalised = config.method.embed_dim, config.method.normalised

    def projection(dims: int | Sequence[int]) -> Projection:
        return Projection(dims, embed_dim, tower.projection, tower.hidden, tower.dropout, tower.scaling)

    dims = [dim for _, dim in parts]
    joint = tower.fusion == "concat" or len(parts) == 1
    projections = [projection(dims)] if joint else [projection(dim) for dim in dims]
    return ItemEncoder([part for part, _ in parts], projections, "concat" if joint else tower.fusion, normalised)


def _image_part(config: RunConfig, branch: Branch, given: BranchInput) -> Part:
    slug, tower, where = branch.features.slug, config.method.image, f"config {config.name!r}: "
    if branch.unfreeze and given.tail is None:
        raise XmrError(f"{where}{slug!r} has no pretrained layers that could be trained on; set unfreeze = 0")
    if branch.features.yields == "map":
        _check_cut(where, branch, given)
        return MapEntry(given.tail, branch.lr_multiplier), given.dim
    if given.rows != (branch.pooling != "none"):
        raise XmrError(
            f"{where}the aggregation {branch.pooling!r} does not fit {slug!r}, which has "
            f"{'several vectors' if given.rows else 'one vector'} per image"
        )
    if not given.rows:
        return nn.Identity(), given.dim
    if given.tail is not None:
        given.tail.requires_grad_(branch.unfreeze > 0)
    pooling, pooled = row_pooling(branch.pooling, given.dim, tower.hidden, tower.dropout, len(BOX_FEATURES))
    return RowPart(RegionEntry(given.tail, branch.lr_multiplier), pooling), pooled


def _text_part(config: RunConfig, branch: TextBranch, given: BranchInput) -> Part:
    slug, tower, where = branch.features.slug, config.method.text, f"config {config.name!r}: "
    if branch.unfreeze and given.tail is None:
        raise XmrError(f"{where}{slug!r} has no pretrained layers that could be trained on; set unfreeze = 0")
    if branch.features.yields == "map":
        _check_cut(where, branch, given)
        return StatesEntry(given.tail, branch.lr_multiplier), given.dim
    if not given.rows:
        return nn.Identity(), given.dim
    if given.table is not None:
        entry: nn.Module = WordEmbedding(
            given.table, branch.train_words, branch.word_dropout, branch.word_scale, branch.lr_multiplier
        )
    elif branch.train_words:
        raise XmrError(f"{where}train_words needs vectors of words, not of the tokens of captions, which {slug!r} has")
    else:
        entry = TokenEntry(given.dim, branch.word_dropout, given.tail, branch.lr_multiplier)
    pooling, pooled = row_pooling(branch.pooling, given.dim, tower.hidden, tower.dropout)
    return RowPart(entry, pooling), pooled


def _check_cut(where: str, branch: Branch, given: BranchInput) -> None:
    """Refuse a network that was cut in two if its second part is not what is trained."""
    blocks = 0 if given.tail is None else len(given.tail.blocks)
    if not blocks or branch.unfreeze != blocks or branch.pooling != "none":
        raise XmrError(
            f"{where}{branch.features.slug!r} is a network cut in two; it needs unfreeze = {blocks}, the layers behind "
            "the cut, and no aggregation"
        )
