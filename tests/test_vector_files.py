"""Files of word vectors from elsewhere: as they are found, and as they should not be."""

import struct

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors
from gensim.models.fasttext import save_facebook_model

from xmr_lib.encoders.vector_files import open_vectors, read_text
from xmr_lib.errors import XmrError


def test_words_that_hold_blanks(tmp_path):
    """As in glove.840B: the numbers are counted from the end of the line."""
    file = tmp_path / "glove.840B.3d.txt"
    file.write_text("dog 1 2 3\n. . . 4 5 6\nat name@domain.com 7 8 9\ncat -1 -2 -3\n\x85 1 1 1\n1 2 2 2\n", "utf-8")
    wanted = {"dog", ". . .", "cat", "at", ".", "\x85", "1"}
    found = read_text(file, wanted)
    assert {word: values.tolist() for word, values in found.items()} == {
        "dog": [1, 2, 3],
        ". . .": [4, 5, 6],
        "cat": [-1, -2, -3],
        "\x85": [1, 1, 1],
        "1": [2, 2, 2],
    }


@pytest.fixture(scope="module")
def vectors():
    known = KeyedVectors(4)
    random = np.random.default_rng(0)
    known.add_vectors([f"word{k}" for k in range(30)], random.normal(size=(30, 4)).astype(np.float32))
    return known


def test_word2vec_text_is_read_as_gensim_reads_it(tmp_path, vectors):
    vectors.save_word2vec_format(str(tmp_path / "a.txt"))
    found = read_text(tmp_path / "a.txt", {"word3", "30", "nothing"})
    np.testing.assert_allclose(found["word3"], vectors["word3"], rtol=1e-5)
    assert set(found) == {"word3"}
    np.testing.assert_allclose(open_vectors(tmp_path / "a.txt")["word3"], vectors["word3"], rtol=1e-5)


def test_word2vec_binaries(tmp_path, vectors):
    file = tmp_path / "a.bin"
    vectors.save_word2vec_format(str(file), binary=True)
    np.testing.assert_array_equal(open_vectors(file)["word7"], vectors["word7"])
    with pytest.raises(XmrError, match="not vectors in GloVe's text format"):
        read_text(file, {"word7"})
    file.write_bytes(file.read_bytes()[:300])
    open_vectors.cache_clear()
    with pytest.raises(XmrError, match=r"a\.bin: not vectors that can be read .*cut off"):
        open_vectors(file)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dog 1 2\ncat 3 4\nbird 1\n", "line 3: the file is cut off here: 1 numbers, where others have 2"),
        ("dog 1 2\ncat 3 x\nbird 1 2\n", "line 2: could not convert"),
        ("dog 1 2\ncat 3 nan\nbird 1 2\n", "line 2: a number of 'cat' is not finite"),
        ("", "no word with numbers"),
        ("word\nother\n", "no word with numbers"),
    ],
)
def test_lines_that_do_not_fit_are_told(tmp_path, text, told):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(XmrError, match=told) as error:
        read_text(tmp_path / "a.txt", {"cat", "dog"})
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["a.vec", "a.bin"])
def test_a_header_that_promises_terabytes_is_refused_before_room_is_made(tmp_path, name):
    (tmp_path / name).write_bytes(b"999999999 300\ndog 1 2 3\n")
    with pytest.raises(XmrError, match="too small for 999999999 words of 300 dimensions"):
        open_vectors(tmp_path / name)


@pytest.fixture(scope="module")
def facebook(tmp_path_factory):
    model = FastText(vector_size=4, min_count=1, bucket=50, seed=0, workers=1)
    sentences = [["a", "dog", "runs"], ["the", "cat", "sits"]] * 5
    model.build_vocab(sentences)
    model.train(sentences, total_examples=10, epochs=1)
    file = tmp_path_factory.mktemp("facebook") / "model.bin"
    save_facebook_model(model, str(file))
    return file, model


def test_fasttext_binaries_are_read_and_a_cut_at_any_place_is_told(tmp_path, facebook):
    """gensim loops for ever where the file ends within a word."""
    file, model = facebook
    content = file.read_bytes()
    np.testing.assert_allclose(open_vectors(file)["doggish"], model.wv["doggish"], atol=1e-6)
    # Behind the vectors of words and n-grams stands what only training needs.
    needed = len(content) - (8 + 8 + 1 + 4 * 4 * len(model.wv))
    for size in (*range(0, 400, 3), needed - 1):
        cut = tmp_path / f"{size}.bin"
        cut.write_bytes(content[:size])
        with pytest.raises(XmrError, match="not vectors that can be read") as error:
            open_vectors(cut)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("place", [8, 8 + 4 * 8, 64, 68])
@pytest.mark.parametrize("number", [-1, 2**31 - 1])
def test_counts_that_can_not_be_are_refused(tmp_path, facebook, place, number):
    content = bytearray(facebook[0].read_bytes())
    struct.pack_into("<i", content, place, number)
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(XmrError, match="not vectors that can be read"):
        open_vectors(tmp_path / "a.bin")
