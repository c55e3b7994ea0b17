"""Query-bank normalisation against loops, and what it is for: a hub loses the queries that are not its own."""

import numpy as np
import pytest

from xmr_lib.inner_products import InnerProducts
from xmr_lib.metrics import ranks_of_embeddings, summarise
from xmr_lib.query_bank import SIDES, QueryBank, choose_bank, normalised_ranks

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape).astype(np.float32)


def naive(query, item, distance):
    if distance == "euclidean":
        return -float(((query.astype(float) - item) ** 2).sum())
    return float(query @ item / np.sqrt((query @ query) * (item @ item)))


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_inner_products_stand_in_the_order_of_the_similarities(distance):
    queries, items = normal(5, 6), normal(9, 6)
    products = InnerProducts(distance)
    found = products.queries(queries) @ products.items(items).T
    assert found.shape == (5, 9) and products.items(items).shape[1] == products.dim(6)
    expected = np.array([[naive(q, i, distance) for i in items] for q in queries])
    np.testing.assert_array_equal(found.argsort(1), expected.argsort(1))
    np.testing.assert_allclose(products.between(queries, items), expected, atol=1e-4)
    shown = np.sqrt(-expected) * -1 if distance == "euclidean" else expected
    np.testing.assert_allclose(products.similarity(found, queries), shown, atol=1e-4)


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("direction", ["t2i", "i2t"])
def test_the_order_is_that_of_the_dynamic_inverted_softmax(distance, direction):
    bank = QueryBank(normal(30, 6), normal(40, 6), distance, {"t2i": 1.7, "i2t": 0.9})
    queries, items = normal(8, 6), normal(12, 6)
    asked, vectors = bank.vectors(queries, items, direction)
    own, beta = (bank.captions, 1.7) if direction == "t2i" else (bank.images, 0.9)
    totals = [sum(np.exp(beta * naive(b, item, distance)) for b in own) for item in items]
    hubs = {max(range(12), key=lambda i, b=b: naive(b, items[i], distance)) for b in own}
    gated = 0
    for query, found in zip(queries, asked @ vectors.T, strict=True):
        plain = [naive(query, item, distance) for item in items]
        if int(np.argmax(plain)) in hubs:
            gated += 1
            expected = [np.exp(beta * s) / total for s, total in zip(plain, totals, strict=True)]
        else:
            expected = plain
        assert found.argsort().tolist() == np.argsort(expected).tolist()
    assert gated


def test_a_query_whose_nearest_item_is_no_hub_is_left_alone():
    items = np.eye(4, dtype=np.float32)
    bank = QueryBank(items, items[:2], "cosine", {"t2i": 50.0, "i2t": None})
    assert bank.hubs(items, "t2i").tolist() == [True, True, False, False]
    asked, _ = bank.vectors(items, items, "t2i")
    assert asked[:, -1].tolist() == [1, 1, 0, 0]
    asked, _ = bank.vectors(items, items, "i2t")
    assert not asked[:, -1].any()


SHARED = 1.5 * np.random.default_rng(9).normal(size=32)
"""What all captions have in common, and one picture of each split more than the others."""


def with_a_hub(images, seed):
    rng = np.random.default_rng(seed)
    pictures = rng.normal(size=(images, 32))
    captions = pictures + 0.9 * rng.normal(size=(images, 32)) + SHARED
    pictures[0] = 0.3 * pictures[0] + 2 * SHARED
    return pictures.astype(np.float32), captions.astype(np.float32), np.arange(images)


def test_a_hub_loses_what_is_not_its_own():
    images, captions, owner = with_a_hub(200, 0)
    bank = QueryBank(*with_a_hub(200, 1)[:2], "cosine", {"t2i": None, "i2t": None})
    plain = summarise(ranks_of_embeddings(images, captions, owner, "cosine"))
    chosen, facts = choose_bank(bank, images, captions, owner)
    better = summarise(normalised_ranks(chosen, images, captions, owner))
    assert facts["val_rsum"] == {"without": pytest.approx(plain["rsum"]), "with": pytest.approx(better["rsum"])}
    # The hub was first for nearly all captions.
    assert plain["t2i_r1"] < 20 < 70 < better["t2i_r1"]
    assert len(facts["validation"]) == 14
    best = max((row for row in facts["validation"] if row["direction"] == "t2i"), key=lambda row: row["val_sum"])
    assert chosen.beta["t2i"] == best["beta"]


def test_nothing_is_normalised_where_validation_is_not_better_for_it():
    items = np.eye(8, dtype=np.float32)
    bank = QueryBank(items, items, "cosine", {"t2i": None, "i2t": None})
    chosen, facts = choose_bank(bank, items, items, np.arange(8))
    assert chosen.beta == {"t2i": None, "i2t": None}
    assert facts["val_rsum"] == {"without": pytest.approx(600), "with": pytest.approx(600)}


def test_a_gain_that_may_be_chance_is_not_taken():
    left = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        images = rng.normal(size=(40, 16)).astype(np.float32)
        captions = (images + rng.normal(size=(40, 16))).astype(np.float32)
        others = rng.normal(size=(40, 16)).astype(np.float32)
        bank = QueryBank(
            others, (others + rng.normal(size=(40, 16))).astype(np.float32), "cosine", dict.fromkeys(SIDES)
        )
        chosen, facts = choose_bank(bank, images, captions, np.arange(40))
        for direction, own in facts["gain"].items():
            assert (chosen.beta[direction] is not None) == (own["interval"][0] > 0)
            left += own["gain"] > 0 and chosen.beta[direction] is None
    assert left
