"""Captions by CLIP or SigLIP: the embedding, the tokens, or states that the last layers are trained on."""

from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch.nn.utils.rnn import pad_sequence

from ..data.captioned import CaptionedImages
from ..features.spec import ENCODERS
from ..networks.clip import ClipTextTail, ClipTextTower
from ..networks.huggingface import Tokenizer
from ..ragged import Ragged
from ..weights import Weights
from .clip import ClipSide
from .tokenized import TokenizedEncoder, batches_of_like_length


@ENCODERS.register("clip-text")
class ClipTextEncoder(ClipSide, TokenizedEncoder):
    """What can be taken: the embedding; ``tokens``, the last state of each, those around the caption too; ``@11``."""

    outputs = ("", "tokens")

    @property
    def dtype(self) -> str:
        """Of tokens there are many; an embedding is one vector."""
        return "float32" if type(self).yields(self.spec) == "vector" else "float16"

    @cached_property
    def _parts(self) -> tuple[ClipTextTower, Tokenizer, int, Weights]:
        # The tower of the images is let go.
        clip = self._load()
        return clip.text, clip.tokenizer, clip.longest, clip.weights

    @property
    def tower(self) -> ClipTextTower:
        return self.runtime.place(self._parts[0])

    @property
    def tokenizer(self) -> Tokenizer:
        return self._parts[1]

    @property
    def longest(self) -> int:
        return self._parts[2]

    def networks(self) -> tuple[Weights, ...]:
        return (self._parts[3],)

    @property
    def row_shape(self) -> tuple[int, ...]:
        return (self.tower.dim,) if type(self).yields(self.spec) == "vector" else (self.tower.width,)

    def made_by(self, dataset: CaptionedImages) -> dict[str, Any]:
        [weights] = self.networks()
        taken = {"output": self.spec.output, "layer": self.layer, "longest": self.longest}
        return {"extractor": self.spec.encoder, **taken, "weights": weights.sha256}

    @torch.inference_mode()
    def encoded(self, captions: list[str]) -> Ragged | Float[np.ndarray, "captions dim"]:
        # SigLIP was trained on captions that are padded to its full length, and reads the padding.
        padding = False if self.tower.causal else "max_length"
        given = {"truncation": True, "max_length": self.longest, "padding": padding, "return_attention_mask": True}
        tokens = self.tokenizer(captions, **given)
        ids, own = tokens["input_ids"], tokens["attention_mask"]
        found: list[np.ndarray] = [np.empty(0)] * len(captions)
        for batch in batches_of_like_length(np.array([len(one) for one in ids], dtype=np.int64), self.tokens):
            padded = pad_sequence([torch.tensor(ids[c]) for c in batch], True, self.tokenizer.pad_token_id or 0)
            lengths = torch.tensor([len(ids[c]) for c in batch])
            real = torch.arange(padded.shape[1]) < lengths[:, None]
            taken = self._taken(*self.runtime.send((padded, real))).cpu().numpy().astype(self.dtype)
            for caption, one in zip(batch, taken, strict=True):
                found[caption] = one
        if type(self).yields(self.spec) == "vector":
            return np.stack(found)
        # States are those of all that the network read; tokens those of the caption alone.
        kept = [
            one[: len(mask)] if self.spec.layers else one[: len(mask)][np.array(mask, dtype=bool)]
            for one, mask in zip(found, own, strict=True)
        ]
        return Ragged.from_lengths(np.concatenate(kept), np.array([len(one) for one in kept], dtype=np.int64))

    def _taken(self, ids: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        if self.layer is not None:
            return self.tower.states(ids, real, self.layer)
        return self.tower.last_tokens(ids, real) if self.spec.output else self.tower(ids, real)

    def tail(self, layers: int) -> ClipTextTail | None:
        # As the rest of a model, it is built on the host.
        return None if self.layer is None else ClipTextTail(self.tower, self.layer).to("cpu")
