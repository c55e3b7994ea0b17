"""The CNN cut in two: put together again it is the same network, and only its tail is trained."""

import numpy as np
import pytest
import torch
from torch import nn

from xmr_lib.encoders.effnet_lite import EfficientNetLite0Encoder
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, ranks_of, run
from xmr_lib.experiment.run import model_of
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.modules import MapEntry
from xmr_lib.study import get_configs, tuning_table
from xmr_lib.study.tuning import step_memory

MAPS, LAST_BLOCK = ("effnet-lite0-trunk", "effnet-lite0@15"), "effnet-lite0@15"


def encoder_of(slug):
    return EfficientNetLite0Encoder(FeatureSpec.parse(slug))


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)


@pytest.mark.parametrize("slug", MAPS)
def test_maps_and_their_tail_give_the_pooled_feature(slug, pixels):
    """Weights not loaded, a wrong cut or other statistics in training would all show."""
    extractor, whole = encoder_of(slug), encoder_of("effnet-lite0")
    maps = extractor.features(pixels)
    assert maps.shape == (3, *extractor.row_shape) and maps.dtype == np.float16
    entry = MapEntry(extractor.tail()).train()
    again = entry(torch.from_numpy(maps)).detach().numpy()
    expected = whole.features(pixels)
    np.testing.assert_allclose(again, expected, atol=0.02 * expected.max())
    assert np.corrcoef(again.ravel(), expected.ravel())[0, 1] > 0.9999


def test_vectors_and_places_have_no_tail():
    assert encoder_of("effnet-lite0").tail() is None and encoder_of("effnet-lite0-grid").tail() is None


def test_training_the_tail_moves_its_weights_and_leaves_the_statistics_of_its_normalisation():
    tail = encoder_of(LAST_BLOCK).tail().train()
    before = {name: x.clone() for name, x in tail.state_dict().items()}
    optimiser = torch.optim.SGD(tail.parameters(), 0.1)
    tail(torch.rand(4, 192, 7, 7)).square().mean().backward()
    optimiser.step()
    moved = {name for name, x in tail.state_dict().items() if not torch.equal(x, before[name])}
    assert moved == {name for name, _ in tail.named_parameters()}
    assert not any(module.training for module in tail.modules() if isinstance(module, nn.BatchNorm2d))


def test_a_tail_is_trained_from_its_pretrained_values(tmp_path):
    workspace = Workspace("scenes", None, "smoke", tmp_path)
    [config] = get_configs(workspace, "t-cnn-tuned")
    [result] = run(workspace, config)
    assert result.test["rsum"] > result.chance["rsum"]
    trained = model_of(workspace, result).network.image.parts[0].tail.state_dict()
    pretrained = encoder_of(LAST_BLOCK).tail().state_dict()
    weight = "convolution.weight"
    # Two epochs at a tenth of the rate: other values, but near those it started from.
    difference = (trained[weight] - pretrained[weight]).norm() / pretrained[weight].norm()
    assert 0 < float(difference) < 0.5


def test_maps_that_are_not_to_be_tuned_and_vectors_that_are_are_refused(tmp_path):
    workspace = Workspace("scenes", None, "smoke", tmp_path)
    [config] = get_configs(workspace, "t-cnn-tuned")
    with pytest.raises(XmrError, match="'effnet-lite0@15' is a network cut in two; it needs unfreeze = 1"):
        run(workspace, config.replace(**{"name": "maps", "image.branches.0.unfreeze": 0}))
    with pytest.raises(XmrError, match="'effnet-lite0' has no pretrained layers that could be trained on"):
        run(workspace, config.replace(**{"name": "vectors", "image.branches.0.features": "effnet-lite0"}))


def test_what_a_step_takes_is_counted(tmp_path):
    """A tail keeps its activations; a frozen feature has none."""
    workspace = Workspace("scenes", None, "smoke", tmp_path)
    frozen, tuned = get_configs(workspace, "t-cnn-frozen", "t-cnn-tuned")
    own, step = step_memory(workspace, tuned)
    assert own == sum(x.numel() for x in encoder_of(LAST_BLOCK).tail().parameters())
    none, small = step_memory(workspace, frozen)
    assert none == 0
    # Its parameters, and at least the widest map: batch × 1,152 channels × 49 places in single precision.
    assert step - small > 16 * own + tuned.method.optimiser.batch * 1152 * 49 * 4
    assert step_memory(workspace, tuned) == (own, step)
    groups = [run(workspace, config) for config in (frozen, tuned)]
    table = tuning_table(workspace, groups, [[ranks_of(workspace, result) for result in results] for results in groups])
    assert list(table.index) == ["t-cnn-frozen", "t-cnn-tuned", "chance"]
    assert 0 < float(table["p"]["t-cnn-tuned"]) <= 1 and table["p"]["t-cnn-frozen"] == ""
    maps, vectors = table["features (MB)"]["t-cnn-tuned"], table["features (MB)"]["t-cnn-frozen"]
    assert maps - vectors == pytest.approx(60 * (192 * 49 * 2 - 1280 * 4) / 1e6)
