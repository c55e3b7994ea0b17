"""What a teacher finds alike, learned by a student."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from .similarity import by_direction


def distillation(
    similarity: Float[Tensor, "pairs pairs"],
    taught: Float[Tensor, "pairs pairs"],
    scale: Float[Tensor, ""],
    image_of_pair: Int[Tensor, " pairs"],
    direction: str = "both",
) -> Float[Tensor, ""]:
    """Return the cross entropy of a student's choices among a batch against its teacher's (Hinton et al. 2015).

    Both choose by a softmax over the candidates that ``InfoNCELoss`` has: an anchor's partner and the pairs of other
    images. It is least, the entropy of the teacher's choices, where both are the same.

    Args:
        similarity: of the student; rows are images.
        taught: of the teacher, of the same pairs.
        scale: 1 / temperature, for both.
        direction: see ``InfoNCELoss``.
    """
    sides = []
    of_teacher = by_direction(taught, image_of_pair, direction)
    for (scores, negative), (wanted, _) in zip(
        by_direction(similarity, image_of_pair, direction), of_teacher, strict=True
    ):
        candidates = negative.clone().fill_diagonal_(True)
        lowest = torch.finfo(scores.dtype).min
        chosen = (scores * scale).masked_fill(~candidates, lowest).log_softmax(1)
        # A teacher moves nobody's temperature.
        weights = (wanted * scale.detach()).masked_fill(~candidates, lowest).softmax(1)
        sides.append(-(weights * chosen).masked_fill(~candidates, 0.0).sum(1).mean())
    return torch.stack(sides).mean()
