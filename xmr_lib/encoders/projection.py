"""The learned map of one modality into the common space."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

EPSILON = 1e-6


class Projection(nn.Module):
    """Feature vector → embedding: fixed input scaling, a linear layer, an MLP or their sum, then length 1 if wanted.

    The scaling belongs to the module (its statistics are buffers, taken from the training split by ``fit_input``), so
    that a checkpoint alone is enough to embed new items.
    """

    def __init__(
        self, features: int, embed: int, kind: str, hidden: int, dropout: float, normalised: bool, input_scaling: str
    ):
        super().__init__()
        self.input_scaling, self.normalised = input_scaling, normalised
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

    def fit_input(self, features: Float[Tensor, "items features"]) -> None:
        """Take the statistics that ``standardise`` needs; nothing is done for the other scalings."""
        if self.input_scaling == "standardise":
            self.mean.copy_(features.mean(0))
            self.deviation.copy_(features.std(0))

    def forward(self, features: Float[Tensor, "items features"]) -> Float[Tensor, "items embed"]:
        if self.input_scaling == "standardise":
            features = (features - self.mean) / (self.deviation + EPSILON)
        elif self.input_scaling == "l2":
            # Scaled to length √features rather than 1, so that each input has a size near 1 as layers expect.
            features = nn.functional.normalize(features, dim=-1) * features.shape[-1] ** 0.5
        embedding = sum(branch(features) for branch in (self.linear, self.mlp) if branch is not None)
        return nn.functional.normalize(embedding, dim=-1) if self.normalised else embedding
