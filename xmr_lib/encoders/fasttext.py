"""FastText (Bojanowski et al. 2017): skip-gram trained on the dataset's own training captions, or a file of vectors."""

import hashlib
import os
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from tqdm import tqdm

from ..data.captioned import CaptionedImages
from ..errors import XmrError
from ..features.spec import ENCODERS, FeatureSpec
from ..features.store import FeatureStore
from ..features.store_writer import AlreadyThere, StoreWriter
from ..features.words import table_of, training_captions, vocabulary_of
from ..provenance import Provenance
from ..tensor_file import read_tensors, write_tensors
from ..weights import Weights, digest_of
from .base import Site
from .subwords import Subwords
from .vector_files import open_vectors
from .words import WordEncoder

SLUG = "fasttext-self"
DIM = 300
VARIABLE = "XMR_FASTTEXT_FILE"
SUBWORDS = ".subwords.safetensors"
"""Ending of the file beside a store that holds what new words need."""
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


@ENCODERS.register("fasttext-self")
class FastTextEncoder(WordEncoder):
    """Skip-gram with subwords, trained on the training captions; what an earlier call left in the cache is opened.

    A word that training has not seen has the mean of its character n-grams' vectors. The same arguments give the same
    vectors, bit for bit, on the same machine.

    Raises:
        XmrError: the training captions have no words, or the store was made by something else.
    """

    provenance = Provenance(("the training captions",), "that of the data")
    subwords: Subwords | None = None

    @classmethod
    def open(cls, spec: FeatureSpec, site: Site) -> "FastTextEncoder":
        made = cls(spec)
        made.vocabulary = tuple(vocabulary_of(site.dataset))
        made.table, made.subwords = trained_words(
            site.dataset, made.store_folder(site), DIM, site.fasttext_epochs, site.seed
        )
        return made

    def store_folder(self, site: Site) -> Path:
        return site.cache / "features" / f"{SLUG}-{site.profile}-seed{site.seed}"

    def vectors(self, words: Sequence[str]) -> np.ndarray:
        if self.subwords is None:
            return self.unknown(words, "the store was made by a version that kept no subwords; delete it to train anew")
        return self.subwords.vectors(words)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {}, {} if self.subwords is None else self.subwords.arrays()

    def from_state(self, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.subwords = Subwords(**arrays) if arrays else None


def trained_words(
    dataset: CaptionedImages, folder: str | Path, dim: int, epochs: int, seed: int
) -> tuple[Float32[np.ndarray, "vocabulary dim"], Subwords | None]:
    """Return the vocabulary's vectors and the subwords: trained, or opened where an earlier call left them.

    Args:
        folder: the store of the vectors.
        dim: length of a vector.
        epochs: passes over the training captions.
    """
    folder = Path(folder)
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
        "gensim": version("gensim"),
        "dataset": dataset.fingerprint,
        "vocabulary": len(vocabulary),
        "training captions": hashlib.sha256(text).hexdigest()[:16],
    }
    kept = folder.with_name(folder.name + SUBWORDS)
    if not folder.exists():
        with suppress(AlreadyThere), StoreWriter(folder, meta, (dim,), resumes=False) as writer:
            model = _trained(sentences, dim, epochs, seed)
            subwords = Subwords.of(model)
            write_tensors(kept, {name: torch.from_numpy(array) for name, array in subwords.arrays().items()}, {})
            writer.append(np.arange(len(vocabulary)), np.stack([model.wv.get_vector(word) for word in vocabulary]))
            writer.finish()
    store = FeatureStore.open(folder, meta)
    values = store.take(store.ids)
    if not kept.is_file():
        return values, None
    _, arrays = read_tensors(kept, "FastText's subwords", f"delete it and {folder.name} and run again")
    return values, Subwords(**{name: tensor.numpy() for name, tensor in arrays.items()})


@ENCODERS.register("fasttext-file")
class FastTextFileEncoder(WordEncoder):
    """Vectors made elsewhere, in the file that ``$XMR_FASTTEXT_FILE`` names.

    FastText's ``.bin``: any word has a vector; ``.vec`` (text), word2vec's ``.bin``: words that it does not have are
    zero.

    Raises:
        XmrError: no file is named, or it can't be read as what its name says.
    """

    provenance = Provenance(
        ("unknown",), note="vectors from a file of the user's: nobody says what they were trained on"
    )
    source: Weights | None = None

    def learn(self, site: Site) -> None:
        if not os.environ.get(VARIABLE):
            raise XmrError(f"text features {self.spec.slug!r}: set {VARIABLE} to the file of the vectors")
        path = Path(os.environ[VARIABLE]).expanduser()
        if not path.is_file():
            raise XmrError(f"{path}: there is no such file")
        self.source = Weights(self.spec.slug, path, digest_of(path))

    def vectors(self, words: Sequence[str]) -> np.ndarray:
        if self.source is None:
            return self.unknown(words, f"the file that they came from is not named by {VARIABLE}")
        from gensim.models.fasttext import FastTextKeyedVectors

        known = open_vectors(self.source.path)
        every = isinstance(known, FastTextKeyedVectors)
        found = {word: known[word] for word in words if every or word in known}
        return table_of(words, found) if found else np.zeros((len(words), known.vector_size), dtype=np.float32)

    def networks(self) -> tuple[Weights, ...]:
        return (self.source,) if self.source else ()

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {"source": self.source.digest if self.source else ""}, {}

    def from_state(self, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        copied = sorted((self.copies / self.spec.slug).glob("*")) if self.copies else []
        named = [Path(os.environ[VARIABLE]).expanduser()] if os.environ.get(VARIABLE) else []
        found = [Weights(self.spec.slug, path, digest_of(path)) for path in (*copied, *named) if path.is_file()]
        self.source = next((one for one in found if one.digest == facts["source"]), None)


def _trained(sentences: Sequence[Sequence[str]], dim: int, epochs: int, seed: int) -> Any:
    """Return gensim's ``FastText``; the library takes a second to import."""
    from gensim.models import FastText
    from gensim.models.callbacks import CallbackAny2Vec

    class Progress(CallbackAny2Vec):
        def on_epoch_end(self, model: FastText) -> None:
            bar.update()

    model = FastText(vector_size=dim, seed=seed, **SETTINGS)
    model.build_vocab(sentences)
    with tqdm(total=epochs, desc=SLUG, unit="epoch") as bar:
        model.train(sentences, total_examples=model.corpus_count, epochs=epochs, callbacks=[Progress()])
    return model
