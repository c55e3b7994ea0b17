"""Image networks from Hugging Face that give a ``last_hidden_state``: DINOv2, ViT, ConvNeXt, Swin …"""

import math
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor, nn

from ..errors import XmrError
from ..pretrained import HubWeights
from ..weights import Weights
from .clip import KINDS as BOTH_SIDES
from .huggingface import Processor, folder_or_name, found_in, load_network, weights_of

POOLER = ("pooler.",)
"""Layers that belong to a pretraining task, and that many files leave out: they are not used."""


@dataclass(frozen=True)
class VisionNetwork:
    """An image network, frozen and in evaluation mode, with what prepares its pictures."""

    network: nn.Module
    processor: Processor
    weights: Weights

    def places(self, pixels: Float[Tensor, "images 3 side side"]) -> Float[Tensor, "images places dim"]:
        """Return the last state of each place of the grid that the network cuts an image into."""
        states = self.network(pixel_values=pixels).last_hidden_state
        if states.ndim == 4:
            return states.flatten(2).transpose(1, 2)
        # Tokens of the class and registers stand before the patches, and are fewer than would make a larger square.
        return states[:, -(math.isqrt(states.shape[1]) ** 2) :]

    def vectors(self, pixels: Float[Tensor, "images 3 side side"]) -> Float[Tensor, "images dim"]:
        """Return what the network pools its states to; where it has no such thing, or one of ``POOLER``, its first."""
        found = self.network(pixel_values=pixels)
        pooled = getattr(found, "pooler_output", None)
        if pooled is not None and not any(name.startswith(POOLER) for name in self.network.state_dict()):
            return pooled.flatten(1)
        states = found.last_hidden_state
        return states.mean((2, 3)) if states.ndim == 4 else states[:, 0]


def vision_weights(name: str) -> HubWeights:
    """Return where an image network comes from: a name on Hugging Face's hub, or a folder."""
    return HubWeights(f"hf-vision:{name}", name)


def load_vision(name: str, folder: str | Path | None = None) -> VisionNetwork:
    """Load an image network from a folder or Hugging Face's cache; only with consent is it downloaded.

    Args:
        name: a name such as ``facebook/dinov2-base``, or a folder.
        folder: where a copy lies, if not where the name leads.

    Raises:
        XmrError: it is not there, its weights are not all there, or it reads other things than images.
    """
    from transformers import AutoImageProcessor

    source, what = vision_weights(name), "image network"
    where = folder_or_name(source, folder)
    network = load_network(source, where, what, unused=POOLER)
    kind = network.config.model_type
    if kind in BOTH_SIDES:
        raise XmrError(f"{name}: a {kind} reads captions too; take clip-image:{name}")
    if network.main_input_name != "pixel_values":
        raise XmrError(f"{name}: a network of the kind {kind!r} reads no images")
    processor = found_in(source, what, lambda: AutoImageProcessor.from_pretrained(where, local_files_only=True))
    return VisionNetwork(network, processor, weights_of(source, where, network, unused=POOLER))
