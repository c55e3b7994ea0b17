"""CLIP (Radford et al. 2021) and SigLIP (Zhai et al. 2023) from Hugging Face: two towers that end in one space.

Each tower can be cut in two: the states behind some of its layers are stored, and the rest, its tail, is trained on.
"""

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ..pretrained import HubWeights
from ..weights import Weights
from .huggingface import Network, Processor, Tokenizer, folder_or_name, found_in, load_network, weights_of

KINDS = ("clip", "siglip")


class ClipTower(nn.Module):
    """One tower: an encoder of layers, the normalisation behind them, and what leads from there into the space.

    Args:
        model: the tower as Hugging Face has it.
        norm: the normalisation behind its last layer.
        projection: the last linear layer; ``nn.Identity`` where there is none.
        dim: length of an embedding.
    """

    def __init__(self, model: nn.Module, norm: nn.Module, projection: nn.Module, dim: int):
        super().__init__()
        self.model, self.norm, self.projection, self.dim = model, norm, projection, dim

    @property
    def layers(self) -> int:
        return len(self.model.encoder.layers)

    @property
    def width(self) -> int:
        """Length of the state of a token or patch."""
        return self.model.config.hidden_size

    def blocks_behind(self, layer: int) -> nn.ModuleList:
        """Return a copy of the layers behind one, to be trained."""
        return copy.deepcopy(self.model.encoder.layers[layer:])


class ClipImageTower(ClipTower):
    """Photographs → embeddings."""

    def __init__(self, network: Network):
        model = network.vision_model
        # CLIP projects its first token; SigLIP's head attends to all of them and is in the space already.
        projection = getattr(network, "visual_projection", nn.Identity())
        dim = network.config.projection_dim if hasattr(network, "visual_projection") else model.config.hidden_size
        super().__init__(model, model.post_layernorm, projection, dim)
        self.head: nn.Module | None = getattr(model, "head", None)

    @property
    def side(self) -> int:
        return self.model.config.image_size

    @property
    def patches(self) -> int:
        """Places of an image."""
        return (self.side // self.model.config.patch_size) ** 2

    @property
    def tokens(self) -> int:
        """Patches, and the token of the class that CLIP puts before them."""
        return self.model.embeddings.num_positions

    def forward(self, pixels: Float[Tensor, "images 3 side side"]) -> Float[Tensor, "images embed"]:
        return self.projection(self.model(pixel_values=pixels).pooler_output)

    def last_patches(self, pixels: Float[Tensor, "images 3 side side"]) -> Float[Tensor, "images patches width"]:
        """Return the last hidden state of each patch."""
        return self.model(pixel_values=pixels).last_hidden_state[:, -self.patches :]

    def states(self, pixels: Float[Tensor, "images 3 side side"], layer: int) -> Float[Tensor, "images tokens width"]:
        """Return the states behind some layers; 0: what the first one reads."""
        return self.model(pixel_values=pixels, output_hidden_states=True).hidden_states[layer]


class ClipTextTower(ClipTower):
    """Tokens of captions → embeddings."""

    def __init__(self, network: Network):
        model, causal = network.text_model, network.config.model_type == "clip"
        projection = network.text_projection if causal else model.head
        super().__init__(model, model.final_layer_norm, projection, projection.out_features)
        self.causal = causal
        """Whether a token sees only those before it, and padding nowhere; SigLIP's see all, padding too."""

    @property
    def positions(self) -> int:
        return self.model.config.max_position_embeddings

    def forward(
        self, ids: Int[Tensor, "captions tokens"], real: Bool[Tensor, "captions tokens"]
    ) -> Float[Tensor, "captions embed"]:
        pooled = self.model(input_ids=ids, attention_mask=self._mask(real)).pooler_output
        # SigLIP's own module projects already.
        return self.projection(pooled) if self.causal else pooled

    def last_tokens(
        self, ids: Int[Tensor, "captions tokens"], real: Bool[Tensor, "captions tokens"]
    ) -> Float[Tensor, "captions tokens width"]:
        """Return the last hidden state of each token."""
        return self.model(input_ids=ids, attention_mask=self._mask(real)).last_hidden_state

    def states(
        self, ids: Int[Tensor, "captions tokens"], real: Bool[Tensor, "captions tokens"], layer: int
    ) -> Float[Tensor, "captions tokens width"]:
        """Return the states behind some layers; 0: what the first one reads."""
        given = {"input_ids": ids, "attention_mask": self._mask(real)}
        return self.model(**given, output_hidden_states=True).hidden_states[layer]

    def _mask(self, real: Tensor) -> Tensor | None:
        return real.long() if self.causal else None


class ClipImageTail(nn.Module):
    """The rest of an image tower, a copy of its own: states behind some layers → embeddings."""

    def __init__(self, tower: ClipImageTower, layer: int):
        super().__init__()
        self.blocks, self.dim = tower.blocks_behind(layer), tower.dim
        self.norm, self.head, self.projection = map(copy.deepcopy, (tower.norm, tower.head, tower.projection))
        self.requires_grad_(True)

    def forward(self, states: Float[Tensor, "images tokens width"]) -> Float[Tensor, "images embed"]:
        for block in self.blocks:
            states = _only(block(states, attention_mask=None))
        return self.projection(self.norm(states[:, 0]) if self.head is None else self.head(self.norm(states)))


class ClipTextTail(nn.Module):
    """The rest of a text tower, a copy of its own: states behind some layers → embeddings."""

    def __init__(self, tower: ClipTextTower, layer: int):
        super().__init__()
        self.blocks, self.dim, self.causal = tower.blocks_behind(layer), tower.dim, tower.causal
        self.norm, self.projection = map(copy.deepcopy, (tower.norm, tower.projection))
        self.requires_grad_(True)

    def forward(
        self, states: Float[Tensor, "captions tokens width"], real: Bool[Tensor, "captions tokens"]
    ) -> Float[Tensor, "captions embed"]:
        seen = None
        if self.causal:
            # Additive: no token attends to padding or to those behind it.
            before = real.new_ones(real.shape[1], real.shape[1]).tril()
            hidden = ~(before & real[:, None, None, :])
            seen = states.new_zeros(hidden.shape).masked_fill(hidden, torch.finfo(states.dtype).min)
        for block in self.blocks:
            states = _only(block(states, attention_mask=seen))
        # The last token, CLIP's end of the text, has seen all the others.
        last = real.sum(1) - 1
        return self.projection(self.norm(states[torch.arange(len(states), device=states.device), last]))


def _only(found: Tensor | tuple) -> Tensor:
    return found[0] if isinstance(found, tuple) else found


@dataclass(frozen=True)
class Clip:
    """A CLIP or SigLIP, frozen and in evaluation mode, with what prepares its pictures and its captions."""

    image: ClipImageTower
    text: ClipTextTower
    processor: Processor
    tokenizer: Tokenizer
    weights: Weights

    @property
    def longest(self) -> int:
        """Most tokens that it reads of a caption, those that it puts around it included: 77 of CLIP, 64 of SigLIP."""
        return min(self.text.positions, self.tokenizer.model_max_length)


def clip_weights(name: str) -> HubWeights:
    """Return where a CLIP comes from: a name on Hugging Face's hub, or a folder."""
    return HubWeights(f"clip-image:{name}", name)


def load_clip(name: str, folder: str | Path | None = None) -> Clip:
    """Load a CLIP or SigLIP from a folder or Hugging Face's cache; only with consent is it downloaded.

    Args:
        name: a name such as ``openai/clip-vit-base-patch32``, or a folder.
        folder: where a copy lies, if not where the name leads.

    Raises:
        XmrError: it is not there, is of no kind that can be read, or its weights are not all there.
    """
    from transformers import AutoImageProcessor, AutoTokenizer

    source = clip_weights(name)
    where = folder_or_name(source, folder)
    network = load_network(source, where, "CLIP", KINDS, "sdpa")
    tokenizer = found_in(source, "CLIP", lambda: AutoTokenizer.from_pretrained(where, local_files_only=True))
    processor = found_in(source, "CLIP", lambda: AutoImageProcessor.from_pretrained(where, local_files_only=True))
    weights = weights_of(source, where, network, tokenizer)
    return Clip(ClipImageTower(network), ClipTextTower(network), processor, tokenizer, weights)
