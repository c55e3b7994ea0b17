"""Aggregation and projections against naive loops."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from xmr_lib.errors import XmrError
from xmr_lib.modules import DualEncoder, ItemEncoder, Moments, Projection, pool
from xmr_lib.ragged import offsets_of


def naive_pool(values, offsets, how, weights):
    rows = []
    for start, end in itertools.pairwise(offsets):
        words = values[start:end]
        if how == "meanmax":
            both = [naive_pool(values, [start, end], part, weights)[0] for part in ("mean", "max")]
            rows.append(np.concatenate(both))
        elif not len(words):
            rows.append(np.zeros(values.shape[1]))
        elif how == "idf":
            w = weights[start:end]
            rows.append((words * w[:, None]).sum(0) / w.sum() if w.sum() > 0 else np.zeros(values.shape[1]))
        elif how == "cls":
            rows.append(words[0])
        else:
            rows.append({"mean": np.mean, "sum": np.sum, "max": np.max}[how](words, axis=0))
    return np.array(rows)


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 9), min_size=1, max_size=8),
    how=st.sampled_from(["mean", "sum", "max", "meanmax", "idf", "cls"]),
    seed=st.integers(0, 1000),
)
def test_pool_agrees_with_a_loop(lengths, how, seed):
    rng = np.random.default_rng(seed)
    offsets = offsets_of(np.array(lengths))
    values = rng.standard_normal((offsets[-1], 4))
    weights = rng.choice([0.0, 0.5, 2.0], offsets[-1])
    pooled = pool(torch.from_numpy(values), torch.from_numpy(offsets), how, torch.from_numpy(weights))
    np.testing.assert_allclose(pooled.numpy(), naive_pool(values, offsets, how, weights), atol=1e-12)


def test_a_caption_without_words_is_zero_and_has_a_finite_gradient():
    values = torch.randn(3, 2, requires_grad=True)
    for how in ("mean", "sum", "max", "meanmax", "cls"):
        pooled = pool(values, torch.tensor([0, 0, 3, 3]), how)
        assert torch.equal(pooled[[0, 2]], torch.zeros_like(pooled[[0, 2]]))
        (gradient,) = torch.autograd.grad(pooled.sum(), values)
        assert gradient.isfinite().all()


def test_negative_words_keep_their_maximum():
    # A maximum that starts from zero would hide that all values are negative.
    pooled = pool(torch.tensor([[-3.0], [-2.0]]), torch.tensor([0, 2]), "max")
    assert pooled.item() == -2.0


def test_pool_refuses_what_it_does_not_know():
    values, offsets = torch.zeros(1, 1), torch.tensor([0, 1])
    with pytest.raises(XmrError, match="'median' is unknown"):
        pool(values, offsets, "median")
    with pytest.raises(XmrError, match="needs the weight"):
        pool(values, offsets, "idf")


def encoder(features, kind="mlp", dropout=0.5, scaling="none", normalised=True):
    return ItemEncoder([nn.Identity()], [Projection(features, 3, kind, 8, dropout, scaling)], normalised=normalised)


@pytest.mark.parametrize("kind", ["linear", "mlp", "residual"])
@pytest.mark.parametrize("scaling", ["none", "l2", "power", "standardise"])
def test_embeddings_are_normalised_if_asked(kind, scaling):
    features = torch.randn(20, 6) * 5 + 3
    for normalised in (True, False):
        model = encoder(6, kind, 0.5, scaling, normalised).eval()
        model.fit_input(features)
        lengths = model(features).norm(dim=1)
        assert torch.allclose(lengths, torch.ones(20), atol=1e-5) == normalised


def test_power_takes_signed_roots_and_parts_are_scaled_on_their_own():
    projection = Projection([2, 2], 4, "linear", 1, 0.0, "power").eval()
    nn.init.eye_(projection.linear[1].weight)
    nn.init.zeros_(projection.linear[1].bias)
    found = projection(torch.tensor([[9.0, -16.0, 100.0, 0.0]]))
    torch.testing.assert_close(found, 2**0.5 * torch.tensor([[0.6, -0.8, 1.0, 0.0]]))


def test_zeros_have_finite_gradients():
    for scaling in ("l2", "power", "standardise"):
        features = torch.tensor([[0.0, 4.0], [0.0, 0.0]], requires_grad=True)
        Projection(2, 2, "linear", 1, 0.0, scaling)(features).sum().backward()
        assert features.grad.isfinite().all()


def test_a_dimension_that_training_never_uses_is_not_blown_up():
    projection = Projection(2, 2, "linear", 1, 0.0, "standardise").eval()
    projection.fit_input(Moments.of(torch.stack([torch.randn(100), torch.zeros(100)], dim=1)))
    assert projection(torch.tensor([[0.0, 0.1]])).abs().max() < 10


def test_l2_forgets_length_and_standardise_forgets_scale_and_shift():
    features = torch.rand(50, 4) + 0.1
    l2 = Projection(4, 2, "linear", 1, 0.0, "l2")
    assert torch.allclose(l2(features), l2(features * 7), atol=1e-5)
    standardise = Projection(4, 2, "linear", 1, 0.0, "standardise")
    standardise.fit_input(Moments.of(features))
    before = standardise(features)
    standardise.fit_input(Moments.of(features * 3 - 1))
    assert torch.allclose(before, standardise(features * 3 - 1), atol=1e-3)


def test_moments_are_the_same_in_blocks():
    torch.manual_seed(0)
    vectors = torch.randn(50, 4) * torch.tensor([1.0, 100.0, 1e-3, 0.0]) + torch.tensor([1e4, 0.0, -2.0, 7.0])
    found = Moments()
    for block in vectors.split([1, 0, 30, 7, 12]):
        found.add(block)
    torch.testing.assert_close(found.mean, vectors.double().mean(0), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(found.deviation, vectors.double().std(0), rtol=1e-9, atol=1e-12)
    assert found.count == 50


def test_statistics_travel_with_the_checkpoint():
    source = Projection(4, 2, "linear", 1, 0.0, "standardise")
    source.fit_input(Moments.of(torch.randn(30, 4) + 9))
    copy = Projection(4, 2, "linear", 1, 0.0, "standardise")
    copy.load_state_dict(source.state_dict())
    features = torch.randn(5, 4)
    assert torch.equal(source(features), copy(features))


def test_embedding_in_blocks_is_without_dropout_and_leaves_the_mode():
    model = DualEncoder(encoder(5), encoder(7)).train()
    images, captions = torch.randn(9000, 5), torch.randn(10, 7)
    embedded = model.embed_images(images)
    assert model.image.training
    model.eval()
    expected, expected_captions = model(images[:10], captions)
    assert torch.allclose(embedded[:10], expected, atol=1e-6)
    assert torch.allclose(model.embed_captions(captions), expected_captions, atol=1e-6)
    assert embedded.shape == (9000, 3)
