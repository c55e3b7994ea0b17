"""What representations of words are: size, cover, time, and what they make of words that they have never seen."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..encoders import Captions, WordEncoder
from ..experiment.workspace import Workspace
from ..features.spec import FeatureSpec
from ..features.words import misspellings_of, training_words, vocabulary_of
from ..metrics import Ranks, bootstrap_interval
from ..records import Result

UNSEEN = {
    "onehot": "zero",
    "phoc": "its letters",
    "glove": "zero if GloVe has it not",
    "fasttext-self": "mean of its n-grams",
    "fasttext-course": "zero",
    "fasttext-file": "of a .bin: mean of its n-grams",
    "minilm": "its word pieces",
}
"""What stands for a word that the representation has not seen."""

Space = tuple[list[str], np.ndarray]
"""Words, and their vectors, shape (words, dim)."""


def word_space(workspace: Workspace, slug: str, seed: int = 0) -> Space:
    """Return the vectors of all words of a dataset and of ``misspellings_of`` them.

    Of a BERT, whose vectors depend on the sentence: the mean of a word's pieces when it stands alone.
    """
    encoder = workspace.bank.text_encoder(FeatureSpec.parse(slug), seed, as_words=True)
    if isinstance(encoder, WordEncoder):
        return list(encoder.vocabulary), encoder.table
    vocabulary = vocabulary_of(workspace.dataset)
    rows = encoder.rows(Captions(vocabulary, [(word,) for word in vocabulary]))
    return vocabulary, np.stack([rows[place][1:-1].astype(np.float32).mean(0) for place in range(len(vocabulary))])


def nearest_words(space: Space, words: Sequence[str], among: Sequence[str], count: int = 3) -> list[list[str]]:
    """Return the nearest of ``among`` to each word by cosine, best first, itself left out; none for a zero vector."""
    row_of = {word: row for row, word in enumerate(space[0])}
    unit = space[1] / np.maximum(np.linalg.norm(space[1], axis=1, keepdims=True), 1e-12)
    candidates = unit[[row_of[word] for word in among]]
    found = []
    for word in words:
        similarity = candidates @ unit[row_of[word]]
        best = [among[place] for place in np.argsort(-similarity, kind="stable") if among[place] != word]
        found.append(best[:count] if unit[row_of[word]].any() else [])
    return found


def nearest_words_table(
    workspace: Workspace, slugs: Sequence[str], words: Sequence[str] = (), seed: int = 0
) -> pd.DataFrame:
    """Return the three nearest training words of a few words (default: frequent ones), one misspelt, a row each."""
    frequent = _frequent(workspace)
    misspelt = next(iter(misspellings_of(workspace.dataset)))
    asked = [*(words or [word for word in frequent if len(word) > 3][3:18:4]), misspelt]
    columns = {}
    for slug in slugs:
        found = nearest_words(word_space(workspace, slug, seed), asked, frequent)
        columns[slug] = [", ".join(own) or "unknown" for own in found]
    return pd.DataFrame(columns, index=pd.Index(asked, name="word"))


def representation_table(
    workspace: Workspace, groups: Sequence[Sequence[Result]], ranks: Sequence[Sequence[Ranks]], seed: int = 0
) -> pd.DataFrame:
    """Return one row per representation, from the runs that used it.

    ``cover`` is the share of the test captions' words that have a vector; ``misspelt`` the share of misspellings (of
    frequent words) whose nearest training word is the word itself.
    """
    test = [word for words in workspace.dataset.split("test").tokens for word in words]
    misspellings, frequent = misspellings_of(workspace.dataset), _frequent(workspace)
    rows = []
    for results, own_ranks in zip(groups, ranks, strict=True):
        slug = results[0].config.text_features
        space = word_space(workspace, slug, seed)
        known = {word for word, vector in zip(*space, strict=True) if vector.any()}
        found = nearest_words(space, list(misspellings), frequent, 1)
        right = [best == [word] for best, word in zip(found, misspellings.values(), strict=True)]
        low, high = bootstrap_interval(own_ranks)
        rows.append(
            {
                "representation": slug,
                "dimensions": str(space[1].shape[1]),
                "cover (%)": 100 * float(np.mean([word in known for word in test])),
                "an unseen word is": UNSEEN.get(slug, "its word pieces"),
                "misspelt, found (%)": 100 * float(np.mean(right)),
                "training (s)": float(np.mean([result.cpu_seconds for result in results])),
                "rSum": float(np.mean([result.test["rsum"] for result in results])),
                "95 % interval": f"{low:.1f}–{high:.1f}",
                "val rSum": float(np.mean([result.val_rsum for result in results])),
                "seeds": str(len(results)),
            }
        )
    rows.append({"representation": "chance", "rSum": groups[0][0].chance["rsum"]})
    return pd.DataFrame(rows).fillna("").set_index("representation")


def _frequent(workspace: Workspace) -> list[str]:
    """Return the training words, most frequent first."""
    return [word for word, _ in sorted(training_words(workspace.dataset).items(), key=lambda item: (-item[1], item[0]))]
