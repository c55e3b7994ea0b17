"""Image-to-image metrics against a loop, against ir-measures, and against random orders."""

import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, P, Success, nDCG

from xmr_lib.errors import XmrError
from xmr_lib.metrics import score_image_retrieval

METRICS = ("r1", "r5", "r10", "p10", "map", "ndcg10")


def problem(seed, images=14, ties=False):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, 3, (images, images)) / 2 if ties else rng.normal(size=(images, images))
    gains = rng.random((images, images)) * (rng.random((images, images)) < 0.5)
    return similarity, gains, gains > 0.5


def naive(similarity, gains, relevant):
    """One query after the other; None for one that has nothing to find."""
    rows = []
    for query in range(len(similarity)):
        others = [i for i in range(len(similarity)) if i != query]
        order = sorted(others, key=lambda i, q=query: (-similarity[q, i], relevant[q, i], gains[q, i]))
        right = [bool(relevant[query, i]) for i in order]
        if not any(right):
            rows.append(None)
            continue
        row = {f"r{k}": 100.0 * any(right[:k]) for k in (1, 5, 10)}
        row["p10"] = 100 * sum(right[:10]) / 10
        hits = [place for place, is_right in enumerate(right, 1) if is_right]
        row["map"] = 100 * sum(number / place for number, place in enumerate(hits, 1)) / len(hits)
        reached = sum(gains[query, i] / math.log2(1 + place) for place, i in enumerate(order[:10], 1))
        ideal = sorted((gains[query, i] for i in others), reverse=True)[:10]
        row["ndcg10"] = 100 * reached / sum(gain / math.log2(1 + place) for place, gain in enumerate(ideal, 1))
        rows.append(row)
    return rows


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), images=st.integers(4, 20), ties=st.booleans())
def test_every_query_agrees_with_a_loop(seed, images, ties):
    similarity, gains, relevant = problem(seed, images, ties)
    rows = naive(similarity, gains, relevant)
    asked = [i for i, row in enumerate(rows) if row]
    if not asked:
        return
    scores = score_image_retrieval(similarity, gains, relevant)
    np.testing.assert_array_equal(scores.queries, asked)
    for name in METRICS:
        np.testing.assert_allclose(scores.values[name], [rows[i][name] for i in asked], err_msg=name)


def test_by_hand():
    similarity = np.array([[9.0, 0.2, 0.9], [0.8, 9.0, 0.1], [0.5, 0.5, 9.0]])
    relevant = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], dtype=bool)
    scores = score_image_retrieval(similarity, relevant.astype(float), relevant)
    assert list(scores.queries) == [0, 1]
    assert list(scores.values["r1"]) == [0, 100] and list(scores.values["map"]) == [50, 100]
    np.testing.assert_allclose(scores.values["ndcg10"], [100 / math.log2(3), 100])
    assert scores.summary()["chance_r1"] == pytest.approx(50) and scores.summary()["chance_map"] == pytest.approx(75)


def test_ir_measures_agrees():
    similarity, _, relevant = problem(3, 30)
    scores = score_image_retrieval(similarity, relevant.astype(float), relevant)
    pairs = [(q, i) for q in scores.queries for i in range(30) if i != q]
    qrels = [ir_measures.Qrel(str(q), str(i), int(relevant[q, i])) for q, i in pairs]
    run = [ir_measures.ScoredDoc(str(q), str(i), float(similarity[q, i])) for q, i in pairs]
    theirs = ir_measures.calc_aggregate([Success @ 1, Success @ 5, P @ 10, AP, nDCG @ 10], qrels, run)
    ours = scores.summary()
    expected = {"r1": Success @ 1, "r5": Success @ 5, "p10": P @ 10, "map": AP, "ndcg10": nDCG @ 10}
    for name, measure in expected.items():
        assert ours[name] == pytest.approx(100 * theirs[measure]), name


@pytest.mark.parametrize("images", [8, 25])
def test_random_orders_score_what_chance_says(images):
    _, gains, relevant = problem(5, images)
    rng = np.random.default_rng(0)
    runs = [score_image_retrieval(rng.random((images, images)), gains, relevant).summary() for _ in range(600)]
    for name in METRICS:
        drawn = np.array([run[name] for run in runs])
        assert abs(drawn.mean() - runs[0][f"chance_{name}"]) < 4.5 * drawn.std() / math.sqrt(len(drawn)) + 1e-9, name


def test_a_model_that_scores_everything_alike_gets_the_worst_order():
    _, gains, relevant = problem(6)
    alike = score_image_retrieval(np.zeros((14, 14)), gains, relevant).summary()
    worst = score_image_retrieval(-gains, gains, relevant).summary()
    assert alike["map"] == pytest.approx(worst["map"]) and alike["ndcg10"] <= worst["ndcg10"] + 1e-9


def test_the_own_image_counts_nowhere():
    similarity, gains, relevant = problem(7)
    plain = score_image_retrieval(similarity, gains, relevant).summary()
    for matrix, value in ((similarity, 1e6), (gains, 1.0), (relevant, True)):
        np.fill_diagonal(matrix, value)
    assert score_image_retrieval(similarity, gains, relevant).summary() == plain


def test_what_cannot_be_ranked_is_refused():
    similarity, gains, relevant = problem(8)
    with pytest.raises(XmrError, match="no image has another one"):
        score_image_retrieval(similarity, gains, np.eye(14, dtype=bool))
    similarity[2, 3] = np.nan
    with pytest.raises(XmrError, match="not finite"):
        score_image_retrieval(similarity, gains, relevant)
