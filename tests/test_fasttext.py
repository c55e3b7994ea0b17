"""Self-trained FastText: learns from the training captions alone, the same every time, one vector per word."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from xmr_lib.data.captioned import CaptionedImages
from xmr_lib.encoders import Site, fasttext, open_encoder
from xmr_lib.encoders.fasttext import trained_words
from xmr_lib.errors import XmrError
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.features.words import WordVectors, misspellings_of, vocabulary_of

SMALL = {"dim": 12, "epochs": 2}


def make_dataset(captions: list[str], train: int) -> CaptionedImages:
    """One image per caption; the first ``train`` of them are the training split, the rest is for testing."""
    tokens = tuple(tuple(caption.split()) for caption in captions)
    return CaptionedImages(
        name="talk",
        image_ids=np.arange(len(captions)) + 50,
        filenames=tuple(f"{k}.png" for k in range(len(captions))),
        raw=tuple(captions),
        tokens=tokens,
        caption_ids=np.arange(len(captions)),
        image_of_caption=np.arange(len(captions)),
        splits={"train": np.arange(train), "test": np.arange(train, len(captions))},
        split_source="layout",
        layout="test",
    )


def train_fasttext(dataset: CaptionedImages, folder: Path, dim: int, epochs: int, seed: int = 0) -> WordVectors:
    table, _ = trained_words(dataset, folder, dim, epochs, seed)
    return WordVectors.of(dataset, vocabulary_of(dataset), table)


def read_fasttext(dataset: CaptionedImages) -> WordVectors:
    return open_encoder(FeatureSpec("fasttext-file"), Site(dataset, Path("no-cache"))).words(dataset)


def animals_and_vehicles() -> CaptionedImages:
    random = np.random.default_rng(0)
    living = [("cat", "hound"), ("sleeps", "eats", "purrs"), ("softly", "outdoors"), ("on", "near"), ("grass", "straw")]
    driven = [
        ("bus", "truck"),
        ("drives", "brakes", "parks"),
        ("loudly", "downtown"),
        ("along", "by"),
        ("road", "kerb"),
    ]
    captions = [" ".join(map(random.choice, topic)) for topic in (living, driven) * 200]
    return make_dataset([*captions, "a catlike truckload", "", "cat cat"], len(captions))


@pytest.fixture(scope="module")
def dataset() -> CaptionedImages:
    return animals_and_vehicles()


@pytest.fixture(scope="module")
def store(dataset, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("words") / "store"
    train_fasttext(dataset, folder, **SMALL)
    return folder


@pytest.fixture
def no_training(monkeypatch):
    def refuse(**_: object) -> None:
        raise AssertionError("FastText must not be trained")

    monkeypatch.setattr("gensim.models.FastText", refuse)


def test_each_caption_has_the_rows_of_its_own_words(dataset, store, no_training):
    words = train_fasttext(dataset, store, **SMALL)
    vocabulary = vocabulary_of(dataset)
    assert words.vocabulary == tuple(vocabulary) and words.table.shape == (len(vocabulary), 12)
    assert len(words.words) == dataset.caption_count and words.words.values.dtype == np.int64
    for caption, tokens in enumerate(dataset.tokens):
        assert tuple(vocabulary[row] for row in words.words[caption]) == tokens
    assert len(words.words[dataset.caption_count - 2]) == 0  # a caption without words
    assert np.isfinite(words.table).all() and (np.abs(words.table).sum(1) > 0).all()
    assert len(np.unique(words.table, axis=0)) == len(vocabulary)


def test_words_of_like_use_come_to_lie_together(dataset, tmp_path):
    words = train_fasttext(dataset, tmp_path / "store", dim=30, epochs=30)
    table = words.table - words.table.mean(0)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    vocabulary = vocabulary_of(dataset)
    cat, hound, bus, truck = (table[vocabulary.index(word)] for word in ("cat", "hound", "bus", "truck"))
    assert min(cat @ hound, bus @ truck) > max(cat @ bus, cat @ truck, hound @ bus, hound @ truck) + 0.5
    # Never seen in training, these are put together from the n-grams of words that were.
    catlike, truckload = (table[vocabulary.index(word)] for word in ("catlike", "truckload"))
    assert truckload @ truck > truckload @ cat and catlike @ cat > catlike @ truck
    # Nor were misspellings: n-grams that are left bring them near their words.
    assert misspellings_of(dataset)["outodors"] == "outdoors"
    misspelt, word = (table[vocabulary.index(text)] for text in ("outodors", "outdoors"))
    assert misspelt @ word > misspelt @ bus


def test_captions_of_other_splits_teach_nothing(dataset, store, tmp_path):
    count = len(dataset.splits["train"])
    other = make_dataset([*dataset.raw[:count], *["hound cat bus"] * 50], count)
    here, there = train_fasttext(dataset, store, **SMALL), train_fasttext(other, tmp_path / "other", **SMALL)
    # The first captions of both are the same training captions: so must be their words' vectors.
    for caption in range(count):
        np.testing.assert_array_equal(here.table[here.words[caption]], there.table[there.words[caption]])


def test_the_seed_decides_whatever_pythons_hash_seed_is(dataset, store, tmp_path):
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from test_fasttext import SMALL, animals_and_vehicles, train_fasttext;"
        "train_fasttext(animals_and_vehicles(), Path(sys.argv[2]), **SMALL)"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parent), str(tmp_path / "again")]
    subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "4321"}, check=True, capture_output=True)

    def digest(folder: Path) -> str:
        return hashlib.sha256((folder / "values.npy").read_bytes()).hexdigest()

    assert digest(store) == digest(tmp_path / "again")
    train_fasttext(dataset, tmp_path / "seed1", **SMALL, seed=1)
    assert digest(store) != digest(tmp_path / "seed1")


@pytest.mark.parametrize(
    ("change", "key"),
    [({"seed": 5}, "seed"), ({"epochs": 3}, "epochs"), ({"dim": 8}, "dim")],
    ids=lambda value: str(value),
)
def test_a_store_from_other_settings_is_refused(dataset, store, no_training, change, key):
    with pytest.raises(XmrError, match=rf"made with {key} = "):
        train_fasttext(dataset, store, **{**SMALL, **change})


def test_a_store_from_another_split_is_refused(dataset, store, no_training):
    count = len(dataset.splits["train"])
    splits = {"train": np.arange(count - 1), "test": np.arange(count - 1, len(dataset))}
    with pytest.raises(XmrError, match="training captions"):
        train_fasttext(replace(dataset, splits=splits), store, **SMALL)


@pytest.mark.parametrize("dataset", [make_dataset(["", "", "a dog"], 2), make_dataset(["a dog"], 0)])
def test_training_captions_without_words_are_an_error(dataset, tmp_path):
    with pytest.raises(XmrError, match="talk: the training captions have no words"):
        train_fasttext(dataset, tmp_path / "store", **SMALL)
    assert not list(tmp_path.iterdir())


def test_a_kill_while_the_store_gets_its_name_costs_no_more_than_the_training(dataset, store, tmp_path, monkeypatch):
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("xmr_lib.features.store_writer._write_npy", killed)
        train_fasttext(dataset, tmp_path / "words", **SMALL)
    assert not (tmp_path / "words").exists()
    train_fasttext(dataset, tmp_path / "words", **SMALL)
    assert (tmp_path / "words" / "values.npy").read_bytes() == (store / "values.npy").read_bytes()


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_progress_is_shown(dataset, tmp_path, capsys):
    train_fasttext(dataset, tmp_path / "store", dim=4, epochs=3)
    assert "fasttext-self" in capsys.readouterr().err and (tmp_path / "store").is_dir()


def test_the_encoder_is_trained_once_for_a_profile_and_a_seed(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(fasttext, "DIM", 12)
    site = Site(dataset, tmp_path, seed=3, profile="smoke", fasttext_epochs=2)
    encoder = open_encoder(FeatureSpec("fasttext-self"), site)
    store = tmp_path / "features" / "fasttext-self-smoke-seed3"
    assert store.is_dir() and encoder.store_folder(site) == store
    expected, _ = trained_words(dataset, tmp_path / "again", 12, 2, 3)
    np.testing.assert_array_equal(encoder.words(dataset).table, expected)
    monkeypatch.setattr("gensim.models.FastText", None)
    opened = open_encoder(FeatureSpec("fasttext-self"), site)
    np.testing.assert_array_equal(opened.table, expected)
    np.testing.assert_array_equal(opened.vectors(["catlike"]), encoder.vectors(["catlike"]))


def test_a_file_that_is_not_named_is_asked_for(dataset, monkeypatch):
    monkeypatch.delenv("XMR_FASTTEXT_FILE", raising=False)
    with pytest.raises(XmrError, match="set XMR_FASTTEXT_FILE to the file"):
        read_fasttext(dataset)


def test_vectors_of_a_file_are_looked_up_and_other_words_are_zero(dataset, tmp_path, monkeypatch):
    file = tmp_path / "some.vec"
    file.write_text("3 2\ncat 1 2\nbus 3 4\nunused 5 6\n")
    monkeypatch.setenv("XMR_FASTTEXT_FILE", str(file))
    words = read_fasttext(dataset)
    vectors = dict(zip(words.vocabulary, words.table.tolist(), strict=True))
    assert (vectors["cat"], vectors["bus"], vectors["truck"]) == ([1, 2], [3, 4], [0, 0])


def test_a_binary_file_gives_every_word_a_vector(dataset, tmp_path, monkeypatch):
    from gensim.models import FastText
    from gensim.models.fasttext import save_facebook_model

    model = FastText([["cat", "truck"]] * 5, vector_size=4, min_count=1, bucket=50, workers=1)
    save_facebook_model(model, str(tmp_path / "some.bin"))
    monkeypatch.setenv("XMR_FASTTEXT_FILE", str(tmp_path / "some.bin"))
    words = read_fasttext(dataset)
    vectors = dict(zip(words.vocabulary, words.table, strict=True))
    np.testing.assert_allclose(vectors["cat"], model.wv["cat"], atol=1e-6)
    assert vectors["catlike"].any()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.vec", None, "no such file"),
        ("bad.vec", "x y\n", "not vectors that can be read"),
        ("bad.bin", "x", "not vectors that can be read"),
    ],
)
def test_a_file_that_holds_no_vectors_is_told_in_one_line(dataset, tmp_path, monkeypatch, name, content, message):
    if content is not None:
        (tmp_path / name).write_text(content)
    monkeypatch.setenv("XMR_FASTTEXT_FILE", str(tmp_path / name))
    with pytest.raises(XmrError, match=message) as error:
        read_fasttext(dataset)
    assert "\n" not in str(error.value)
