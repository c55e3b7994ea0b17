"""Aggregation of regions: against naive loops; nothing that is padding, or another image's, can change an image."""

import numpy as np
import pytest
import torch
from small_models import small_model
from torch import nn

from xmr_lib.config import from_flat
from xmr_lib.encoders.effnet_lite import grid_rows
from xmr_lib.errors import XmrError
from xmr_lib.modules import BOX_FEATURES, LEARNED, ItemEncoder, Projection, RegionEntry, RowPart, row_pooling
from xmr_lib.modules.row_pooling import AttentionPooling, GeneralisedPooling, _ascending
from xmr_lib.ragged import Ragged, offsets_of
from xmr_lib.training import Pairs, parameter_groups, pretrained_parameters

DIM, HIDDEN, BESIDE = 6, 8, len(BOX_FEATURES)
REGIONS = {"image_features": "frcnn-lite0", "hidden": HIDDEN, "embed_dim": 4}
AGGREGATIONS = ("mean", "max", "score", *LEARNED)


def regions(lengths, seed=0, dim=DIM):
    rng = np.random.default_rng(seed)
    values = rng.random((sum(lengths), dim + BESIDE), dtype=np.float32)
    return Ragged(values, offsets_of(np.array(lengths))).tensors()


def encoder(how, seed=0):
    torch.manual_seed(seed)
    pooling, pooled = row_pooling(how, DIM, HIDDEN, 0.0, BESIDE)
    for parameter in pooling.parameters():
        nn.init.normal_(parameter, std=0.5)
    return ItemEncoder([RowPart(RegionEntry(), pooling)], [Projection(pooled, 4, "linear", 4, 0.0, "none")]).eval()


def test_rows_are_gathered_in_the_order_asked_for():
    rows = regions([2, 1, 4])
    found = rows[torch.tensor([2, 0, 2])]
    assert found.lengths.tolist() == [4, 2, 4]
    own = [rows.values[rows.offsets[i] : rows.offsets[i + 1]] for i in (2, 0, 2)]
    torch.testing.assert_close(found.values, torch.cat(own))
    torch.testing.assert_close(torch.cat([part.values for part in rows.split(2)]), rows.values)
    padded, real = rows.padded()
    assert padded.shape == (3, 4, DIM + BESIDE) and real.sum(1).tolist() == [2, 1, 4]
    assert (padded[~real] == 0).all()
    torch.testing.assert_close(padded[real], rows.values)


@pytest.mark.parametrize("how", AGGREGATIONS)
def test_an_image_is_embedded_as_if_it_were_alone(how):
    """With padding counted, or rows of a neighbour, the batch would change the embedding."""
    rows, model = regions([3, 1, 7, 2]), encoder(how)
    together = model(rows)
    for image in range(4):
        torch.testing.assert_close(model(rows[torch.tensor([image])])[0], together[image], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("how", AGGREGATIONS)
def test_the_order_of_regions_does_not_matter(how):
    rows, model = regions([5]), encoder(how)
    torch.testing.assert_close(model(Ragged(rows.values.flip(0), rows.offsets)), model(rows), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("how", AGGREGATIONS)
def test_every_part_learns(how):
    model = encoder(how)
    (model(regions([3, 2, 6])) * torch.arange(4.0)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parts.parameters())


def test_score_pooling_is_the_weighted_mean():
    rows = regions([3, 2])
    pooled = row_pooling("score", DIM, HIDDEN, 0.0, BESIDE)[0](
        Ragged(rows.values[:, :DIM], rows.offsets), rows.values[:, DIM:]
    )
    first = rows.values[:3].numpy()
    np.testing.assert_allclose(pooled[0], np.average(first[:, :DIM], axis=0, weights=first[:, -1]), rtol=1e-5)


def test_attention_is_a_softmax_over_an_images_own_regions():
    torch.manual_seed(0)
    pooling, rows = AttentionPooling(DIM, BESIDE), regions([3, 4])
    parts = Ragged(rows.values[:, :DIM], rows.offsets), rows.values[:, DIM:]
    torch.testing.assert_close(pooling.weights(*parts)[:3], torch.full((3,), 1 / 3))
    nn.init.normal_(pooling.query.weight)
    nn.init.normal_(pooling.place.weight)
    own = rows.values[3:]
    logits = (
        nn.functional.normalize(own[:, :DIM], dim=1) @ pooling.query.weight[0] + own[:, DIM:] @ pooling.place.weight[0]
    )
    torch.testing.assert_close(pooling.weights(*parts)[3:], (logits * DIM**0.5).softmax(0), rtol=1e-5, atol=1e-6)


def test_generalised_pooling_can_be_the_maximum():
    """Weights are over sorted values: all on the first place is the maximum of each dimension."""
    pooling, rows = GeneralisedPooling(), regions([3, 5])
    weights = pooling.weights(rows.lengths, 5)
    torch.testing.assert_close(weights.sum(1), torch.ones(2))
    assert (weights[0, 3:] == 0).all() and (weights[0, :3] > 0).all()
    pooling.weights = lambda lengths, most: torch.eye(most)[:1].expand(len(lengths), most)
    vectors = rows.values[:, :DIM]
    torch.testing.assert_close(pooling(Ragged(vectors, rows.offsets), rows.values[:, DIM:])[1], vectors[3:].amax(0))


@pytest.mark.parametrize("learned", [False, True])
def test_values_are_sorted_as_torch_sorts_them_and_so_are_their_gradients(learned):
    values = torch.randn(3, 4, 7).requires_grad_(learned)
    ours, expected = _ascending(values), values.sort(2).values
    torch.testing.assert_close(ours, expected, rtol=0, atol=0)
    if learned:
        seen = torch.randn(3, 4, 7)
        gradients = [torch.autograd.grad((own * seen).sum(), values)[0] for own in (ours, expected)]
        torch.testing.assert_close(*gradients, rtol=0, atol=0)


def test_an_unknown_aggregation_lists_the_known():
    with pytest.raises(XmrError, match="aggregation 'best' is unknown; there are mean, sum, max"):
        row_pooling("best", DIM, HIDDEN, 0.0)


def test_a_grid_is_rows_with_the_geometry_of_their_cells():
    grid = np.random.default_rng(0).random((2, 9, 4)).astype(np.float16)
    rows = grid_rows(grid)
    assert rows.values.shape == (18, 4 + BESIDE) and rows.lengths.tolist() == [9, 9]
    np.testing.assert_array_equal(rows.values[9 + 5, :4], grid[1, 5])
    # Place 5 of 3×3: second row, third column.
    np.testing.assert_allclose(rows.values[9 + 5, 4:], [2 / 3, 1 / 3, 1, 2 / 3, 1], atol=1e-3)


@pytest.mark.parametrize("tuned", [False, True])
def test_the_last_layer_stays_or_is_tuned(tuned):
    rows = regions([3, 2, 4])
    pairs = Pairs(rows, torch.rand(3, 5), np.arange(3))
    config = from_flat("x", **REGIONS, image_pooling="attention", unfreeze_blocks=int(tuned), tuned_lr=0.2)
    layer = nn.Linear(DIM, 7)
    model = small_model(config, pairs, tail=layer)
    model.eval()
    model.image(rows).sum().backward()
    assert layer.weight.requires_grad == tuned
    assert (layer.weight.grad is not None) == tuned
    assert [id(p) for p in pretrained_parameters(model)] == [id(p) for p in layer.parameters()]
    rates = {id(p): g["lr_multiplier"] for g in parameter_groups(model, nn.Module(), 0.1) for p in g["params"]}
    assert [rates.get(id(p)) for p in layer.parameters()] == [0.2 if tuned else None] * 2
    others = {id(p) for p in model.parameters()} - {id(p) for p in layer.parameters()}
    assert {rates[own] for own in others} == {1.0}


def test_features_and_aggregation_must_fit():
    rows, vectors = regions([3, 2]), torch.rand(2, 5)
    with pytest.raises(XmrError, match="which has several vectors per image"):
        small_model(from_flat("x", image_features="frcnn-lite0"), Pairs(rows, vectors, np.arange(2)))
    with pytest.raises(XmrError, match="which has one vector per image"):
        small_model(from_flat("x", image_pooling="gpo"), Pairs(vectors, vectors, np.arange(2)))
    tuned = from_flat("x", **REGIONS, image_pooling="mean", unfreeze_blocks=1)
    with pytest.raises(XmrError, match="'frcnn-lite0' has no pretrained layers that could be trained on"):
        small_model(tuned, Pairs(rows, vectors, np.arange(2)))


def test_statistics_for_standardising_are_those_of_the_pooled_vectors():
    rows = regions([3, 2, 4])
    config = from_flat("x", **REGIONS, image_pooling="mean", image_scaling="standardise")
    model = small_model(config, Pairs(rows, torch.rand(3, 5), np.arange(3)))
    pooled = torch.stack([rows.values[a:b, :DIM].mean(0) for a, b in ((0, 3), (3, 5), (5, 9))])
    torch.testing.assert_close(model.image.projections[0].mean, pooled.mean(0))
