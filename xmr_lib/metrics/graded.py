"""Graded relevance: how much what was found has to do with the query, where no exact match exists."""

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse
from jaxtyping import Bool, Float, Int

from ..errors import XmrError


def ndcg(
    relevance: Float[np.ndarray, "queries gallery"], found: Int[np.ndarray, "queries k"]
) -> tuple[Float[np.ndarray, " usable"], Float[np.ndarray, " usable"], Bool[np.ndarray, " queries"]]:
    """Return nDCG@k of each query in percent (Järvelin & Kekäläinen 2002), that of a random order, and who has one.

    Args:
        relevance: of each gallery item to each query, 0 … 1.
        found: gallery positions for each query, best first; k is at most the gallery's size.

    Queries to which nothing is relevant have no ideal order and are left out. Example: relevance 1, 0.5, 0 and the
    order 1, 0 found: (0.5 + 1 / log₂ 3) / (1 + 0.5 / log₂ 3) = 86.0 %.
    """
    k = found.shape[1]
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = -np.sort(-np.partition(relevance, -k, axis=1)[:, -k:], axis=1) @ discounts
    usable = ideal > 0
    reached = np.take_along_axis(relevance, found, axis=1) @ discounts
    chance = relevance.mean(1)[usable] * discounts.sum() / ideal[usable]
    return 100 * reached[usable] / ideal[usable], 100 * chance, usable


class GradedRelevance:
    """Relevance of gallery items to queries, 0 … 1: the cosine of their words, weighted by inverse document frequency.

    Each item is the set of words that describe it (a caption's own; for an image, those of all its captions). Made for
    galleries of another split, where a query has no right answer; words know no synonyms, so the values are low.
    """

    def __init__(self, queries: Sequence[Sequence[str]], gallery: Sequence[Sequence[str]]):
        if not queries or not gallery:
            raise XmrError(f"graded relevance needs items on both sides; there are {len(queries)} and {len(gallery)}")
        vocabulary = {word: i for i, word in enumerate(sorted({word for words in gallery for word in words}))}
        items = _incidence(gallery, vocabulary)
        frequency = np.asarray(items.sum(0)).ravel()
        weights = scipy.sparse.diags_array(np.log((1 + len(gallery)) / (1 + frequency)))
        self._queries = _unit_rows(_incidence(queries, vocabulary) @ weights)
        self._gallery = _unit_rows(items @ weights)

    def blocks(self, block: int = 256) -> Iterator[tuple[int, Float[np.ndarray, "queries gallery"]]]:
        """Yield the relevance of the whole gallery to some queries, with the position of the first of them."""
        for start in range(0, self._queries.shape[0], block):
            yield start, (self._queries[start : start + block] @ self._gallery.T).toarray()

    def ndcg(self, found: Int[np.ndarray, "queries k"], block: int = 256) -> tuple[float, float]:
        """Return nDCG@k in percent (Järvelin & Kekäläinen 2002) of what was found, and that of a random order.

        Args:
            found: gallery positions for each query, best first.
            block: queries handled at once.

        Queries that share no word with the gallery have no ideal order and are left out of the mean.

        Raises:
            XmrError: ``found`` does not fit the queries and the gallery, or no query shares a word with the gallery.
        """
        k = found.shape[1]
        if len(found) != self._queries.shape[0] or not 0 < k <= self._gallery.shape[0]:
            raise XmrError(
                f"graded relevance: {k} items found for {len(found)} queries do not fit "
                f"{self._queries.shape[0]} queries and a gallery of {self._gallery.shape[0]}"
            )
        scores, chances = [], []
        for start, relevance in self.blocks(block):
            score, chance, _ = ndcg(relevance, found[start : start + block])
            scores.append(score)
            chances.append(chance)
        if not any(map(len, scores)):
            raise XmrError(
                "graded relevance: no query shares a telling word with the gallery; is it of another language?"
            )
        return float(np.concatenate(scores).mean()), float(np.concatenate(chances).mean())


def _incidence(items: Sequence[Sequence[str]], vocabulary: dict[str, int]) -> scipy.sparse.csr_array:
    pairs = [(i, vocabulary[word]) for i, words in enumerate(items) for word in set(words) if word in vocabulary]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return scipy.sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(items), len(vocabulary)))


def _unit_rows(matrix: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(1)).ravel())
    return scipy.sparse.csr_array(scipy.sparse.diags_array(1 / np.where(lengths > 0, lengths, 1)) @ matrix)
