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
from .metrics import Ranks, difference_interval, ranks_of_embeddings, summarise
from .search import nearest

MOST = 5000
"""Queries of one side of a bank: a mean over more of them is hardly another."""
STRENGTHS = (1.0, 2.0, 4.0, 6.0, 8.0, 12.0, 16.0)
"""β times the deviation of the bank's similarities: so the same numbers fit cosines and distances."""
SIDES = {"t2i": "captions", "i2t": "images"}
"""Who asks: the queries of the bank are of the same kind."""
POSITIONS = {"t2i": "t2i", "i2t": "i2t_positions"}
"""Fields of ``Ranks``."""
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
    """Inverse temperature of each direction; None: validation was not clearly better for it, nothing is normalised."""

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

    It is taken only where it gains more than chance would: where the 95 % interval of the gain (paired, over images)
    lies above 0. The best of several on a few images is else often worse on others.

    Returns:
        The bank, and what to record: ``val_rsum`` without and with it, the ``gain`` of each direction with its interval
        (whether it was taken or not), and the table that was chosen from.
    """
    plain = ranks_of_embeddings(images, captions, image_of_caption, bank.distance)
    chosen, table, gains, kept = dict.fromkeys(SIDES), [], {}, plain
    for direction in SIDES:
        deviation = _deviation(bank, images if direction == "t2i" else captions, direction)
        tried = []
        for strength in STRENGTHS:
            beta = strength / deviation
            trial = replace(bank, beta={**bank.beta, direction: beta})
            ranks = _with(plain, trial, images, captions, direction)
            tried.append((_sum(ranks, direction), beta, ranks))
            table.append({"direction": direction, "beta": beta, "val_sum": tried[-1][0]})
        value, beta, ranks = max(tried, key=lambda own: own[0])
        interval = difference_interval([plain], [ranks])
        gains[direction] = {"gain": value - _sum(plain, direction), "interval": interval}
        if interval[0] > 0:
            chosen[direction] = beta
            kept = replace(kept, **{POSITIONS[direction]: getattr(ranks, POSITIONS[direction])})
    rsum = {"without": summarise(plain)["rsum"], "with": summarise(kept)["rsum"]}
    return replace(bank, beta=chosen), {"val_rsum": rsum, "gain": gains, "validation": table}


def normalised_ranks(
    bank: QueryBank,
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    image_of_caption: Int[np.ndarray, " captions"],
) -> Ranks:
    """Rank a split with a bank."""
    ranks = ranks_of_embeddings(images, captions, image_of_caption, bank.distance)
    for direction in SIDES:
        if bank.beta[direction] is not None:
            ranks = _with(ranks, bank, images, captions, direction)
    return ranks


def _with(
    ranks: Ranks,
    bank: QueryBank,
    images: Float[np.ndarray, "images embed"],
    captions: Float[np.ndarray, "captions embed"],
    direction: str,
) -> Ranks:
    """Return ranks with those of one direction normalised."""
    if direction == "i2t":
        asked, items = bank.vectors(images, captions, direction)
        found = ranks_of_embeddings(asked, items, ranks.image_of_caption, "dot")
    else:
        asked, items = bank.vectors(captions, images, direction)
        found = ranks_of_embeddings(items, asked, ranks.image_of_caption, "dot")
    return replace(ranks, **{POSITIONS[direction]: getattr(found, POSITIONS[direction])})


def _sum(ranks: Ranks, direction: str) -> float:
    metrics = summarise(ranks)
    return sum(metrics[f"{direction}_r{k}"] for k in (1, 5, 10))


def _deviation(bank: QueryBank, items: np.ndarray, direction: str) -> float:
    """Return the standard deviation of the similarities of bank and items."""
    similarities = InnerProducts(bank.distance).between(bank.queries(direction)[:BLOCK], items[:BLOCK])
    return float(similarities.std()) or 1.0
