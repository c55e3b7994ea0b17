"""Pretrained weights by name: where they come from, whether they are here, and the download of those that are not."""

from .base import PackagedWeights, Pretrained
from .consent import ALLOW, allow_downloads, consent
from .fetch import fetch, megabytes
from .hub import HubWeights
from .torchvision_file import TorchvisionWeights

__all__ = [
    "ALLOW",
    "HubWeights",
    "PackagedWeights",
    "Pretrained",
    "TorchvisionWeights",
    "allow_downloads",
    "consent",
    "fetch",
    "megabytes",
]
