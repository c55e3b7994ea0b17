"""FastText (Bojanowski et al. 2017): skip-gram trained on the dataset's own training captions, or a file of vectors."""

import hashlib
import struct
from collections.abc import Sequence
from pathlib import Path

import gensim
import numpy as np
from gensim.models import FastText, KeyedVectors
from gensim.models.callbacks import CallbackAny2Vec
from gensim.models.fasttext import load_facebook_vectors
from jaxtyping import Float32
from tqdm import tqdm

from ..data.captioned import CaptionedImages
from ..errors import XmrError
from .store import FeatureStore
from .store_writer import StoreWriter
from .words import WordVectors, table_of, training_captions, vocabulary_of

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


def train_fasttext(
    dataset: CaptionedImages, folder: Path, dim: int = 300, epochs: int = 10, seed: int = 0
) -> WordVectors:
    """Train FastText on the training captions, or open what an earlier call with the same arguments left in ``folder``.

    Words that training has not seen get the mean of their character n-grams' vectors. The same arguments give the same
    vectors, bit for bit, on the same machine.

    Args:
        folder: the store of the vectors.
        dim: length of a vector.
        epochs: passes over the training captions.

    Raises:
        XmrError: the training captions have no words, or the store in ``folder`` was made by something else.
    """
    vocabulary = vocabulary_of(dataset)
    sentences = training_captions(dataset)
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
        "vocabulary": len(vocabulary),
        "training captions": hashlib.sha256(text).hexdigest()[:16],
    }
    if not folder.exists():
        with StoreWriter(folder, meta, (dim,)) as writer:
            writer.append(np.arange(len(vocabulary)), _trained(sentences, vocabulary, dim, epochs, seed))
            writer.finish()
    return WordVectors.of(dataset, vocabulary, np.array(FeatureStore.open(folder, meta).values))


def read_fasttext(dataset: CaptionedImages, file: Path) -> WordVectors:
    """Read vectors made elsewhere: ``.bin`` (any word has a vector) or ``.vec`` (text; other words are zero).

    Raises:
        XmrError: the file can't be read as what its name says.
    """
    vocabulary = vocabulary_of(dataset)
    try:
        if file.suffix == ".bin":
            vectors = load_facebook_vectors(str(file))
        else:
            vectors = KeyedVectors.load_word2vec_format(str(file))
    except FileNotFoundError:
        raise XmrError(f"{file}: there is no such file") from None
    except (ValueError, NotImplementedError, EOFError, UnicodeDecodeError, AssertionError, struct.error) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise XmrError(f"{file}: not FastText vectors ({reason[:120]}); give a .bin or a .vec file") from None
    known = [word for word in vocabulary if file.suffix == ".bin" or word in vectors]
    return WordVectors.of(dataset, vocabulary, table_of(vocabulary, {word: vectors[word] for word in known}))


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
