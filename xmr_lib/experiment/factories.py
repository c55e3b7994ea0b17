"""From the names in a config to objects."""

from torch import nn

from ..config import Config
from ..encoders import DualEncoder, Projection
from ..losses import InfoNCELoss, TripletLoss
from ..training import Pairs


def make_model(config: Config, train_pairs: Pairs) -> DualEncoder:
    """Build the untrained dual encoder; the scaling of its inputs is taken from the training split."""

    def projection(features: int, scaling: str) -> Projection:
        return Projection(
            features, config.embed, config.projection, config.hidden, config.dropout, config.normalised, scaling
        )

    model = DualEncoder(
        projection(train_pairs.images.shape[1], config.image_input),
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
