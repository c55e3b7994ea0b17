"""Small untrained models, built from the features that they are to be fed."""

from torch import Tensor, nn

from xmr_lib.config import RunConfig
from xmr_lib.items import Items
from xmr_lib.model import BranchInput, build_dual_encoder, build_image_encoder
from xmr_lib.modules import BOX_FEATURES, DualEncoder, ItemEncoder
from xmr_lib.ragged import Ragged
from xmr_lib.training import Pairs


def image_input(features: Tensor | Ragged, tail: nn.Linear | None = None) -> BranchInput:
    """Return what a branch of images is fed: vectors, or rows with their boxes beside them."""
    if not isinstance(features, Ragged):
        return BranchInput(features.shape[1], tail=tail)
    dim = features.shape[1] - len(BOX_FEATURES) if tail is None else tail.out_features
    return BranchInput(dim, rows=True, tail=tail)


def text_input(features: Tensor | Ragged, table: Tensor | None = None) -> BranchInput:
    """Return what a branch of captions is fed: vectors, rows, or numbers of words in a table."""
    if table is not None:
        return BranchInput(table.shape[1], rows=True, table=table)
    return BranchInput(features.shape[1], rows=isinstance(features, Ragged))


def small_model(
    config: RunConfig, pairs: Pairs, table: Tensor | None = None, tail: nn.Linear | None = None
) -> DualEncoder:
    """Build the dual encoder of a config with one branch each; ``pairs`` are its training split.

    Args:
        table: vectors of the words that captions name by number.
        tail: last layer of a box head, between the stored regions and their vectors.
    """
    model = build_dual_encoder(config, [image_input(pairs.images, tail)], [text_input(pairs.captions, table)])
    model.image.fit_input(pairs.images)
    model.caption.fit_input(pairs.captions)
    return model


def small_image_encoder(config: RunConfig, images: Items) -> ItemEncoder:
    """Build the tower of images alone of a config with one branch; ``images`` are its training split."""
    encoder = build_image_encoder(config, [image_input(images)])
    encoder.fit_input(images)
    return encoder
