"""One-hot, PHOC and GloVe words: what each is, and what it makes of words that it does not know."""

from pathlib import Path

import numpy as np
import pytest

from xmr_lib.encoders import Captions, Site, onehot, open_encoder
from xmr_lib.encoders.phoc import CHARACTERS, phoc
from xmr_lib.errors import XmrError
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.features.words import WordVectors, misspellings_of, table_of, vocabulary_of


@pytest.fixture(scope="module")
def dataset(smoke_workspace):
    return smoke_workspace.dataset


def opened(slug, dataset, seed=0):
    """None of these keeps anything in a cache."""
    return open_encoder(FeatureSpec.parse(slug), Site(dataset, Path("no-cache"), seed))


def words_of(slug, dataset, seed=0):
    return opened(slug, dataset, seed).words(dataset)


def vectors_of(words):
    return dict(zip(words.vocabulary, words.table, strict=True))


@pytest.mark.parametrize("slug", ["onehot", "phoc", "glove"])
def test_every_caption_gets_the_vectors_of_its_own_words(dataset, slug):
    encoder = opened(slug, dataset)
    words = encoder.words(dataset)
    for caption in (0, 17, dataset.caption_count - 1):
        assert [words.vocabulary[row] for row in words.words[caption]] == list(dataset.tokens[caption])
    assert words.vocabulary == tuple(vocabulary_of(dataset))
    assert np.isfinite(words.table).all()
    # Captions as anyone gives them have the same vectors, and none has those of its neighbour.
    rows = encoder.rows(Captions(dataset.raw, dataset.tokens))
    for caption in (0, 17, dataset.caption_count - 1):
        np.testing.assert_array_equal(rows[caption], words.table[words.words[caption]])


def test_misspellings_change_two_letters_and_are_no_words(dataset):
    found = misspellings_of(dataset)
    known = {word for words in dataset.tokens for word in words}
    assert 10 < len(found) <= 100
    for misspelt, word in found.items():
        assert sorted(misspelt) == sorted(word) and misspelt not in known and word in known
        assert sum(a != b for a, b in zip(misspelt, word, strict=True)) == 2


def test_onehot_words_are_a_random_projection_of_a_fixed_vocabulary(dataset, monkeypatch):
    monkeypatch.setattr(onehot, "DIM", 2000)
    words = words_of("onehot", dataset)
    table = words.table[words.table.any(axis=1)] / 2000**0.5
    # Projected, one-hot vectors keep length 1 and right angles, nearly.
    gram = table @ table.T
    assert np.abs(gram - np.eye(len(gram))).max() < 0.2
    seen = [word for tokens in dataset.split("train").tokens for word in tokens]
    for word, vector in vectors_of(words).items():
        assert vector.any() == (seen.count(word) >= 3)
    assert not np.array_equal(words_of("onehot", dataset, seed=1).table, words.table)


def test_phoc_of_a_word_by_hand():
    found = phoc("beyond", ["be", "nd"])
    assert found.shape == ((2 + 3 + 4 + 5) * 36 + 2 * 2,)

    def letters(level, part):
        start = 36 * (sum(range(2, level)) + part)
        return "".join(np.array(list(CHARACTERS))[found[start : start + 36] > 0])

    # Almazán et al. 2014, figure 1: "be|yo|nd" and its halves.
    assert [letters(2, part) for part in range(2)] == ["bey", "dno"]
    assert [letters(3, part) for part in range(3)] == ["be", "oy", "dn"]
    # Quarters: the second of six characters covers [1/6, 2/6], half of it in the first quarter, half in the second.
    assert letters(4, 0) == "be" and letters(4, 1) == "ey"
    # "be" lies in the first half, "nd" in the second.
    assert found[-4:].tolist() == [1, 0, 0, 1]


def test_phoc_has_604_numbers_knows_every_word_and_brings_misspellings_near(dataset):
    words = words_of("phoc", dataset)
    assert words.table.shape[1] == 604
    vectors = vectors_of(words)
    for misspelt, word in list(misspellings_of(dataset).items())[:20]:
        similarity = {other: float(vectors[misspelt] @ v) / np.linalg.norm(v) for other, v in vectors.items()}
        del similarity[misspelt]
        assert word in sorted(similarity, key=similarity.get)[-3:]


def test_glove_puts_like_words_together_and_leaves_unknown_ones_zero(dataset):
    words = words_of("glove", dataset)
    assert words.table.shape[1] == 50
    vectors = vectors_of(words)
    unit = {word: vector / max(np.linalg.norm(vector), 1e-9) for word, vector in vectors.items()}
    assert unit["dog"] @ unit["cat"] > unit["dog"] @ unit["snow"]
    assert not all(vectors[misspelt].any() for misspelt in misspellings_of(dataset))


def test_glove_from_a_text_file(dataset, tmp_path, monkeypatch):
    file = tmp_path / "glove.txt"
    monkeypatch.setenv("XMR_GLOVE_FILE", str(file))
    file.write_text("dog 1 2\nunused 3\ncat 3 4\n")
    vectors = vectors_of(words_of("glove", dataset))
    assert vectors["dog"].tolist() == [1, 2] and vectors["cat"].tolist() == [3, 4]
    file.write_text("dog 1 2\ncat 3\nunused 3 4\nunused 4 5\n")
    with pytest.raises(XmrError, match="line 2: 1 numbers behind 'cat', where others have 2"):
        words_of("glove", dataset)
    file.write_text("unused 3 4\n")
    with pytest.raises(XmrError, match=r"none of its \d+ words has a vector"):
        words_of("glove", dataset)
    file.unlink()
    with pytest.raises(XmrError, match="no such file"):
        words_of("glove", dataset)


def test_vectors_that_know_no_word_are_refused(dataset):
    vocabulary = vocabulary_of(dataset)
    with pytest.raises(XmrError, match=r"none of its \d+ words has a vector"):
        WordVectors.of(dataset, vocabulary, table_of(vocabulary, {"nothing": np.ones(3)}))
