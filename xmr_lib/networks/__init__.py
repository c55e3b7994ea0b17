"""Pretrained networks with verified weights, cut where their features are taken."""

from .efficientnet_lite import efficientnet_lite0
from .vgg import vgg16_fc7

__all__ = ["efficientnet_lite0", "vgg16_fc7"]
