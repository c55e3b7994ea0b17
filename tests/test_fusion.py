"""Fusion of several kinds of features, and what a config says of them."""

import numpy as np
import pytest
import torch
from small_models import small_model
from torch import nn

from xmr_lib.config import from_flat
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, run
from xmr_lib.items import Parts
from xmr_lib.modules import FUSIONS, ItemEncoder, Projection
from xmr_lib.study import get_configs
from xmr_lib.training import Pairs


def items(count=5, dims=(3, 4)):
    torch.manual_seed(1)
    return Parts(tuple(torch.randn(count, dim) for dim in dims))


def fused(how, dims=(3, 4), embed=6):
    torch.manual_seed(0)
    projections = [Projection(list(dims) if how == "concat" else dim, embed, "linear", 1, 0.0, "none") for dim in dims]
    return ItemEncoder([nn.Identity()] * len(dims), projections[: 1 if how == "concat" else None], how, False).eval()


def test_parts_are_gathered_together():
    parts = items()
    some = parts[torch.tensor([3, 0])]
    assert len(parts) == 5 and len(some) == 2
    for whole, part in zip(parts.parts, some.parts, strict=True):
        assert torch.equal(part, whole[[3, 0]])
    assert [len(block) for block in parts.split(2)] == [2, 2, 1]


def test_each_fusion_by_hand():
    parts = items()
    for how in FUSIONS:
        model = fused(how)
        each = [p(x) for p, x in zip(model.projections, parts.parts, strict=False)] if how != "concat" else []
        expected = {
            "concat": lambda model=model: model.projections[0](torch.cat(parts.parts, dim=1)),
            "sum": lambda each=each: each[0] + each[1],
            "average": lambda each=each: sum(nn.functional.normalize(e, dim=1) for e in each) / 2,
            # Untrained, both weigh the parts alike.
            "gate": lambda each=each: (each[0] + each[1]) / 2,
            "attention": lambda each=each: (each[0] + each[1]) / 2,
        }[how]()
        torch.testing.assert_close(model(parts), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("how", ["gate", "attention"])
def test_weights_of_parts_are_learned_and_sum_to_one(how):
    parts, model = items(), fused(how)
    target = model.projections[0](parts.parts[0]).detach()
    parameters = [model.gate.weight, model.gate.bias] if how == "gate" else [model.query]
    optimiser = torch.optim.Adam(parameters, 0.1)
    losses = []
    for _ in range(100):
        loss = (model(parts) - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_a_config_names_an_aggregation_for_each_part():
    config = from_flat("x", text_features="fasttext-self+minilm", text_pooling="meanmax+mean")
    parts = [(branch.features.slug, branch.pooling) for branch in config.branches("text")]
    assert parts == [("fasttext-self", "meanmax"), ("minilm", "mean")] and config.track == "open"
    both = from_flat("x", text_features="onehot+glove").branches("text")
    assert [(branch.features.slug, branch.pooling) for branch in both] == [("onehot", "mean"), ("glove", "mean")]
    with pytest.raises(XmrError, match="2 values of text_pooling for 1 features"):
        from_flat("x", text_pooling="mean+max")
    with pytest.raises(XmrError, match="aggregation 'best' is unknown"):
        from_flat("x", text_features="onehot+glove", text_pooling="mean+best")


def test_what_is_to_be_tuned_must_be_there():
    pairs = Pairs(torch.rand(2, 5), torch.rand(2, 4), np.arange(2))
    with pytest.raises(XmrError, match="has no pretrained layers that could be trained on"):
        small_model(from_flat("x", unfreeze_layers=1), pairs)


@pytest.mark.parametrize("how", FUSIONS)
def test_fused_features_of_a_dataset_run_from_end_to_end(smoke_workspace, tmp_path, how):
    workspace = Workspace("scenes", None, "smoke", tmp_path)
    [reference] = get_configs(workspace, "ab-infonce")
    images = [("effnet-lite0", "none"), ("effnet-lite0-grid", "attention")]
    texts = [("fasttext-self", "mean"), ("phoc", "meanmax")]
    config = reference.replace(
        **{
            "name": f"fused-{how}",
            "image.branches": [{"features": slug, "pooling": pooling} for slug, pooling in images],
            "text.branches": [{"features": slug, "pooling": pooling} for slug, pooling in texts],
            "image.fusion": how,
            "text.fusion": how,
        }
    )
    [result] = run(workspace, config)
    assert result.config.image_pooling == "none+attention" and result.config.text_features == "fasttext-self+phoc"
    assert result.test["rsum"] > 1.3 * result.chance["rsum"]
