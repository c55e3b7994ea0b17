"""BERT's tokens of every caption, one ragged store a network and choice of layers."""

from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from ..data.captioned import CaptionedImages
from ..errors import XmrError
from ..features.spec import ENCODERS, FeatureSpec
from ..networks.bert import (
    BASE,
    LEAK,
    MINILM,
    MPNET,
    MPNET_LEAK,
    Bert,
    BertTail,
    bert_weights,
    hidden_states,
    load_bert,
)
from ..networks.huggingface import Tokenizer
from ..pretrained import Pretrained
from ..provenance import UNKNOWN, Provenance
from ..ragged import Ragged
from ..weights import Weights
from .base import copy_of_folder, weights_name
from .model_cards import provenance_by_card
from .tokenized import TOKENS, TokenizedEncoder, batches_of_like_length

SHORT = 128
"""Tokens that stores of an older version have of a caption: they hold where none is longer (Flickr30K's have 90)."""
KNOWN = (BASE, "bert-base-cased", "bert-large-uncased", "bert-large-cased")
"""Names of networks that were trained on BookCorpus and Wikipedia alone."""
PAIRS = ("S2ORC", "WikiAnswers", "MS MARCO", "COCO captions", "flickr30k-captions", "and 16 more")
"""What the networks of sentences were trained on, MiniLM and MPNet alike."""


class BertEncoder(TokenizedEncoder):
    """Hidden states of a caption's tokens, ``[CLS]`` first, ``[SEP]`` last: of the last layer, or the mean of some.

    Raises:
        XmrError: the network can't be had, or has no such layers.
    """

    folder: Path | None = None
    """Where a copy of the network lies; None: where its name leads."""

    @classmethod
    def check_layers(cls, spec: FeatureSpec) -> None:
        """How many there are is known once the network is there."""

    @classmethod
    def restore(cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None) -> "BertEncoder":
        made = cls(spec)
        made.folder = copy_of_folder(networks, made.name)
        return made

    @classmethod
    def pretrained_of(cls, spec: FeatureSpec) -> tuple[Pretrained, ...]:
        return (bert_weights(spec.source or spec.encoder),)

    @property
    def name(self) -> str:
        """Name or folder of the network."""
        return self.spec.source or self.spec.encoder

    @cached_property
    def bert(self) -> Bert:
        found = load_bert(self.name, folder=self.folder)
        if self.spec.layers and self.spec.layers[-1] > found.layers:
            raise XmrError(f"{self.spec.slug}: layers are told as @4 or @4-6, from 0 (embeddings) to {found.layers}")
        self.runtime.place(found.network)
        return found

    @property
    def tokenizer(self) -> Tokenizer:
        return self.bert.tokenizer

    @property
    def longest(self) -> int:
        return self.bert.longest

    @property
    def row_shape(self) -> tuple[int]:
        return (self.bert.network.config.hidden_size,)

    @property
    def layers(self) -> tuple[int, ...]:
        return self.spec.layers or (self.bert.layers,)

    def networks(self) -> tuple[Weights, ...]:
        return (replace(self.bert.weights, name=weights_name(self.name)),)

    def encoded(self, captions: list[str]) -> Ragged:
        found = encode(self.bert, captions, self.layers, self.tokens)
        lengths = np.array([len(own) for own in found], dtype=np.int64)
        return Ragged.from_lengths(np.concatenate(found).astype(self.dtype), lengths)

    def tail(self, layers: int) -> BertTail | None:
        if not layers:
            return None
        before = self.bert.layers - layers
        if self.layers != (before,):
            raise XmrError(
                f"text features {self.spec.slug!r}: to tune the last {layers} of {self.bert.layers} layers, take the "
                f"features of the layer before them, '{replace(self.spec, layers=(before,)).slug}'"
            )
        return BertTail(self.bert, layers)

    def made_by(self, dataset: CaptionedImages) -> dict[str, Any]:
        return {
            "extractor": "bert",
            "layers": self.layers,
            "longest": self.longest if self.bert.too_long(dataset.raw, SHORT) else SHORT,
            "weights": self.bert.weights.sha256,
        }


@ENCODERS.register(MINILM)
class MiniLmEncoder(BertEncoder):
    provenance = Provenance(PAIRS, "Apache 2.0", "https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2", LEAK)


@ENCODERS.register(BASE)
class BertBaseEncoder(BertEncoder):
    provenance = Provenance(("BookCorpus", "Wikipedia"), "Apache 2.0", "https://huggingface.co/bert-base-uncased")

    @classmethod
    def provenance_of(cls, spec: FeatureSpec) -> Provenance:
        return provenance_of_bert(spec.encoder)


@ENCODERS.register("bert")
class AnyBertEncoder(BertEncoder):
    """A BERT by name or folder: ``bert:NAME_OR_FOLDER``."""

    asks_for_source, known_sources = True, KNOWN

    @classmethod
    def provenance_of(cls, spec: FeatureSpec) -> Provenance:
        return provenance_of_bert(spec.source)


@cache
def provenance_of_bert(source: str) -> Provenance:
    """Return what a BERT was trained on: by its name, its weights or the card beside them; else ``unknown``."""
    folder = Path(source)
    # Hugging Face prefers a folder of such a name to the network that is known by it.
    if source in KNOWN and not folder.is_dir():
        return BertBaseEncoder.provenance
    if source == MPNET and not folder.is_dir():
        return Provenance(PAIRS, "Apache 2.0", f"https://huggingface.co/{MPNET}", MPNET_LEAK)
    if folder.is_dir() and load_bert(source).weights.digest == load_bert(MINILM).weights.digest:
        return MiniLmEncoder.provenance
    return provenance_by_card(
        source,
        lambda base: BertBaseEncoder.provenance.trained_on if base.split("/")[-1] in KNOWN else (UNKNOWN,),
    )


def encode(bert: Bert, captions: list[str], layers: tuple[int, ...], tokens: int = TOKENS) -> list[np.ndarray]:
    """Return the hidden states of each caption's tokens, shape (its tokens, dim), batched by length."""
    ids = bert.tokenizer(captions, truncation=True, max_length=bert.longest)["input_ids"]
    padding = bert.tokenizer.pad_token_id or 0
    found: list[np.ndarray] = [np.empty(0)] * len(captions)
    for batch in batches_of_like_length(np.array([len(one) for one in ids], dtype=np.int64), tokens):
        padded = pad_sequence([torch.tensor(ids[caption]) for caption in batch], True, padding)
        lengths = torch.tensor([len(ids[caption]) for caption in batch])
        states = hidden_states(bert, padded, torch.arange(padded.shape[1]) < lengths[:, None], layers)
        for caption, own, length in zip(batch, states.numpy(), lengths.tolist(), strict=True):
            found[caption] = own[:length]
    return found
