"""The learned map of one modality into the common space."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .moments import Moments

EPSILON = 1e-6


class Projection(nn.Module):
    """Feature vector → embedding: fixed input scaling, a linear layer, an MLP or their sum.

    The scaling belongs to the module (its statistics are buffers, taken from the training split by ``fit_input``), so
    that a checkpoint alone is enough to embed new items. Where ``features`` are several lengths, vectors of these
    lengths lie end to end in the input, and each is scaled on its own.
    """

    def __init__(
        self,
        features: int | Sequence[int],
        embed: int,
        kind: str,
        hidden: int,
        dropout: float,
        input_scaling: str,
    ):
        super().__init__()
        self.input_scaling, self.embed = input_scaling, embed
        self.parts = [features] if isinstance(features, int) else list(features)
        features = sum(self.parts)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("deviation", torch.ones(features))
        self.linear = nn.Sequential(nn.Dropout(dropout), nn.Linear(features, embed)) if kind != "mlp" else None
        self.mlp = (
            nn.Sequential(
                nn.Dropout(dropout),
                nn.Linear(features, hidden),
                nn.GELU(),
                nn.Dropout(dropout),
                nn.Linear(hidden, embed),
            )
            if kind != "linear"
            else None
        )

    def fit_input(self, features: Moments) -> None:
        """Take the statistics that ``standardise`` needs; nothing is done for the other scalings."""
        if self.input_scaling == "standardise":
            deviation = features.deviation
            self.mean.copy_(features.mean)
            # A dimension that training hardly ever uses must not be blown up where it is used.
            self.deviation.copy_(deviation.clamp_min(0.1 * float(deviation.mean())))

    def forward(self, features: Float[Tensor, "items features"]) -> Float[Tensor, "items embed"]:
        if self.input_scaling == "standardise":
            features = (features - self.mean) / (self.deviation + EPSILON)
        elif self.input_scaling != "none":
            features = torch.cat([self._unit(part) for part in features.split(self.parts, dim=-1)], dim=-1)
        return sum(branch(features) for branch in (self.linear, self.mlp) if branch is not None)

    def _unit(self, part: Tensor) -> Tensor:
        if self.input_scaling == "power":
            # Square roots make long-tailed features more even (Perronnin et al. 2010).
            # The root's slope at zero is infinite, and what a learned aggregation gives may be zero.
            part = part.sign() * part.abs().clamp_min(1e-6).sqrt()
        # Scaled to length √features rather than 1, so that each input has a size near 1 as layers expect.
        return nn.functional.normalize(part, dim=-1) * part.shape[-1] ** 0.5
