"""BERT's tokens of every caption, one ragged store a network and choice of layers."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm

from ..data.captioned import CaptionedImages
from ..errors import XmrError
from ..networks.bert import MINILM, Bert, hidden_states, load_bert
from .store import FeatureStore
from .store_writer import StoreWriter

BLOCK = 2048
"""Captions between two commits."""
TOKENS = 2048
"""Tokens that the network sees at once, padding included."""
LONGEST = 128
"""Tokens kept of a caption; the longest of Flickr30K has about 90."""
PREFIX = "bert:"


def is_bert(slug: str) -> bool:
    """Tell whether a slug of text features means a BERT: ``minilm``, ``bert-base-uncased``, ``bert:NAME_OR_FOLDER``."""
    return slug.split("@")[0] in (MINILM, "bert-base-uncased") or slug.startswith(PREFIX)


def name_and_layers(slug: str, layers: int) -> tuple[str, tuple[int, ...]]:
    """Read ``minilm`` (last layer), ``minilm@4`` (the fourth) or ``minilm@4-6`` (the mean of three).

    Raises:
        XmrError: no such layer.
    """
    name, _, wanted = slug.removeprefix(PREFIX).partition("@")
    if not wanted:
        return name, (layers,)
    first, _, last = wanted.partition("-")
    try:
        chosen = tuple(range(int(first), int(last or first) + 1))
    except ValueError:
        chosen = ()
    if not chosen or chosen[0] < 0 or chosen[-1] > layers:
        raise XmrError(f"{slug}: layers are told as @4 or @4-6, from 0 (embeddings) to {layers}")
    return name, chosen


def bert_name(slug: str) -> str:
    """Return the name or folder in a slug."""
    return slug.removeprefix(PREFIX).partition("@")[0]


def bert_tokens(dataset: CaptionedImages, slug: str, folder: Path, dtype: str = "float16") -> FeatureStore:
    """Compute the tokens' hidden states of all captions (``[CLS]`` first, ``[SEP]`` last), or open them.

    Captions of like length share a batch; a kill loses at most a block.

    Args:
        slug: see ``is_bert``; its ending chooses the layers.
        folder: the store: one item a caption, in the order of the dataset, no padding.

    Raises:
        XmrError: the network can't be had, or the store in ``folder`` was made by something else.
    """
    bert = load_bert(bert_name(slug))
    _, layers = name_and_layers(slug, bert.layers)
    meta = {
        "extractor": "bert",
        "layers": layers,
        "longest": LONGEST,
        "dtype": dtype,
        "weights": bert.weights.sha256,
        "dataset": dataset.fingerprint,
        "captions": dataset.raw_fingerprint,
    }
    if not folder.exists():
        with StoreWriter(folder, meta, (bert.network.config.hidden_size,), True, dtype) as writer:
            captions = dataset.caption_count
            with tqdm(total=captions, initial=writer.done, desc=f"{slug} tokens", unit="caption") as bar:
                for start in range(writer.done, captions, BLOCK):
                    block = np.arange(start, min(start + BLOCK, captions))
                    rows = encode(bert, [dataset.raw[caption] for caption in block], layers)
                    lengths = np.array([len(row) for row in rows], dtype=np.int64)
                    writer.append(dataset.caption_ids[block], np.concatenate(rows).astype(dtype), lengths)
                    writer.commit()
                    bar.update(len(block))
            writer.finish()
    return FeatureStore.open(folder, meta)


def encode(bert: Bert, captions: list[str], layers: tuple[int, ...]) -> list[np.ndarray]:
    """Return the hidden states of each caption's tokens, shape (its tokens, dim), batched by length."""
    ids = bert.tokenizer(captions, truncation=True, max_length=LONGEST)["input_ids"]
    found: list[np.ndarray] = [np.empty(0)] * len(captions)
    for batch in _batches(np.array([len(one) for one in ids], dtype=np.int64)):
        padded = pad_sequence([torch.tensor(ids[caption]) for caption in batch], batch_first=True)
        lengths = torch.tensor([len(ids[caption]) for caption in batch])
        states = hidden_states(bert, padded, torch.arange(padded.shape[1]) < lengths[:, None], layers)
        for caption, own, length in zip(batch, states.numpy(), lengths.tolist(), strict=True):
            found[caption] = own[:length]
    return found


def _batches(lengths: Int[np.ndarray, " captions"]) -> list[list[int]]:
    """Cut captions, sorted by length, into batches of about ``TOKENS`` tokens."""
    batches: list[list[int]] = [[]]
    for caption in np.argsort(lengths, kind="stable").tolist():
        # The last one is the longest so far: all are padded to it.
        if (len(batches[-1]) + 1) * lengths[caption] > TOKENS and batches[-1]:
            batches.append([])
        batches[-1].append(caption)
    return batches
