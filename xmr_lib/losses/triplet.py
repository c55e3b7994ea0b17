"""Triplet losses: a pair should be more alike than its negatives, by a margin."""

from typing import Annotated, Literal

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field
from torch import Tensor, nn

from ..errors import XmrError
from .registry import LOSSES
from .similarity import by_direction, known_direction

NEGATIVES = ("random", "semihard", "hardest", "all")


@LOSSES.register("triplet")
class TripletLoss(nn.Module):
    """max(0, margin + similarity to a negative − similarity to the positive), mean over anchors.

    Args:
        margin: in units of the similarity.
        negatives: which of an anchor's negatives count:
            ``random``: one, drawn anew each time;
            ``semihard``: the most alike of those that are less alike than the positive; where there is none, the least
            alike of all (Schroff et al. 2015, *FaceNet*);
            ``hardest``: the most alike (Faghri et al. 2018, *VSE++*);
            ``all``: all of them, summed (Kiros et al. 2014).
        direction: ``i2t`` (anchors are images), ``t2i`` (captions) or ``both`` (the mean of the two).

    An anchor without negatives (a batch of one image) does not count; a batch of such anchors has loss 0.

    Raises:
        XmrError: unknown negatives, or an unknown direction.
    """

    def __init__(
        self,
        margin: Annotated[float, Field(gt=0)] = 0.2,
        negatives: Literal["random", "semihard", "hardest", "all"] = "hardest",
        direction: Literal["i2t", "t2i", "both"] = "both",
    ):
        super().__init__()
        if negatives not in NEGATIVES:
            raise XmrError(f"negatives {negatives!r} are unknown; there are {', '.join(NEGATIVES)}")
        self.margin, self.negatives, self.direction = margin, negatives, known_direction(direction)

    def forward(
        self, similarity: Float[Tensor, "pairs pairs"], image_of_pair: Int[Tensor, " pairs"]
    ) -> Float[Tensor, ""]:
        sides = [self._one(*side) for side in by_direction(similarity, image_of_pair, self.direction)]
        return torch.stack(sides).mean()

    def _one(
        self, similarity: Float[Tensor, "anchors candidates"], negative: Bool[Tensor, "anchors candidates"]
    ) -> Float[Tensor, ""]:
        usable = negative.any(1)
        positive = similarity.diagonal()
        if self.negatives == "all":
            hinges = (self.margin + similarity - positive[:, None]).clamp_min(0).where(negative, 0.0).sum(1)
        else:
            chosen = similarity.gather(1, self._choose(similarity.detach(), negative)[:, None])[:, 0]
            hinges = (self.margin + chosen - positive).clamp_min(0).where(usable, 0.0)
        return hinges.sum() / usable.sum().clamp_min(1)

    def _choose(
        self, similarity: Float[Tensor, "anchors candidates"], negative: Bool[Tensor, "anchors candidates"]
    ) -> Int[Tensor, " anchors"]:
        """Return the negative that each anchor takes; anything for an anchor that has none."""
        if self.negatives == "random":
            return torch.rand_like(similarity).where(negative, -1.0).argmax(1)
        if self.negatives == "hardest":
            return similarity.where(negative, -torch.inf).argmax(1)
        below = negative & (similarity < similarity.diagonal()[:, None])
        hardest_below = similarity.where(below, -torch.inf).argmax(1)
        easiest = similarity.where(negative, torch.inf).argmin(1)
        return torch.where(below.any(1), hardest_below, easiest)
