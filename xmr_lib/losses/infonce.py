"""InfoNCE: pick the right partner out of the batch."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..errors import XmrError
from .similarity import by_direction

LARGEST_LOG_SCALE = math.log(100)
"""CLIP's bound: beyond it, training becomes unstable."""


class InfoNCELoss(nn.Module):
    """Cross entropy of "which of the batch's items is mine", over similarity / temperature, mean over anchors.

    van den Oord et al. 2018; symmetric and with a learnable temperature as in CLIP (Radford et al. 2021).

    Args:
        temperature: where the temperature starts, at least 0.01 (CLIP's bound, which training does not cross either).
        learnable: whether it is trained.
        direction: ``i2t`` (images choose among captions), ``t2i`` (captions among images) or ``both`` (their mean).
    """

    def __init__(self, temperature: float = 0.07, learnable: bool = True, direction: str = "both"):
        super().__init__()
        if not temperature >= 0.01:
            raise XmrError(f"temperature {temperature} is too small; take at least 0.01")
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)), requires_grad=learnable)
        self.direction = direction

    def forward(
        self, similarity: Float[Tensor, "pairs pairs"], image_of_pair: Int[Tensor, " pairs"]
    ) -> Float[Tensor, ""]:
        with torch.no_grad():
            # The parameter itself is bounded: were its use clamped, it would have no gradient beyond, and never return.
            self.log_scale.clamp_(max=LARGEST_LOG_SCALE)
        logits = similarity * self.log_scale.exp()
        sides = []
        for scores, negative in by_direction(logits, image_of_pair, self.direction):
            own = torch.eye(len(scores), dtype=torch.bool)
            candidates = scores.where(negative | own, -torch.inf)
            sides.append((candidates.logsumexp(1) - scores.diagonal()).mean())
        return torch.stack(sides).mean()
