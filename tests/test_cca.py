"""CCA against a generalised eigenproblem over repeated rows, and what its projections must keep."""

import numpy as np
import pytest
import scipy.linalg

from xmr_lib.baselines import CCA, CCAStatistics, cca
from xmr_lib.errors import XmrError


def problem(seed=0, images=40, image_dim=6, text_dim=4):
    """Correlated features; 1 … 9 captions per image, not grouped."""
    rng = np.random.default_rng(seed)
    owner = rng.permutation(np.repeat(np.arange(images), rng.integers(1, 10, images)))
    shared = rng.normal(size=(images, 3))
    x = shared @ rng.normal(size=(3, image_dim)) + rng.normal(size=(images, image_dim)) + 5
    y = shared[owner] @ rng.normal(size=(3, text_dim)) + rng.normal(size=(len(owner), text_dim)) - 2
    return x, y, owner


def naive_cca(x, y, owner, regularisation):
    """Repeat each image for each of its captions; solve [0 C; Cᵀ 0] w = ρ [Cx 0; 0 Cy] w."""
    pairs = np.array([np.concatenate([x[i], y[c]]) for c, i in enumerate(owner)])
    split = x.shape[1]
    covariance = np.cov(pairs.T, bias=True)
    inner = np.zeros_like(covariance)
    for part in (slice(0, split), slice(split, None)):
        block = covariance[part, part]
        inner[part, part] = block + regularisation * np.mean(np.diag(block)) * np.eye(len(block))
    cross = covariance.copy()
    cross[:split, :split] = cross[split:, split:] = 0
    values, vectors = scipy.linalg.eigh(cross, inner)
    best = np.argsort(-values)[: min(split, y.shape[1])]
    # Each half of an eigenvector has half the length.
    return values[best], np.sqrt(2) * vectors[:split, best], np.sqrt(2) * vectors[split:, best], pairs.mean(0)


@pytest.mark.parametrize("regularisation", [0.0, 0.1, 1.0])
@pytest.mark.parametrize(("image_dim", "text_dim"), [(6, 4), (3, 5)])
@pytest.mark.parametrize("block", [4096, 7])
def test_agrees_with_the_generalised_eigenproblem(regularisation, image_dim, text_dim, block, monkeypatch):
    monkeypatch.setattr(cca, "BLOCK", block)
    x, y, owner = problem(1, image_dim=image_dim, text_dim=text_dim)
    result = CCAStatistics.of(x, y, owner).solve(regularisation)
    values, image_map, caption_map, mean = naive_cca(x, y, owner, regularisation)
    assert result.correlations == pytest.approx(values)
    # Directions have no sign of their own, but both maps share it.
    sign = np.sign((result.image_map * image_map).sum(0))
    np.testing.assert_allclose(result.image_map, sign * image_map, atol=1e-9)
    np.testing.assert_allclose(result.caption_map, sign * caption_map, atol=1e-9)
    expected = (x - mean[:image_dim]) @ (sign * image_map)
    np.testing.assert_allclose(result.embed_images(x), expected, atol=1e-5)


def test_fit_is_statistics_and_solve():
    x, y, owner = problem()
    once, twice = CCA.fit(x, y, owner, 0.1, 2), CCAStatistics.of(x, y, owner).solve(0.1, 2)
    for name in ("image_mean", "caption_mean", "image_map", "caption_map", "correlations"):
        np.testing.assert_array_equal(getattr(once, name), getattr(twice, name))


def test_a_planted_correlation_is_found():
    rng = np.random.default_rng(2)
    images = 20_000
    signal, noise = rng.normal(size=images), rng.normal(size=(images, 2))
    # Both see the signal in noise of variance 1: the correlation of the best directions is 1/2 by construction.
    x = np.column_stack([rng.normal(size=images), signal + noise[:, 0]])
    y = np.column_stack([signal + noise[:, 1], rng.normal(size=(images, 2))])
    result = CCAStatistics.of(x, y, np.arange(images)).solve(0.0)
    assert result.correlations[0] == pytest.approx(0.5, abs=0.02)
    assert result.correlations[1] < 0.05
    for vector, place in ((result.image_map[:, 0], 1), (result.caption_map[:, 0], 0)):
        assert abs(vector[place]) / np.linalg.norm(vector) > 0.99


def test_a_linear_relation_has_correlation_1():
    x, _, owner = problem(3)
    y = x[owner] @ np.random.default_rng(3).normal(size=(6, 4)) + 7
    result = CCAStatistics.of(x, y, owner).solve(0.0)
    assert result.correlations == pytest.approx(np.ones(4))
    np.testing.assert_allclose(result.embed_images(x)[owner], result.embed_captions(y), atol=1e-4)


def test_invertible_maps_do_not_change_correlations():
    x, y, owner = problem(4)
    rng = np.random.default_rng(4)
    mapped = x @ rng.normal(size=(6, 6)) - 3, y @ rng.normal(size=(4, 4)) * 50
    plain, other = (CCAStatistics.of(*pair, owner).solve(1e-13) for pair in ((x, y), mapped))
    assert plain.correlations == pytest.approx(other.correlations, abs=1e-6)
    np.testing.assert_allclose(np.abs(plain.embed_images(x)), np.abs(other.embed_images(mapped[0])), atol=1e-4)


def test_the_ridge_is_relative_to_the_variance():
    x, y, owner = problem(5)
    plain, scaled = CCAStatistics.of(x, y, owner).solve(0.3), CCAStatistics.of(1000 * x, y / 50, owner).solve(0.3)
    assert plain.correlations == pytest.approx(scaled.correlations)
    assert (plain.correlations < CCAStatistics.of(x, y, owner).solve(0.0).correlations).all()


def test_training_projections_are_white_and_correlate_dimension_by_dimension():
    x, y, owner = problem(6)
    result = CCAStatistics.of(x, y, owner).solve(0.0)
    one, other = result.embed_images(x)[owner].astype(float), result.embed_captions(y).astype(float)
    assert one.mean(0) == pytest.approx(0, abs=1e-5) and other.mean(0) == pytest.approx(0, abs=1e-5)
    for left, right, expected in (
        (one, one, np.eye(4)),
        (other, other, np.eye(4)),
        (one, other, np.diag(result.correlations)),
    ):
        np.testing.assert_allclose(left.T @ right / len(owner), expected, atol=1e-5)
    assert (np.diff(result.correlations) <= 0).all() and (result.correlations <= 1).all()


def test_powers_weigh_dimensions_by_their_correlations():
    x, y, owner = problem(7)
    result = CCAStatistics.of(x, y, owner).solve(0.1)
    for embed, features in ((result.embed_images, x), (result.embed_captions, y)):
        plain = embed(features)
        assert plain.dtype == np.float32
        np.testing.assert_allclose(embed(features, 2.0), plain * result.correlations**2, rtol=1e-5, atol=1e-6)


def test_dims_keep_the_first_directions():
    statistics = CCAStatistics.of(*problem(8))
    whole, part = statistics.solve(0.1), statistics.solve(0.1, 2)
    np.testing.assert_allclose(part.image_map, whole.image_map[:, :2])
    np.testing.assert_allclose(part.caption_map, whole.caption_map[:, :2])
    assert part.correlations.tolist() == whole.correlations[:2].tolist()


def test_single_precision_features_lose_nothing():
    """Statistics are summed in double precision, also around a mean far from 0."""
    x, y, owner = problem(9)
    x, y = (x + 1000).astype(np.float32), y.astype(np.float32)
    single = CCAStatistics.of(x, y, owner).solve(0.0)
    double = CCAStatistics.of(x.astype(float), y.astype(float), owner).solve(0.0)
    assert single.correlations == pytest.approx(double.correlations, rel=1e-6)


@pytest.mark.parametrize("side", ["image", "caption"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused(side, bad):
    x, y, owner = problem()
    (x if side == "image" else y)[3, 1] = bad
    with pytest.raises(XmrError, match=f"the {side} features hold values that are not finite"):
        CCAStatistics.of(x, y, owner)


def test_one_pair_is_refused():
    with pytest.raises(XmrError, match="at least 2 pairs; there are 1"):
        CCAStatistics.of(np.ones((1, 2)), np.ones((1, 2)), np.array([0]))


def spoil(x, how):
    """Make the image features singular: in exact arithmetic, whatever rounding says."""
    if how == "constant column":
        return np.column_stack([x, np.full(len(x), 0.1)])
    if how == "copied column":
        return np.column_stack([x, x[:, 0]])
    if how == "sum of columns":
        return np.column_stack([x, x[:, 0] + 0.3 * x[:, 1]])
    return np.column_stack([x, np.random.default_rng(0).normal(size=(len(x), 50))])


@pytest.mark.parametrize("how", ["constant column", "copied column", "sum of columns", "more dimensions than images"])
@pytest.mark.parametrize("seed", range(5))
def test_singular_features_need_a_ridge(how, seed):
    x, y, owner = problem(seed)
    statistics = CCAStatistics.of(spoil(x, how), y, owner)
    with pytest.raises(XmrError, match="image features' covariance is singular with regularisation 0"):
        statistics.solve(0.0)
    assert np.isfinite(statistics.solve(0.01).image_map).all()


@pytest.mark.parametrize("value", [0.0, 2.0, 0.1])
def test_features_that_are_all_alike_have_no_directions(value):
    """A ridge that is a share of no variance mends nothing; the mean of 0.1 is rounded."""
    _, y, owner = problem()
    with pytest.raises(XmrError, match="image features' covariance is singular"):
        CCAStatistics.of(np.full((40, 3), value), y, owner).solve(0.1)


def test_a_ridge_below_0_is_refused():
    with pytest.raises(XmrError, match="must not be below 0"):
        CCAStatistics.of(*problem()).solve(-0.1)
