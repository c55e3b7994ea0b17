"""From the names in a config to objects."""

from torch import nn

from ..config import Config
from ..encoders import GEOMETRY, DualEncoder, Projection, RegionEncoder, Rows, region_pooling
from ..errors import XmrError
from ..losses import InfoNCELoss, TripletLoss
from ..training import Pairs


def make_model(config: Config, train_pairs: Pairs, last_layer: nn.Linear | None = None) -> DualEncoder:
    """Build the untrained dual encoder; the scaling of its inputs is taken from the training split.

    Args:
        last_layer: of the detector whose regions the images are, where there is one between them and their vectors.

    Raises:
        XmrError: one vector an image that is to be aggregated, or several that are not.
    """

    def projection(features: int, scaling: str) -> Projection:
        return Projection(
            features, config.embed, config.projection, config.hidden, config.dropout, config.normalised, scaling
        )

    def image_encoder() -> Projection | RegionEncoder:
        several = isinstance(train_pairs.images, Rows)
        if several != (config.image_aggregation != "none"):
            raise XmrError(
                f"config {config.model!r}: image_aggregation = {config.image_aggregation!r} does not fit "
                f"{config.image_features!r}, which has {'several vectors' if several else 'one vector'} an image"
            )
        if config.tune_last_layer and last_layer is None:
            raise XmrError(f"config {config.model!r}: {config.image_features!r} has no last layer to be tuned")
        if not several:
            return projection(train_pairs.images.shape[1], config.image_input)
        if last_layer is not None:
            last_layer.requires_grad_(config.tune_last_layer)
        dim = train_pairs.images.shape[1] - GEOMETRY if last_layer is None else last_layer.out_features
        pooling, pooled = region_pooling(config.image_aggregation, dim, config.hidden, config.dropout)
        return RegionEncoder(pooling, projection(pooled, config.image_input), last_layer)

    model = DualEncoder(
        image_encoder(),
        projection(train_pairs.captions.shape[1], config.text_input),
    )
    model.image.fit_input(train_pairs.images)
    model.caption.fit_input(train_pairs.captions)
    return model


def make_loss(config: Config) -> nn.Module:
    """Build the loss."""
    if config.loss == "infonce":
        return InfoNCELoss(config.temperature, learnable=True, direction=config.direction)
    return TripletLoss(config.margin, config.negatives, config.direction)
