"""Contrastive loss of Siamese networks: positive pairs as near as can be, others at least a margin apart."""

from typing import Annotated, ClassVar

from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor, nn

from .registry import LOSSES


@LOSSES.register("contrastive")
class ContrastiveLoss(nn.Module):
    """½ D² of positive pairs + ½ max(0, margin − D)² of pairs of different images (Hadsell et al. 2006, eq. 4).

    The distance D is the negative similarity, so it needs Euclidean embeddings. Positive pairs and negatives are
    averaged apart, or the many negatives of a batch would outweigh the few positive pairs; those farther apart than the
    margin add nothing and are not counted, or the few that matter would vanish among them. A pair has no direction.

    Args:
        margin: in units of the distance.

    A pair without negatives (a batch of one image) does not count; a batch of such pairs has loss 0.
    """

    distances: ClassVar[tuple[str, ...]] = ("euclidean",)

    def __init__(self, margin: Annotated[float, Field(gt=0)] = 1.0):
        super().__init__()
        self.margin = margin

    def forward(
        self, similarity: Float[Tensor, "pairs pairs"], image_of_pair: Int[Tensor, " pairs"]
    ) -> Float[Tensor, ""]:
        distance = (-similarity).clamp_min(0)
        negative = image_of_pair[:, None] != image_of_pair[None, :]
        positive = distance.diagonal().square(), negative.any(1)
        near = (self.margin - distance).square(), negative & (distance < self.margin)
        return 0.5 * (_mean_of(*positive) + _mean_of(*near))


def _mean_of(values: Float[Tensor, "*dims"], counted: Bool[Tensor, "*dims"]) -> Float[Tensor, ""]:
    # Not by picking them out: how many there are would have to be known on the host.
    return values.where(counted, 0.0).sum() / counted.sum().clamp_min(1)
