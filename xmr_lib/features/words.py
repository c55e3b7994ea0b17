"""Word vectors trained on the dataset's own training captions: FastText (Bojanowski et al. 2017), skip-gram."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gensim
import numpy as np
from gensim.models import FastText
from gensim.models.callbacks import CallbackAny2Vec
from jaxtyping import Float32
from tqdm import tqdm

from ..data.captioned import CaptionedImages
from ..errors import XmrError
from ..ragged import Ragged
from .store import FeatureStore
from .store_writer import StoreWriter

SLUG = "fasttext-self"
SETTINGS = {
    "sg": 1,
    # The rate of fastText itself for skip-gram; gensim's 0.025 learns too little from so few captions.
    "alpha": 0.05,
    "window": 5,
    "min_count": 1,
    "min_n": 3,
    "max_n": 6,
    # gensim's two million n-gram buckets take 2.4 GB; Flickr8k's 30,000 training captions have 52,000 n-grams.
    "bucket": 100_000,
    # More workers make a result that differs from run to run.
    "workers": 1,
}


@dataclass(frozen=True)
class WordVectors:
    """A vector for each word of a dataset, and which words each caption has."""

    table: Float32[np.ndarray, "vocabulary dim"]
    words: Ragged
    """Rows of ``table``, int64: one item a caption of the dataset, in its order; empty for a caption without words."""
    source: str
    """Slug of the features."""


def train_fasttext(
    dataset: CaptionedImages, folder: Path, dim: int = 300, epochs: int = 10, seed: int = 0
) -> WordVectors:
    """Train FastText on the training captions, or open what an earlier call with the same arguments left in ``folder``.

    Words that only other splits have get the mean of their character n-grams' vectors. The same arguments give the same
    vectors, bit for bit, on the same machine.

    Args:
        folder: the store of the vectors.
        dim: length of a vector.
        epochs: passes over the training captions.

    Raises:
        XmrError: the training captions have no words, or the store in ``folder`` was made by something else.
    """
    vocabulary = sorted({word for words in dataset.tokens for word in words})
    captions = np.flatnonzero(np.isin(dataset.image_of_caption, dataset.splits.get("train", [])))
    sentences = [dataset.tokens[caption] for caption in captions if dataset.tokens[caption]]
    if not sentences:
        raise XmrError(f"{dataset.name}: the training captions have no words; FastText has nothing to learn from")
    text = "\n".join(map(" ".join, sentences)).encode("utf-8", "surrogatepass")
    meta = {
        "extractor": SLUG,
        "dim": dim,
        "epochs": epochs,
        "seed": seed,
        **SETTINGS,
        "gensim": gensim.__version__,
        "dataset": dataset.fingerprint,
        "training captions": hashlib.sha256(text).hexdigest()[:16],
    }
    if not folder.exists():
        with StoreWriter(folder, meta, (dim,)) as writer:
            writer.append(np.arange(len(vocabulary)), _trained(sentences, vocabulary, dim, epochs, seed))
            writer.finish()
    row_of = {word: row for row, word in enumerate(vocabulary)}
    rows = np.array([row_of[word] for words in dataset.tokens for word in words], dtype=np.int64)
    lengths = np.array([len(words) for words in dataset.tokens], dtype=np.int64)
    table = np.array(FeatureStore.open(folder, meta).values)
    return WordVectors(table, Ragged.from_lengths(rows, lengths), SLUG)


def _trained(
    sentences: Sequence[Sequence[str]], vocabulary: Sequence[str], dim: int, epochs: int, seed: int
) -> Float32[np.ndarray, "vocabulary dim"]:
    model = FastText(vector_size=dim, seed=seed, **SETTINGS)
    model.build_vocab(sentences)
    with tqdm(total=epochs, desc=SLUG, unit="epoch") as bar:
        model.train(sentences, total_examples=model.corpus_count, epochs=epochs, callbacks=[_Progress(bar)])
    return np.stack([model.wv.get_vector(word) for word in vocabulary])


class _Progress(CallbackAny2Vec):
    def __init__(self, bar: tqdm):
        self.bar = bar

    def on_epoch_end(self, model: FastText) -> None:
        self.bar.update()
