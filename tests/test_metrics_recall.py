"""Recall and its relatives against loops over sorted lists, three other libraries, enumeration and simulation."""

import itertools

import ir_measures
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, Rprec, Success
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN
from torchmetrics.retrieval import RetrievalHitRate, RetrievalMRR, RetrievalRPrecision

from xmr_lib.metrics import Ranks, chance_levels, ranks_from_similarity, ranks_of_embeddings, summarise


def problem(seed, images=30):
    """Scores without ties in which own pairs are favoured, 1 … 9 captions per image, not grouped."""
    rng = np.random.default_rng(seed)
    owner = rng.permutation(np.repeat(np.arange(images), rng.integers(1, 10, images)))
    similarity = rng.normal(size=(images, len(owner)))
    similarity[owner, np.arange(len(owner))] += 1.5
    return similarity, owner


def naive_lists(similarity, owner):
    """For each query: whether the items of its list, best first, are right."""
    images, captions = similarity.shape
    found = {"i2t": [], "t2i": []}
    for image in range(images):
        order = sorted(range(captions), key=(-similarity[image]).__getitem__)
        found["i2t"].append([bool(owner[caption] == image) for caption in order])
    for caption in range(captions):
        order = sorted(range(images), key=(-similarity[:, caption]).__getitem__)
        found["t2i"].append([bool(owner[caption] == image) for image in order])
    return found


def summary_of(found):
    metrics = {}
    for direction, lists in found.items():
        for k in (1, 5, 10):
            metrics[f"{direction}_r{k}"] = 100 * sum(any(right[:k]) for right in lists) / len(lists)
        first = [list(right).index(True) + 1 for right in lists]
        metrics[f"{direction}_medr"] = float(np.median(first))
        metrics[f"{direction}_meanr"] = sum(first) / len(first)
        precision, average = [], []
        for right in lists:
            r = sum(right)
            precision.append(sum(right[:r]) / r)
            average.append(sum(sum(right[:p]) / p for p in range(1, r + 1) if right[p - 1]) / r)
        metrics[f"{direction}_r_precision"] = 100 * sum(precision) / len(lists)
        metrics[f"{direction}_map_at_r"] = 100 * sum(average) / len(lists)
    metrics["rsum"] = sum(metrics[f"{d}_r{k}"] for d in found for k in (1, 5, 10))
    return metrics


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), images=st.integers(1, 15))
def test_summary_agrees_with_loops(seed, images):
    similarity, owner = problem(seed, images)
    expected = summary_of(naive_lists(similarity, owner))
    assert summarise(ranks_from_similarity(similarity, owner)) == pytest.approx(expected, abs=1e-9)


def test_worked_example():
    metrics = summarise(Ranks(np.array([1, 3, 1, 2]), np.array([1, 2, 1, 1]), np.array([0, 0, 1, 1])))
    assert metrics["i2t_r1"] == 100 and metrics["t2i_r1"] == 75
    assert metrics["i2t_r_precision"] == 75 and metrics["i2t_map_at_r"] == 75
    assert metrics["t2i_medr"] == 1 and metrics["t2i_meanr"] == 1.25
    assert metrics["rsum"] == 100 * 3 + 75 + 100 * 2


def both_directions(similarity, owner):
    """Yield direction, scores with queries as rows, which entries are right, and the ranks of the first right item."""
    ranks = ranks_from_similarity(similarity, owner)
    right = owner[None, :] == np.arange(len(similarity))[:, None]
    return [("i2t", similarity, right, ranks.i2t), ("t2i", similarity.T, right.T, ranks.t2i)]


@pytest.mark.parametrize("side", [0, 1])
def test_torchmetrics_agrees(side):
    similarity, owner = problem(1)
    metrics = summarise(ranks_from_similarity(similarity, owner))
    direction, scores, right, first = both_directions(similarity, owner)[side]
    arguments = (
        # Its MRR takes scores of 0 and below for "not retrieved".
        torch.from_numpy(scores - scores.min() + 1).flatten(),
        torch.from_numpy(right.copy()).flatten(),
        torch.arange(len(scores)).repeat_interleave(scores.shape[1]),
    )
    for k in (1, 5, 10):
        assert metrics[f"{direction}_r{k}"] == pytest.approx(
            100 * RetrievalHitRate(top_k=k)(*arguments).item(), rel=1e-5
        )
    assert metrics[f"{direction}_r_precision"] == pytest.approx(
        100 * RetrievalRPrecision()(*arguments).item(), rel=1e-5
    )
    assert (1 / first).mean() == pytest.approx(RetrievalMRR()(*arguments).item(), rel=1e-5)


@pytest.mark.parametrize("side", [0, 1])
def test_ir_measures_agrees(side):
    similarity, owner = problem(2)
    metrics = summarise(ranks_from_similarity(similarity, owner))
    direction, scores, right, first = both_directions(similarity, owner)[side]
    cells = list(np.ndindex(scores.shape))
    qrels = [ir_measures.Qrel(str(q), str(d), int(right[q, d])) for q, d in cells]
    run = [ir_measures.ScoredDoc(str(q), str(d), float(scores[q, d])) for q, d in cells]
    relevant = right.sum(1)
    wanted = [Success @ 1, Success @ 5, Success @ 10, Rprec, RR, *(AP @ int(r) for r in np.unique(relevant))]
    values = {(m.measure, int(m.query_id)): m.value for m in ir_measures.iter_calc(wanted, qrels, run)}
    queries = range(len(scores))

    def mean(measure):
        return 100 * np.mean([values[measure, q] for q in queries])

    for k in (1, 5, 10):
        assert metrics[f"{direction}_r{k}"] == pytest.approx(mean(Success @ k))
    assert metrics[f"{direction}_r_precision"] == pytest.approx(mean(Rprec))
    assert 100 * (1 / first).mean() == pytest.approx(mean(RR))
    # AP cut off at each query's own number of right items is mAP@R.
    own_cutoff = 100 * np.mean([values[AP @ int(relevant[q]), q] for q in queries])
    assert metrics[f"{direction}_map_at_r"] == pytest.approx(own_cutoff)


@pytest.mark.parametrize("seed", [3, 4])
def test_pytorch_metric_learning_agrees(seed):
    rng = np.random.default_rng(seed)
    owner = rng.permutation(np.repeat(np.arange(25), rng.integers(1, 10, 25)))
    images = rng.normal(size=(25, 12))
    captions = rng.normal(size=(len(owner), 12)) + 0.7 * images[owner]
    metrics = summarise(ranks_of_embeddings(images, captions, owner))
    names = {"precision_at_1": "r1", "r_precision": "r_precision", "mean_average_precision_at_r": "map_at_r"}
    calculator = AccuracyCalculator(
        include=tuple(names), knn_func=CustomKNN(CosineSimilarity()), device=torch.device("cpu")
    )
    one, other = (torch.from_numpy(x) for x in (images, captions))
    labels = torch.arange(25), torch.from_numpy(owner)
    for direction, values in (
        ("i2t", calculator.get_accuracy(one, labels[0], other, labels[1])),
        ("t2i", calculator.get_accuracy(other, labels[1], one, labels[0])),
    ):
        for theirs, ours in names.items():
            assert metrics[f"{direction}_{ours}"] == pytest.approx(100 * values[theirs])


@pytest.mark.parametrize("owner", [[0, 0, 1, 2, 2, 2], [0, 1, 2, 3], [0, 0, 0], [2, 0, 1, 0, 1, 0, 0]])
def test_chance_is_the_mean_over_all_orders(owner):
    owner = np.array(owner)
    images = owner.max() + 1
    # Each image meets every order of the captions once, each caption every order of the images.
    lists = {
        "i2t": [owner[list(o)] == i for i in range(images) for o in itertools.permutations(range(len(owner)))],
        "t2i": [np.array(order) == 0 for order in itertools.permutations(range(images))],
    }
    expected = summary_of(lists)
    assert chance_levels(owner) == pytest.approx(expected)


def test_chance_is_what_random_scores_get():
    rng = np.random.default_rng(7)
    owner = rng.permutation(np.repeat(np.arange(40), rng.integers(1, 10, 40)))
    runs = [summarise(ranks_from_similarity(rng.random((40, len(owner))), owner)) for _ in range(400)]
    for name, value in chance_levels(owner).items():
        drawn = np.array([run[name] for run in runs])
        # The median of a finite sample is biased by less than a rank; means are not.
        assert abs(drawn.mean() - value) < 4.5 * drawn.std() / 20 + (0.5 if name.endswith("medr") else 0)


def test_chance_of_the_standard_split():
    """1,000 images with 5 captions each: the figures of the literature."""
    levels = chance_levels(np.repeat(np.arange(1000), 5))
    assert levels["t2i_r1"] == 0.1 and levels["t2i_r10"] == 1.0 and levels["t2i_medr"] == 500.5
    assert levels["i2t_r1"] == pytest.approx(0.1) and levels["i2t_r10"] == pytest.approx(0.996, abs=0.001)
    # The first of n among C stands at (C + 1) / (n + 1) on average.
    assert levels["i2t_meanr"] == pytest.approx(5001 / 6)
