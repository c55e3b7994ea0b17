"""InfoNCE: pick the right partner out of the batch."""

import math
from typing import Annotated, Literal

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from ..errors import XmrError
from .registry import LOSSES
from .similarity import by_direction, known_direction

LOWEST_TEMPERATURE = 0.01
"""CLIP's bound: below it, training becomes unstable."""


@LOSSES.register("infonce")
class InfoNCELoss(nn.Module):
    """Cross entropy of "which of the batch's items is mine", over similarity / temperature, mean over anchors.

    van den Oord et al. 2018; symmetric and with a learnable temperature as in CLIP (Radford et al. 2021).

    Args:
        temperature: where the temperature starts, at least 0.01 (CLIP's bound, which training does not cross either).
        learnable: whether it is trained.
        direction: ``i2t`` (images choose among captions), ``t2i`` (captions among images) or ``both`` (their mean).

    Other pairs of the anchor's own image are no candidates. Similarities may be of any sign and size, such as negative
    distances.

    Raises:
        XmrError: a temperature below 0.01, or an unknown direction.
    """

    def __init__(
        self,
        temperature: Annotated[float, Field(ge=LOWEST_TEMPERATURE)] = 0.07,
        learnable: bool = True,
        direction: Literal["i2t", "t2i", "both"] = "both",
    ):
        super().__init__()
        if not temperature >= LOWEST_TEMPERATURE:
            raise XmrError(f"temperature {temperature} is too small; take at least {LOWEST_TEMPERATURE}")
        self.log_scale = nn.Parameter(torch.tensor(-math.log(temperature)), requires_grad=learnable)
        self.direction = known_direction(direction)

    def forward(
        self, similarity: Float[Tensor, "pairs pairs"], image_of_pair: Int[Tensor, " pairs"]
    ) -> Float[Tensor, ""]:
        with torch.no_grad():
            # The parameter itself is bounded: were its use clamped, it would have no gradient beyond, and never return.
            self.log_scale.clamp_(max=-math.log(LOWEST_TEMPERATURE))
        logits = similarity * self.log_scale.exp()
        sides = []
        for scores, negative in by_direction(logits, image_of_pair, self.direction):
            candidates = scores.where(negative.clone().fill_diagonal_(True), -torch.inf)
            sides.append((candidates.logsumexp(1) - scores.diagonal()).mean())
        return torch.stack(sides).mean()
