"""Graded relevance against a loop, and what a random order gets."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xmr_lib.errors import XmrError
from xmr_lib.metrics.graded import GradedRelevance

WORDS = [f"w{i}" for i in range(12)]


def naive_relevance(query, gallery):
    """Cosine of sets of words, a word weighing log((1 + N) / (1 + number of gallery items that hold it))."""
    weight = {
        w: math.log((1 + len(gallery)) / (1 + sum(w in item for item in gallery))) for item in gallery for w in item
    }

    def length(item):
        return math.sqrt(sum(weight[w] ** 2 for w in set(item) if w in weight))

    values = []
    for item in gallery:
        shared = sum(weight[w] ** 2 for w in set(query) & set(item))
        values.append(shared / (length(query) * length(item)) if shared else 0.0)
    return values


def naive_ndcg(queries, gallery, found):
    scores = []
    for query, places in zip(queries, found, strict=True):
        relevance = naive_relevance(query, gallery)
        ideal = sum(r / math.log2(1 + place) for place, r in enumerate(sorted(relevance)[::-1][: len(places)], 1))
        if ideal:
            scores.append(sum(relevance[p] / math.log2(1 + place) for place, p in enumerate(places, 1)) / ideal)
    return 100 * sum(scores) / len(scores)


def items(number, seed):
    """Items of 0 … 6 words, with repetitions."""
    rng = np.random.default_rng(seed)
    return [list(rng.choice(WORDS, rng.integers(0, 7))) for _ in range(number)]


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), queries=st.integers(1, 8), k=st.integers(1, 9), block=st.sampled_from([1, 3, 256]))
def test_ndcg_agrees_with_a_loop(seed, queries, k, block):
    rng = np.random.default_rng(seed)
    asked = [[WORDS[0], "unheard of"], *items(queries, seed)]
    gallery = [[WORDS[0], WORDS[1]], [WORDS[2]], *items(7, seed + 1)]
    found = np.stack([rng.permutation(len(gallery))[:k] for _ in asked])
    value, _ = GradedRelevance(asked, gallery).ndcg(found, block)
    assert value == pytest.approx(naive_ndcg(asked, gallery, found))


def test_by_hand():
    gallery = [["dog"], ["dog", "snow"], ["cat"]]
    dog, snow = math.log(4 / 3), math.log(4 / 2)
    second = dog / math.hypot(dog, snow)
    # Relevance of "dog": 1, second, 0; found in the order cat, dog + snow, dog.
    value, chance = GradedRelevance([["dog"]], gallery).ndcg(np.array([[2, 1, 0]]))
    ideal = 1 + second / math.log2(3)
    assert value == pytest.approx(100 * (second / math.log2(3) + 1 / 2) / ideal)
    assert chance == pytest.approx(100 * (1 + second) / 3 * (1 + 1 / math.log2(3) + 1 / 2) / ideal)


def problem():
    rng = np.random.default_rng(3)
    queries, gallery = ([list(rng.choice(WORDS, 3, replace=False)) for _ in range(n)] for n in (15, 30))
    return queries, gallery, rng


def test_the_perfect_order_scores_100_and_no_order_more():
    queries, gallery, rng = problem()
    relevance = np.array([naive_relevance(query, gallery) for query in queries])
    graded = GradedRelevance(queries, gallery)
    assert graded.ndcg(np.argsort(-relevance, axis=1)[:, :10])[0] == pytest.approx(100)
    worst = graded.ndcg(np.argsort(relevance, axis=1)[:, :10])[0]
    for _ in range(20):
        found = np.argsort(rng.random(relevance.shape), axis=1)[:, :10]
        assert worst < graded.ndcg(found)[0] < 100


def test_random_orders_score_what_chance_says():
    queries, gallery, rng = problem()
    graded = GradedRelevance(queries, gallery)
    pairs = np.array([graded.ndcg(np.argsort(rng.random((15, 30)), axis=1)[:, :10]) for _ in range(1500)])
    values, chances = pairs.T
    np.testing.assert_allclose(chances, chances[0])
    assert abs(values.mean() - chances[0]) < 4.5 * values.std() / math.sqrt(len(values))


def test_queries_without_a_shared_word_are_left_out():
    gallery = [["dog"], ["cat"]]
    found = np.array([[0], [1]])
    assert GradedRelevance([["dog"], ["zebra"]], gallery).ndcg(found) == pytest.approx((100, 50))


@pytest.mark.parametrize(("queries", "gallery"), [([], [["a"]]), ([["a"]], [])])
def test_both_sides_need_items(queries, gallery):
    with pytest.raises(XmrError, match="items on both sides"):
        GradedRelevance(queries, gallery)


@pytest.mark.parametrize("gallery", [[["b"], ["c"]], [[], []], [["a"], ["a"]]])
def test_no_telling_word_is_refused_and_never_nan(gallery):
    with pytest.raises(XmrError, match="no query shares a telling word"):
        GradedRelevance([["a"]], gallery).ndcg(np.array([[0]]))


@pytest.mark.parametrize("found", [np.zeros((2, 1), int), np.zeros((1, 3), int), np.zeros((1, 0), int)])
def test_what_was_found_must_fit(found):
    with pytest.raises(XmrError, match="do not fit 1 queries and a gallery of 2"):
        GradedRelevance([["a"]], [["a"], ["b"]]).ndcg(found)
