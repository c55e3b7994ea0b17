"""Collapse: when every item gets nearly the same embedding, the loss stands still and the ranks mean nothing."""

import torch
from torch import Tensor

from ..errors import XmrError
from ..items import Items
from ..modules import DualEncoder

PATIENCE = 3
"""Epochs that a model has to leave chance level."""
ITEMS = 256


@torch.inference_mode()
def spread(embeddings: Tensor) -> float:
    """Return how far apart embeddings lie: their variance as a share of their mean squared length, in 0 … 1.

    0 means that all are the same point; 1 that they point in all directions alike.
    """
    return float(embeddings.var(0, unbiased=False).sum() / embeddings.square().sum(1).mean().clamp_min(1e-30))


def guard(
    name: str,
    model: DualEncoder,
    images: Items,
    captions: Items,
    losses: list[float],
    val_rsums: list[float],
    chance: float,
) -> None:
    """Stop a training that has collapsed; ``name`` says which.

    Raises:
        XmrError: for ``PATIENCE`` epochs running, recall stayed near chance while the embeddings of a modality lie in
            one point.
    """
    if len(val_rsums) < PATIENCE or max(val_rsums[-PATIENCE:]) > 2 * chance:
        return
    spreads = {
        "images": spread(model.embed_images(images[:ITEMS])),
        "captions": spread(model.embed_captions(captions[:ITEMS])),
    }
    modality = min(spreads, key=spreads.__getitem__)
    if spreads[modality] < 1e-2:
        raise XmrError(
            f"{name}: training stopped after epoch {len(losses)}: collapse: all {modality} have nearly the same "
            f"embedding (spread {spreads[modality]:.1e} of 1), the loss stands at {losses[-1]:.3f} and validation rSum "
            f"at {val_rsums[-1]:.1f} (chance {chance:.1f}); try a lower learning_rate, negatives = 'semihard' or "
            "loss = 'infonce'"
        )
