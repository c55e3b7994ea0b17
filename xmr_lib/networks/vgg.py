"""VGG-16 (Simonyan & Zisserman 2015) up to fc7, with the weights that torchvision publishes."""

import torch
from torch import nn

from ..pretrained import TorchvisionWeights
from ..weights import Weights, load_frozen

VGG16 = TorchvisionWeights("vgg16-torchvision", "vgg16", variable="XMR_VGG16_WEIGHTS")


def vgg16_weights(file: str | None = None) -> Weights:
    """Find the weights: in ``file``, at ``$XMR_VGG16_WEIGHTS``, or in torch's cache, downloaded with consent.

    Raises:
        XmrError: they are in none of these; the message lists the ways to get them.
    """
    return VGG16.find(file)


def vgg16_fc7(file: str | None = None) -> tuple[nn.Module, Weights]:
    """Return the frozen network, ``(images, 3, 224, 224)`` → ``(images, 4096)`` after fc7's ReLU, and its weights.

    Images are scaled to 0..1 and standardised with ImageNet's mean and deviation.

    Raises:
        XmrError: there are no weights, or the file holds something else.
    """
    from torchvision.models import vgg16

    weights = vgg16_weights(file)
    # On the meta device 138 million parameters cost nothing until the file's own take their place.
    with torch.device("meta"):
        network = vgg16(weights=None, init_weights=False)
    load_frozen(network, weights)
    # classifier: fc6, ReLU, dropout, fc7, ReLU | dropout, fc8
    fc7 = nn.Sequential(network.features, network.avgpool, nn.Flatten(), network.classifier[:5])
    return fc7.eval(), weights
