"""Collapse: when every item gets nearly the same embedding, the loss stands still and the ranks mean nothing."""

import torch
from torch import Tensor, nn

from ..errors import XmrError
from ..items import Items
from ..modules import DualEncoder

PATIENCE = 3
"""Epochs that a model has to leave chance level."""
ITEMS = 256
STANDS = 0.98
"""Share of ``blind_loss`` from which on a loss counts as no lower."""


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


@torch.no_grad()
def blind_loss(loss: nn.Module, pairs: int) -> float:
    """Return the loss of a batch in which all similarities are the same, each pair of an image of its own.

    Of a triplet with one negative that is the margin, of InfoNCE the logarithm of the number of pairs.
    """
    device = next((parameter.device for parameter in loss.parameters()), torch.device("cpu"))
    return float(loss(torch.zeros(pairs, pairs, device=device), torch.arange(pairs, device=device)))


def told_nothing_apart(name: str, loss: nn.Module, losses: list[float], pairs: int) -> str:
    """Return a line to print of a training whose loss has ended no lower than ``blind_loss``; else nothing.

    Recall can be far above chance all the same: of the epochs before, or of what the loss does not look at.
    """
    if len(losses) < PATIENCE or min(losses[-PATIENCE:]) < STANDS * (blind := blind_loss(loss, pairs)):
        return ""
    return (
        f"{name}: the loss ends at {losses[-1]:.3f}, no lower than if all similarities were the same ({blind:.3f}): "
        "it was not learned, and its scores say nothing of the loss; try a smaller batch, a lower learning_rate, or "
        "negatives = 'semihard'"
    )
