"""Pretrained networks with verified weights, cut where their features are taken."""

from .efficientnet_lite import load_efficientnet
from .vgg import vgg16_fc7

__all__ = ["load_efficientnet", "vgg16_fc7"]
