"""Query-bank normalisation: what is near to every question is believed less.

In a shared space some items (hubs) are near to most queries. How near an item is to a bank of training queries tells
how much of its similarity with a new one means nothing: inverted softmax (Smith et al., ICLR 2017), here dynamic, that
is, for queries alone whose nearest item is a hub (Bogolin et al., CVPR 2022). No test query is looked at.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from .inner_products import InnerProducts
from .metrics import Ranks, ranks_of_embeddings, summarise
from .search import nearest

MOST = 5000
"""Queries of one side of a bank: a mean over more of them is hardly another."""
STRENGTHS = (1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0)
"""β times the deviation of the bank's similarities: so the same numbers fit cosines and distances."""
SIDES = {"t2i": "captions", "i2t": "images"}
"""Who asks: the queries of the bank are of the same kind."""
BLOCK = 1024


@dataclass(frozen=True)
class QueryBank:
    """Embeddings of training captions and images, and how much they count."""

    images: Float[np.ndarray, "images embed"]
    """Those that ask for sentences."""
    captions: Float[np.ndarray, "captions embed"]
    """Those that ask for pictures."""
    distance: str
    """Of the model: cosine or euclidean (then squared distances are what is normalised)."""
    beta: dict[str, float | None]
    """Inverse temperature of each direction; None: validation was not better for it, nothing is normalised."""

    def excess(self, items: Float[np.ndarray, "items embed"], direction: str) -> Float[np.ndarray, " items"]:
        """Return how much of the similarity of each item with any query means nothing.

        It is ``log mean exp(β s) / β`` over the bank's similarities ``s`` with the item: subtracted from a query's
        similarities, they stand in the order of ``exp(β s) / Σ exp(β s)``, the inverted softmax.

        Args:
            items: pictures (``t2i``) or sentences (``i2t``).
        """
        beta, queries = self.beta[direction], self.queries(direction)
        assert beta is not None
        found = np.empty(len(items), np.float32)
        for start in range(0, len(items), BLOCK):
            block = items[start : start + BLOCK]
            scaled = torch.from_numpy(beta * InnerProducts(self.distance).between(queries, block))
            found[start : start + len(block)] = (torch.logsumexp(scaled, dim=0).numpy() - np.log(len(queries))) / beta
        return found

    def hubs(self, items: Float[np.ndarray, "items embed"], direction: str) -> Bool[np.ndarray, " items"]:
        """Return which items are the nearest of a query of the bank."""
        is_hub = np.zeros(len(items), bool)
        is_hub[nearest(self.queries(direction), items, 1, self.distance)[0][:, 0]] = True
        return is_hub

    def vectors(
        self,
        queries: Float[np.ndarray, "queries embed"],
        items: Float[np.ndarray, "items embed"],
        direction: str,
    ) -> tuple[Float[np.ndarray, "queries dim"], Float[np.ndarray, "items dim"]]:
        """Return vectors whose inner products stand in the normalised order."""
        products = InnerProducts(self.distance, with_excess=True)
        if self.beta[direction] is None:
            return products.queries(queries), products.items(items)
        first = nearest(queries, items, 1, self.distance)[0][:, 0]
        subtract = self.hubs(items, direction)[first]
        return products.queries(queries, subtract), products.items(items, self.excess(items, direction))

    def queries(self, direction: str) -> Float[np.ndarray, "bank embed"]:
        """Return the embeddings that ask in a direction."""
        return getattr(self, SIDES[direction]).astype(np.float32)


def choose_bank(
    bank: QueryBank,
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    image_of_caption: Int[np.ndarray, " captions"],
) -> tuple[QueryBank, dict]:
    """Choose β of each direction on the validation split: the one with the highest sum of its recalls.

    Returns:
        The bank, and what to record: ``rsum`` of validation without and with it, and the table that was chosen from.
    """
    plain = summarise(ranks_of_embeddings(images, captions, image_of_caption, bank.distance))
    chosen, table = dict.fromkeys(SIDES), []
    best = {direction: _sum(plain, direction) for direction in SIDES}
    without = sum(best.values())
    for direction in SIDES:
        deviation = _deviation(bank, images if direction == "t2i" else captions, direction)
        for strength in STRENGTHS:
            trial = replace(bank, beta={**bank.beta, direction: strength / deviation})
            value = _sum(
                summarise(normalised_ranks(trial, images, captions, image_of_caption, (direction,))), direction
            )
            table.append({"direction": direction, "beta": strength / deviation, "val_sum": value})
            if value > best[direction]:
                best[direction], chosen[direction] = value, strength / deviation
    facts = {"val_rsum": {"without": without, "with": sum(best.values())}, "validation": table}
    return replace(bank, beta=chosen), facts


def normalised_ranks(
    bank: QueryBank,
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    image_of_caption: Int[np.ndarray, " captions"],
    directions: tuple[str, ...] = ("i2t", "t2i"),
) -> Ranks:
    """Rank a split with a bank; a direction that is not asked for has the other's ranks."""
    found = {}
    for direction in directions:
        if direction == "i2t":
            asked, items = bank.vectors(images, captions, direction)
            found[direction] = ranks_of_embeddings(asked, items, image_of_caption, "dot")
        else:
            asked, items = bank.vectors(captions, images, direction)
            found[direction] = ranks_of_embeddings(items, asked, image_of_caption, "dot")
    i2t, t2i = (found.get(direction) or next(iter(found.values())) for direction in ("i2t", "t2i"))
    return Ranks(i2t.i2t_positions, t2i.t2i, i2t.image_of_caption)


def _sum(metrics: dict, direction: str) -> float:
    return sum(metrics[f"{direction}_r{k}"] for k in (1, 5, 10))


def _deviation(bank: QueryBank, items: np.ndarray, direction: str) -> float:
    """Return the standard deviation of the similarities of bank and items."""
    similarities = InnerProducts(bank.distance).between(bank.queries(direction)[:BLOCK], items[:BLOCK])
    return float(similarities.std()) or 1.0
