"""From the names in a config to objects."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from ..config import Config
from ..errors import XmrError
from ..losses import ContrastiveLoss, InfoNCELoss, TripletLoss
from ..modules import (
    GEOMETRY,
    DualEncoder,
    ItemEncoder,
    Items,
    MapEntry,
    Parts,
    Projection,
    RegionEntry,
    RowPart,
    Rows,
    TokenEntry,
    WordEmbedding,
    row_pooling,
)
from ..networks.efficientnet_lite import EfficientNetTail
from ..training import Pairs


@dataclass(frozen=True)
class Pretrained:
    """What a model starts from: one entry a part of the image features (layers) or text features (the others)."""

    last_layers: tuple[nn.Module | None, ...] = (None,)
    """What lies between the image features and their vectors: a detector's fc7, or the rest of a CNN cut in two."""
    tables: tuple[Tensor | None, ...] = (None,)
    """Vectors of the words that captions name by number, shape (vocabulary, dim)."""
    tails: tuple[nn.Module | None, ...] = (None,)
    """Last layers of the BERT whose earlier layers gave the tokens."""


NOTHING = Pretrained()


def make_model(config: Config, train_pairs: Pairs, pretrained: Pretrained = NOTHING) -> DualEncoder:
    """Build the untrained dual encoder; the scaling of its inputs is taken from the training split.

    Raises:
        XmrError: one vector an image that is to be aggregated, or several that are not; nothing that could be tuned.
    """
    if (config.tune_last_layer or config.tune_image_tail) and not any(pretrained.last_layers):
        raise XmrError(f"config {config.model!r}: {config.image_features!r} has no last layer to be tuned")
    if config.tune_text_layers and not any(pretrained.tails):
        raise XmrError(f"config {config.model!r}: {config.text_features!r} has no layers to be tuned")
    image_parts = [
        _image_part(config, slug, how, features, layer)
        for (slug, how), features, layer in zip(
            config.image_parts, _each(train_pairs.images), pretrained.last_layers, strict=True
        )
    ]
    image = _encoder(config, image_parts, config.image_fusion, config.image_input)
    text_parts = [
        _text_part(config, how, features, table, tail)
        for (_, how), features, table, tail in zip(
            config.text_parts, _each(train_pairs.captions), pretrained.tables, pretrained.tails, strict=True
        )
    ]
    model = DualEncoder(image, _encoder(config, text_parts, config.text_fusion, config.text_input))
    model.image.fit_input(train_pairs.images)
    model.caption.fit_input(train_pairs.captions)
    return model


def image_encoder(config: Config, features: Tensor) -> ItemEncoder:
    """Build the untrained encoder of images alone, of one vector each; its scaling is taken from these features."""
    encoder = _encoder(config, [(nn.Identity(), features.shape[1])], config.image_fusion, config.image_input)
    encoder.fit_input(features)
    return encoder


def make_loss(config: Config) -> nn.Module:
    """Build the loss."""
    if config.loss == "contrastive":
        return ContrastiveLoss(config.margin)
    if config.loss == "infonce":
        return InfoNCELoss(config.temperature, learnable=True, direction=config.direction)
    return TripletLoss(config.margin, config.negatives, config.direction)


Part = tuple[nn.Module, int]
"""A module from features to one vector an item, and the length of that vector."""


def _encoder(config: Config, parts: Sequence[Part], fusion: str, scaling: str) -> ItemEncoder:
    def projection(dims: int | Sequence[int]) -> Projection:
        return Projection(dims, config.embed, config.projection, config.hidden, config.dropout, scaling)

    dims = [dim for _, dim in parts]
    joint = fusion == "concat" or len(parts) == 1
    projections = [projection(dims)] if joint else [projection(dim) for dim in dims]
    return ItemEncoder([part for part, _ in parts], projections, "concat" if joint else fusion, config.normalised)


def _image_part(config: Config, slug: str, how: str, features: Tensor | Rows, last_layer: nn.Module | None) -> Part:
    if isinstance(last_layer, EfficientNetTail):
        if not config.tune_image_tail or how != "none":
            raise XmrError(
                f"config {config.model!r}: {slug!r} are maps of a CNN; they need tune_image_tail and no aggregation"
            )
        return MapEntry(last_layer), last_layer.norm.num_features
    several = isinstance(features, Rows)
    if several != (how != "none"):
        raise XmrError(
            f"config {config.model!r}: image_aggregation = {how!r} does not fit {slug!r}, which has "
            f"{'several vectors' if several else 'one vector'} an image"
        )
    if not several:
        return nn.Identity(), features.shape[1]
    if last_layer is not None:
        last_layer.requires_grad_(config.tune_last_layer)
    dim = features.shape[1] - GEOMETRY if last_layer is None else last_layer.out_features
    pooling, pooled = row_pooling(how, dim, config.hidden, config.dropout, GEOMETRY)
    return RowPart(RegionEntry(last_layer), pooling), pooled


def _text_part(config: Config, how: str, features: Tensor | Rows, table: Tensor | None, tail: nn.Module | None) -> Part:
    if not isinstance(features, Rows):
        return nn.Identity(), features.shape[1]
    if features.values.ndim == 1:
        dim = table.shape[1]
        entry: nn.Module = WordEmbedding(table, config.train_words, config.word_dropout, config.word_scale)
    else:
        if config.train_words:
            raise XmrError(
                f"config {config.model!r}: train_words needs vectors of words, not of the tokens of captions"
            )
        dim = features.shape[1]
        entry = TokenEntry(dim, config.word_dropout, tail)
    pooling, pooled = row_pooling(how, dim, config.hidden, config.dropout)
    return RowPart(entry, pooling), pooled


def _each(items: Items) -> tuple[Tensor | Rows, ...]:
    return items.parts if isinstance(items, Parts) else (items,)
