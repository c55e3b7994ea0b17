"""Contrastive loss of Siamese networks: what belongs together is drawn together, what does not is pushed apart."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from .similarity import by_direction, known_direction


class ContrastiveLoss(nn.Module):
    """d² of pairs that belong together plus max(0, margin − d)² of those that do not (Hadsell et al. 2006).

    d is a Euclidean distance: the similarity must be its negative. Of the pairs that do not belong together only those
    nearer than the margin count in the mean: the others, soon nearly all, would make it vanish.

    Args:
        margin: distance from which on a pair is far enough apart.
        direction: see ``TripletLoss``; distances are symmetric, only the mean differs.
    """

    def __init__(self, margin: float = 1.0, direction: str = "both"):
        super().__init__()
        self.margin, self.direction = margin, known_direction(direction)

    def forward(
        self, similarity: Float[Tensor, "pairs pairs"], image_of_pair: Int[Tensor, " pairs"]
    ) -> Float[Tensor, ""]:
        sides = []
        for scores, negative in by_direction(similarity, image_of_pair, self.direction):
            near = (self.margin + scores).clamp_min(0).square().where(negative, 0.0)
            sides.append(scores.diagonal().square().mean() + near.sum() / (near > 0).sum().clamp_min(1))
        return torch.stack(sides).mean()
