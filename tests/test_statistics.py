"""Bootstrap and paired test against loops and enumeration; Holm against a hand-worked example."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from xmr_lib.errors import XmrError
from xmr_lib.metrics import (
    Ranks,
    bootstrap_interval,
    holm,
    mean_interval,
    paired_test,
    ranks_from_similarity,
    sign_flip_test,
    summarise,
)

RECALLS = [f"{direction}_r{k}" for direction in ("i2t", "t2i") for k in (1, 5, 10)]


def owners(images, seed=0):
    rng = np.random.default_rng(seed)
    return rng.permutation(np.repeat(np.arange(images), rng.integers(1, 10, images)))


def run(owner, seed, strength=1.0):
    similarity = np.random.default_rng(seed).normal(size=(owner.max() + 1, len(owner)))
    similarity[owner, np.arange(len(owner))] += strength
    return ranks_from_similarity(similarity, owner)


def naive_recall(ranks, metric, drawn):
    """Score a test set in which image i occurs drawn[i] times, with all its captions; one image after the other."""
    if metric == "rsum":
        return sum(naive_recall(ranks, name, drawn) for name in RECALLS)
    k = int(metric.split("_r")[1])
    hits = queries = 0
    for image, times in enumerate(drawn):
        for _ in range(times):
            if metric.startswith("i2t"):
                places = [ranks.i2t_positions[ranks.image_of_caption == image].min()]
            else:
                places = ranks.t2i[ranks.image_of_caption == image]
            hits += sum(place <= k for place in places)
            queries += len(places)
    return 100 * hits / queries


@pytest.mark.parametrize("metric", ["rsum", "i2t_r1", "t2i_r5"])
def test_bootstrap_agrees_with_a_loop_over_the_same_draws(metric):
    owner = owners(12)
    seeds = [run(owner, 1), run(owner, 2)]
    rng = np.random.default_rng(5)
    draws = [np.bincount(rng.integers(12, size=12), minlength=12) for _ in range(40)]
    # Both runs see the same draw: the mean over seeds is taken within it.
    values = [np.mean([naive_recall(one, metric, drawn) for one in seeds]) for drawn in draws]
    expected = np.quantile(values, [0.05, 0.95])
    assert bootstrap_interval(seeds, metric, draws=40, seed=5, level=0.9) == pytest.approx(tuple(expected))


def test_seeds_share_the_draw():
    """A run given twice is as unsure as given once; independent draws would narrow it."""
    one = run(owners(40), 3)
    assert bootstrap_interval([one, one]) == pytest.approx(bootstrap_interval([one]))


@pytest.mark.parametrize("metric", [*RECALLS, "rsum"])
def test_intervals_hold_the_value_and_narrow_with_more_images(metric):
    largest = 600 if metric == "rsum" else 100
    widths = []
    for images in (25, 400):
        owner, rng = owners(images), np.random.default_rng(images)
        ranks = [Ranks(*rng.choice([1, 4, 9, 25], (2, len(owner)), p=[0.1, 0.1, 0.2, 0.6]), owner) for _ in range(2)]
        low, high = bootstrap_interval(ranks, metric, draws=500)
        assert 0 <= low <= np.mean([summarise(one)[metric] for one in ranks]) <= high <= largest
        widths.append(high - low)
    assert 0 < widths[1] < widths[0] / 2


def test_intervals_cover_the_truth_as_often_as_they_say():
    """Images of a known hit rate: about 95 of 100 intervals hold it."""
    rng = np.random.default_rng(0)
    owner = np.arange(200)
    covered = 0
    for seed in range(200):
        places = np.where(rng.random(200) < 0.4, 1, 50)
        low, high = bootstrap_interval([Ranks(places, places, owner)], "i2t_r1", draws=300, seed=seed)
        covered += low <= 40 <= high
    assert 180 <= covered <= 199


def test_images_that_are_alike_leave_nothing_unsure():
    owner = np.repeat(np.arange(30), 3)
    alike = Ranks(np.tile([1, 7, 30], 30), np.tile([1, 6, 12], 30), owner)
    for metric in (*RECALLS, "rsum"):
        low, high = bootstrap_interval([alike], metric, draws=50)
        assert low == pytest.approx(high) and low == pytest.approx(summarise(alike)[metric])


def test_bootstrap_refuses_other_metrics_and_other_test_sets():
    one, other = run(owners(9), 1), run(owners(9, seed=1), 1)
    with pytest.raises(XmrError, match="no interval for 'i2t_medr'"):
        bootstrap_interval([one], "i2t_medr")
    with pytest.raises(XmrError, match="same test images"):
        bootstrap_interval([one, other])


@pytest.mark.parametrize("seed", range(4))
def test_paired_test_agrees_with_all_sign_flips(seed):
    owner = owners(10, seed)
    a, b = [run(owner, seed, 1.6), run(owner, seed + 10, 1.6)], [run(owner, seed + 20, 0.8), run(owner, seed + 30, 0.8)]
    difference = np.zeros(10)
    for sign, runs in ((1, a), (-1, b)):
        for one, name in itertools.product(runs, RECALLS):
            k = int(name.split("_r")[1])
            for image in range(10):
                mine = owner == image
                if name.startswith("i2t"):
                    share = (one.i2t_positions[mine].min() <= k) / 10
                else:
                    share = (one.t2i[mine] <= k).sum() / len(owner)
                difference[image] += sign * 100 * share / 2
    rsums = [np.mean([summarise(one)["rsum"] for one in runs]) for runs in (a, b)]
    assert difference.sum() == pytest.approx(rsums[0] - rsums[1])
    flips = [abs(np.dot(signs, difference)) for signs in itertools.product((-1, 1), repeat=10)]
    exact = np.mean(np.array(flips) >= abs(difference.sum()) - 1e-9)
    # Five standard errors of 20,000 draws.
    assert abs(paired_test(a, b, draws=20_000) - exact) < 5 * np.sqrt(exact * (1 - exact) / 20_000) + 1e-4
    assert paired_test(a, b, draws=2000) == paired_test(b, a, draws=2000)


def test_equal_runs_differ_by_chance_and_different_ones_do_not():
    owner = owners(60)
    good, bad = run(owner, 1, 3.0), run(owner, 2, 0.3)
    assert paired_test([good], [good], draws=500) == 1.0
    assert paired_test([good, bad], [bad, good], draws=500) == 1.0
    assert paired_test([good], [bad], draws=999) == 1 / 1000


def test_p_values_of_equally_good_models_are_spread_evenly():
    """Under the null a p value is below 0.1 in a tenth of the cases, below a half in half of them."""
    owner = owners(40)
    p = np.array([paired_test([run(owner, 2 * s)], [run(owner, 2 * s + 1)], draws=200) for s in range(200)])
    assert 0.04 < (p < 0.1).mean() < 0.17
    assert 0.38 < (p < 0.5).mean() < 0.62


def test_paired_test_refuses_other_test_sets():
    with pytest.raises(XmrError, match="same test images"):
        paired_test([run(owners(9), 1)], [run(owners(9, seed=1), 1)])


def test_holm_by_hand():
    # Sorted: 0.01·4, 0.015·3 = 0.045, 0.03·2 = 0.06, 0.04·1 raised to 0.06.
    assert holm([0.03, 0.01, 0.04, 0.015]) == pytest.approx([0.06, 0.04, 0.06, 0.045])
    assert holm([0.7, 0.6]) == [1.0, 1.0]
    assert holm([0.02]) == [0.02] and holm([]) == []


@settings(max_examples=100, deadline=None)
@given(p=st.lists(st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_rejects_step_by_step(p):
    adjusted = holm(p)
    assert all(raw <= value <= 1 for raw, value in zip(p, adjusted, strict=True))
    assert all(a <= b for (x, a), (y, b) in itertools.permutations(zip(p, adjusted, strict=True), 2) if x < y)
    for level in (0.05, 0.3):
        # Step down: reject the smallest while it is at most level / (number left).
        rejected = 0
        for left, value in zip(range(len(p), 0, -1), sorted(p), strict=True):
            if left * value > level:
                break
            rejected += 1
        assert sum(value <= level for value in adjusted) == rejected


def test_the_interval_of_a_mean_is_that_of_a_recall_where_queries_are_images():
    places = np.where(np.random.default_rng(1).random(80) < 0.4, 1, 50)
    recall = bootstrap_interval([Ranks(places, places, np.arange(80))], "i2t_r1")
    assert mean_interval(100.0 * (places == 1)) == pytest.approx(recall)


def test_sign_flips_of_the_mean_agree_with_scipy():
    difference = np.random.default_rng(2).normal(0.25, 1, 60)
    mean = lambda x, axis: x.mean(axis)  # noqa: E731
    theirs = scipy.stats.permutation_test((difference,), mean, permutation_type="samples", n_resamples=20_000, rng=0)
    assert sign_flip_test(difference, draws=20_000) == pytest.approx(theirs.pvalue, abs=0.012)
    assert sign_flip_test(np.zeros(9)) == 1.0
