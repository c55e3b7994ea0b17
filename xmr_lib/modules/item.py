"""The encoder of one modality: each part is aggregated, parts are fused, and the whole is projected."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..items import Items, Parts, blocks_of
from ..ragged import Ragged
from .moments import Moments
from .projection import Projection

FUSIONS = ("concat", "sum", "average", "gate", "attention")


class RowPart(nn.Module):
    """Rows of an item → one vector: entry, then aggregation."""

    def __init__(self, entry: nn.Module, pooling: nn.Module):
        super().__init__()
        self.entry, self.pooling = entry, pooling

    def forward(self, rows: Ragged) -> Float[Tensor, "items dim"]:
        return self.pooling(*self.entry(rows))


class ItemEncoder(nn.Module):
    """Features → embedding.

    Args:
        parts: one module per part, from its features to one vector per item (``nn.Identity`` where it is one already).
        projections: one of all parts end to end (``concat``, or a single part), else one per part, not normalised.
        fusion: of several parts: ``concat``; ``sum``; ``average`` of directions, however long they are; ``gate``, a
            softmax over parts for each dimension (Arevalo et al. 2017); ``attention``, one weight per part.
        normalised: whether embeddings are scaled to length 1.
    """

    def __init__(
        self,
        parts: Sequence[nn.Module],
        projections: Sequence[Projection],
        fusion: str = "concat",
        normalised: bool = True,
    ):
        super().__init__()
        self.parts, self.projections = nn.ModuleList(parts), nn.ModuleList(projections)
        self.fusion, self.normalised = fusion, normalised
        embed = projections[0].embed
        # Zero logits: training starts from equal weights.
        if fusion == "gate":
            self.gate = nn.Linear(len(parts) * embed, len(parts) * embed)
            nn.init.zeros_(self.gate.weight)
            nn.init.zeros_(self.gate.bias)
        elif fusion == "attention":
            self.query = nn.Parameter(torch.zeros(embed))

    def vectors(self, items: Items) -> list[Float[Tensor, "items _"]]:
        """Return one vector per item for each of what is projected."""
        return self._joined([part(features) for part, features in zip(self.parts, _parts(items), strict=True)])

    @torch.inference_mode()
    def fit_input(self, items: Items) -> None:
        """Take the statistics that scaling needs, of the training split, before anything has been learned."""
        for part, features in zip(self.parts, _parts(items), strict=True):
            if isinstance(part, RowPart) and hasattr(part.entry, "fit"):
                part.entry.fit(features)
        if not any(projection.input_scaling == "standardise" for projection in self.projections):
            return
        training = self.training
        self.eval()
        device = next(self.parameters()).device
        moments = [Moments() for _ in self.projections]
        for block in blocks_of(items):
            for own, vectors in zip(moments, self.vectors(block.to(device)), strict=True):
                own.add(vectors)
        for projection, own in zip(self.projections, moments, strict=True):
            projection.fit_input(own)
        self.train(training)

    def forward(self, items: Items) -> Float[Tensor, "items embed"]:
        return self._embedded(self.vectors(items))

    def embedded(self, found: Sequence[Float[Tensor, "items _"]]) -> Float[Tensor, "items embed"]:
        """Fuse and project what the parts gave, one vector per item each."""
        return self._embedded(self._joined(found))

    def _joined(self, found: Sequence[Tensor]) -> list[Tensor]:
        return [torch.cat(list(found), dim=1)] if self.fusion == "concat" else list(found)

    def _embedded(self, vectors: Sequence[Tensor]) -> Float[Tensor, "items embed"]:
        embeddings = torch.stack([p(v) for p, v in zip(self.projections, vectors, strict=True)], dim=1)
        embedding = self._fused(embeddings)
        return nn.functional.normalize(embedding, dim=-1) if self.normalised else embedding

    def _fused(self, embeddings: Float[Tensor, "items parts embed"]) -> Float[Tensor, "items embed"]:
        if self.fusion == "average":
            return nn.functional.normalize(embeddings, dim=-1).mean(1)
        if self.fusion == "gate":
            weights = self.gate(embeddings.flatten(1)).view_as(embeddings).softmax(1)
            return (embeddings * weights).sum(1)
        if self.fusion == "attention":
            weights = (nn.functional.normalize(embeddings, dim=-1) @ self.query * self.query.shape[0] ** 0.5).softmax(1)
            return (embeddings * weights[:, :, None]).sum(1)
        return embeddings.sum(1)


def _parts(items: Items) -> tuple[Items, ...]:
    return items.parts if isinstance(items, Parts) else (items,)
