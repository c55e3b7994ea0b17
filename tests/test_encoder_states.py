"""An encoder that was saved and restored is the one that it was, on known words, new words and photographs."""

import json
import shutil
import warnings

import numpy as np
import pytest
import torch
from gensim.models import FastText
from safetensors.torch import save_file
from transformers import BertConfig, BertModel

from xmr_lib.encoders import Captions, Site, fasttext, open_encoder
from xmr_lib.encoders.bert import weights_name
from xmr_lib.encoders.frcnn import DETECTOR, FrcnnLiteEncoder
from xmr_lib.encoders.spacy_md import SPACY_MD
from xmr_lib.encoders.subwords import Subwords
from xmr_lib.errors import XmrError
from xmr_lib.features.extract import read_image
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.features.words import training_captions
from xmr_lib.networks.bert import load_bert
from xmr_lib.networks.frcnn_lite import frcnn_lite, trained_state
from xmr_lib.pretrained import PackagedWeights

NEW = ("doggish", "skateboarders", "zyzzyva")
"""In no caption."""
WORDS = ("onehot", "phoc", "glove", "fasttext-self", "fasttext-file", *(["spacy-md"] if SPACY_MD.path() else []))


@pytest.fixture(scope="module")
def dataset(smoke_workspace):
    return smoke_workspace.dataset


@pytest.fixture
def site(dataset, tmp_path, monkeypatch):
    file = tmp_path / "some.vec"
    file.write_text("3 2\ndog 1 2\ngrass 3 4\ndoggish 5 6\n")
    monkeypatch.setenv("XMR_FASTTEXT_FILE", str(file))
    monkeypatch.delenv("XMR_GLOVE_FILE", raising=False)
    monkeypatch.setattr(fasttext, "DIM", 16)
    return Site(dataset, tmp_path / "cache", seed=1, profile="smoke", fasttext_epochs=2)


def again(encoder, folder, networks=None):
    folder.mkdir()
    encoder.save(folder)
    return type(encoder).restore(encoder.spec, folder, networks)


def captions_of(dataset):
    return Captions(dataset.raw[:50], dataset.tokens[:50])


@pytest.mark.parametrize("slug", WORDS)
def test_a_word_encoder_comes_back_whole(site, tmp_path, slug):
    encoder = open_encoder(FeatureSpec.parse(slug), site)
    restored = again(encoder, tmp_path / "saved")
    assert restored.spec == encoder.spec and restored.vocabulary == encoder.vocabulary
    assert not set(NEW) & set(encoder.vocabulary)
    new = Captions(["x", "y", "z"], [NEW, (), (encoder.vocabulary[3], NEW[1], encoder.vocabulary[7])])
    for captions in (captions_of(site.dataset), new):
        ours, theirs = restored.rows(captions), encoder.rows(captions)
        np.testing.assert_array_equal(ours.values, theirs.values)
        np.testing.assert_array_equal(ours.offsets, theirs.offsets)
        assert ours.values.dtype == np.float32
    np.testing.assert_array_equal(restored.vectors(NEW), encoder.vectors(NEW))
    # All the same after another journey.
    np.testing.assert_array_equal(again(restored, tmp_path / "again").rows(new).values, encoder.rows(new).values)


@pytest.mark.parametrize("slug", WORDS)
def test_any_words_have_the_same_vectors_known_or_not(site, tmp_path, slug):
    encoder = open_encoder(FeatureSpec.parse(slug), site)
    words = (*encoder.vocabulary[:20], *NEW)
    np.testing.assert_array_equal(again(encoder, tmp_path / "saved").vectors(words), encoder.vectors(words))


def test_new_words_have_vectors_where_the_method_has_them(site):
    known = {slug: open_encoder(FeatureSpec.parse(slug), site).vectors(NEW).any(1).tolist() for slug in WORDS}
    assert known["phoc"] == [True, True, True]
    assert known["fasttext-self"][:2] == [True, True]
    assert known["glove"][1] and known["fasttext-file"] == [True, False, False]
    assert known["onehot"] == [False, False, False]


@pytest.mark.parametrize("slug", ["glove", "fasttext-file"])
def test_without_their_source_new_words_are_zero_and_one_warning_says_so(site, tmp_path, monkeypatch, slug):
    encoder = open_encoder(FeatureSpec.parse(slug), site)
    (tmp_path / "other").write_text("2 2\ndog 8 8\ndoggish 9 9\n")
    monkeypatch.setenv({"glove": "XMR_GLOVE_FILE", "fasttext-file": "XMR_FASTTEXT_FILE"}[slug], str(tmp_path / "other"))
    restored = again(encoder, tmp_path / "saved")
    captions = captions_of(site.dataset)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(restored.rows(captions).values, encoder.rows(captions).values)
    with pytest.warns(UserWarning, match=rf"{slug}: new words such as 'doggish' have no vector") as told:
        first = restored.rows(Captions(["x"], [NEW]))
        second = restored.vectors(NEW)
    assert len(told) == 1
    assert first.values.shape == second.shape == (3, encoder.table.shape[1])
    assert not first.values.any() and not second.any()


def test_fasttext_whose_subwords_were_not_kept_says_so(site, tmp_path):
    spec = FeatureSpec("fasttext-self")
    encoder = open_encoder(spec, site)
    store = encoder.store_folder(site)
    store.with_name(store.name + fasttext.SUBWORDS).unlink()
    older = open_encoder(spec, site)
    np.testing.assert_array_equal(older.table, encoder.table)
    restored = again(older, tmp_path / "saved")
    with pytest.warns(UserWarning, match="kept no subwords"):
        assert not restored.vectors(NEW).any()


@pytest.mark.parametrize("slug", ["glove", "fasttext-file", *[slug for slug in WORDS if slug == "spacy-md"]])
def test_copies_of_the_vectors_travel_with_a_model(site, tmp_path, monkeypatch, slug):
    encoder = open_encoder(FeatureSpec.parse(slug), site)
    [source] = encoder.networks()
    copies = tmp_path / "networks" / source.name
    copies.mkdir(parents=True)
    for file in source.files or (source.path,):
        shutil.copy(file, copies)
    monkeypatch.delenv("XMR_FASTTEXT_FILE")
    monkeypatch.setattr("xmr_lib.encoders.glove.GLOVE", PackagedWeights("glove", "no_such_package", "x"))
    monkeypatch.setattr("xmr_lib.encoders.spacy_md.SPACY_MD", PackagedWeights("spacy-md", "no_such_package", "x"))
    restored = again(encoder, tmp_path / "saved", tmp_path / "networks")
    np.testing.assert_array_equal(restored.vectors(NEW), encoder.vectors(NEW))


def test_a_copied_text_file_of_glove_goes_before_what_is_named_elsewhere(site, tmp_path, monkeypatch):
    file = tmp_path / "own.txt"
    file.write_text("".join(f"{word} {n}.5 1\n" for n, word in enumerate([*NEW, "dog", "a"])))
    monkeypatch.setenv("XMR_GLOVE_FILE", str(file))
    encoder = open_encoder(FeatureSpec("glove"), site)
    (tmp_path / "networks" / "glove").mkdir(parents=True)
    shutil.move(file, tmp_path / "networks" / "glove")
    (tmp_path / "other.txt").write_text("dog 7 7\n")
    monkeypatch.setenv("XMR_GLOVE_FILE", str(tmp_path / "other.txt"))
    restored = again(encoder, tmp_path / "saved", tmp_path / "networks")
    np.testing.assert_array_equal(restored.vectors(NEW)[:, 0], np.arange(len(NEW)) + 0.5)


def test_subwords_are_gensims_own_for_unseen_words(dataset):
    sentences = training_captions(dataset)
    model = FastText(vector_size=32, seed=1, epochs=5, **fasttext.SETTINGS)
    model.build_vocab(sentences)
    model.train(sentences, total_examples=model.corpus_count, epochs=5)
    subwords = Subwords.of(model)
    known = [word for word in model.wv.index_to_key if len(word) >= 6][:12]
    assert len(known) == 12
    # All n-grams of a word stand in it twice but for those across the joint.
    unseen = [word + word for word in known] + [word[:-1] for word in known] + [word + "s" for word in known]
    unseen = [word for word in unseen if word not in model.wv.key_to_index]
    found, expected = subwords.vectors(unseen), np.stack([model.wv.get_vector(word) for word in unseen])
    cosines = (found * expected).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(expected, axis=1)
    assert len(unseen) > 20 and cosines.min() > 0.999
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), np.linalg.norm(expected, axis=1), rtol=0.02)
    # Of letters that no caption has, nothing is left but zeros.
    assert not subwords.vectors(["éàü"]).any() and subwords.vectors([]).shape == (0, 32)


def test_a_bert_comes_back_from_its_copy_when_its_folder_is_gone(dataset, tmp_path):
    tokenizer, folder = load_bert("minilm").tokenizer, tmp_path / "own" / "tiny"
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    encoder = open_encoder(FeatureSpec.parse(f"bert:{folder}@1-2"), Site(dataset, tmp_path))
    expected = encoder.rows(captions_of(dataset))
    [weights] = encoder.networks()
    copies = tmp_path / "networks" / weights.name
    assert copies == tmp_path / "networks" / weights_name(str(folder))
    copies.mkdir(parents=True)
    for file in weights.files:
        shutil.copy(file, copies)
    shutil.rmtree(folder)
    restored = again(encoder, tmp_path / "saved", tmp_path / "networks")
    np.testing.assert_array_equal(restored.rows(captions_of(dataset)).values, expected.values)
    assert restored.networks()[0].digest == weights.digest
    with pytest.raises(XmrError, match="no BERT that can be loaded"):
        type(encoder).restore(encoder.spec, tmp_path / "saved").rows(captions_of(dataset))


def test_a_bert_by_name_has_files_to_be_copied(tmp_path, monkeypatch):
    """As Hugging Face's cache keeps it: a snapshot of links, named by a reference."""
    home = tmp_path / "hub" / "models--some--tiny"
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("0" * 40)
    snapshot = home / "snapshots" / ("0" * 40)
    tokenizer = load_bert("minilm").tokenizer
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(snapshot)
    tokenizer.save_pretrained(snapshot)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("transformers.utils.hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    files = load_bert("some/tiny").weights.files
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {file.name for file in files}
    copy = tmp_path / "copy"
    copy.mkdir()
    for file in files:
        shutil.copyfile(file, copy / file.name)
    assert load_bert("some/tiny", folder=copy).weights.digest == load_bert("some/tiny").weights.digest


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    """A detector that has learned nothing, but finds things."""
    torch.manual_seed(0)
    made = frcnn_lite(5)
    with torch.no_grad():
        made.roi_heads.box_predictor.cls_score.bias[1] += 6
    file = tmp_path_factory.mktemp("detector") / "some.safetensors"
    save_file(trained_state(made), file, {"names": json.dumps({k: f"thing {k}" for k in range(1, 5)})})
    return file


@pytest.fixture(scope="module")
def pixels(dataset):
    return np.stack([read_image(dataset.path(image), 224) for image in range(3)])


def test_a_detector_comes_back_whole(detector, pixels, tmp_path):
    for output in ("", "roi"):
        encoder = FrcnnLiteEncoder(FeatureSpec("frcnn-lite0", output), detector)
        restored = again(encoder, tmp_path / f"saved{output}")
        assert (tmp_path / f"saved{output}" / DETECTOR).is_file()
        expected, found = encoder.features(pixels), restored.features(pixels)
        np.testing.assert_array_equal(found.values, expected.values)
        np.testing.assert_array_equal(restored.inputs(found).values, encoder.inputs(expected).values)
        assert restored.names == encoder.names and restored.weights.digest == encoder.weights.digest
        assert restored.settings == encoder.settings and len(expected.values) > 6


def test_boxes_that_are_given_are_described_as_those_that_were_found(detector, pixels):
    encoder = FrcnnLiteEncoder(FeatureSpec("frcnn-lite0"), detector)
    found, columns = encoder.features(pixels), encoder.columns
    given = []
    for rows in found:
        rows = rows[1:].astype(np.float32)
        given.append((rows[:, columns.box], rows[:, columns.label].astype(np.int64), rows[:, columns.score]))
    described = encoder.describe(pixels, given)
    np.testing.assert_array_equal(described.lengths, found.lengths)
    ours, theirs = described.values.astype(np.float32), found.values.astype(np.float32)
    np.testing.assert_array_equal(ours[:, columns.label :], theirs[:, columns.label :])
    np.testing.assert_allclose(ours[:, columns.box], theirs[:, columns.box], atol=1e-3)
    for part in (columns.head, columns.backbone):
        # A box in half precision is off by a twentieth of a pixel.
        np.testing.assert_allclose(ours[:, part], theirs[:, part], atol=0.01 * np.abs(theirs[:, part]).max())
    # Other boxes would not do, nor those of another image.
    turned = encoder.describe(pixels, given[1:] + given[:1])
    first = slice(1, min(turned.lengths[0], found.lengths[0]))
    assert np.abs(turned[0][first, columns.head] - found[0][first, columns.head]).max() > 0.05
    nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, np.float32)
    none = encoder.describe(pixels[:1], [nothing])
    np.testing.assert_allclose(none.values.astype(np.float32), theirs[:1], atol=0.01)
