"""Where features come from decides the track: nothing that may have seen the test captions passes for clean."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from xmr_lib.config import from_flat
from xmr_lib.encoders.bert import provenance_of_bert
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.networks.bert import LEAK, MPNET, MPNET_LEAK, load_bert
from xmr_lib.provenance import Provenance, worst_track


@pytest.fixture(scope="module")
def packaged() -> Path:
    return load_bert("minilm").weights.path


@pytest.fixture
def tiny(tmp_path) -> Path:
    """A BERT that nobody knows."""
    folder = tmp_path / "tiny"
    tokenizer = load_bert("minilm").tokenizer
    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    load_bert(str(folder))
    return folder


def provenance(slug: str) -> Provenance:
    return FeatureSpec.parse(slug).provenance


def test_minilm_is_open_and_says_why():
    for slug in ("minilm", "minilm@3", "minilm@4-6"):
        assert provenance(slug).track == "open" and provenance(slug).note == LEAK
    config = from_flat("d", text_features="minilm", text_pooling="mean")
    assert config.track == "open" and list(config.track_reasons()) == [f"minilm: {LEAK}"]


def test_mpnet_is_known_by_its_name():
    found = provenance(f"bert:{MPNET}")
    assert found.track == "open" and found.note == MPNET_LEAK and "MPNet" in found.note


@pytest.mark.parametrize("place", ["itself", "link", "copy", "copy with a card that is silent about it"])
def test_minilm_by_its_folder_is_minilm(packaged, tmp_path, place):
    folder = packaged if place == "itself" else tmp_path / "model"
    if place == "link":
        os.symlink(packaged, folder)
    elif place != "itself":
        shutil.copytree(packaged, folder)
    if place.endswith("about it"):
        (folder / "README.md").write_text("---\ndatasets:\n- s2orc\n---\n")
    found = provenance(f"bert:{folder}@5")
    assert found.track == "open" and found.note == LEAK
    assert from_flat("d", text_features=f"bert:{folder}", text_pooling="mean").track == "open"


def test_a_folder_that_nobody_knows_is_open(tiny):
    found = provenance(f"bert:{tiny}")
    assert found.track == "open" and found.trained_on == ("unknown",)
    assert str(tiny) in found.note and "may have seen the test captions" in found.note


@pytest.mark.parametrize(
    ("card", "track"),
    [
        ("---\ndatasets:\n- s2orc\n- wikipedia\n---\n# Model\nflickr30k is not among them.\n", "clean"),
        ("---\ndatasets: [s2orc, flickr30k-captions]\n---\n", "open"),
        ("---\ndatasets:\n- s2orc\n- nlphuji/Flickr30k\n---\n", "open"),
        ("---\ndatasets:\n- jxie/flickr8k\n---\n", "open"),
        ("---\ndatasets: []\n---\n", "open"),
        ("---\nlicense: mit\n---\n", "open"),
        ("---\nbase_model: bert-base-uncased\n---\n", "open"),
        ("---\n{ no yaml\n---\n", "open"),
        ("# Model\ndatasets: wikipedia\n", "open"),
        ("", "open"),
    ],
)
def test_a_model_card_tells(tiny, card, track):
    (tiny / "README.md").write_text(card, "utf-8")
    found = provenance(f"bert:{tiny}")
    assert found.track == track
    assert (found.trained_on == ("unknown",)) == ("datasets:\n-" not in card and "[s2orc" not in card)


@pytest.mark.parametrize(
    ("base", "track"),
    [
        ("bert-base-uncased", "clean"),
        ("google-bert/bert-base-cased", "clean"),
        ("[bert-base-uncased, bert-large-cased]", "clean"),
        ("somebody/tuned", "open"),
        ("[bert-base-uncased, somebody/tuned]", "open"),
    ],
)
def test_what_a_network_was_made_from_has_taught_it_too(tiny, base, track):
    (tiny / "README.md").write_text(f"---\ndatasets: [s2orc]\nbase_model: {base}\n---\n", "utf-8")
    found = provenance(f"bert:{tiny}")
    assert found.track == track and found.trained_on[0] == "s2orc" and len(found.trained_on) > 1
    assert ("unknown" in found.trained_on) == (track == "open") and "made from" in found.note


def test_a_glove_file_is_what_its_name_says_or_unknown(monkeypatch):
    for name, track in (
        ("glove.6B.300d.txt", "clean"),
        ("glove.840B.300d.txt", "clean"),
        ("glove.twitter.27B.25d.txt", "clean"),
        ("vectors.txt", "open"),
    ):
        monkeypatch.setenv("XMR_GLOVE_FILE", f"/some/where/{name}")
        assert provenance("glove").track == track
        assert from_flat("f", text_features="glove", text_pooling="mean").track == track
    assert "vectors.txt, which XMR_GLOVE_FILE names" in provenance("glove").note


def test_names_that_are_known_are_clean_unless_a_folder_has_taken_them(tiny, monkeypatch):
    """Hugging Face would load the folder."""
    for slug in ("bert-base-uncased", "bert:bert-base-cased"):
        assert provenance(slug).track == "clean"
    monkeypatch.chdir(tiny.parent)
    for name in ("bert-base-uncased", "bert-base-cased"):
        tiny.rename(name)
        provenance_of_bert.cache_clear()
        assert provenance(f"bert:{name}").track == "open"
        Path(name).rename(tiny)
    shutil.copytree(tiny, "bert-base-uncased")
    provenance_of_bert.cache_clear()
    assert provenance("bert-base-uncased").track == "open"
    provenance_of_bert.cache_clear()


@pytest.mark.parametrize(
    ("slug", "track"),
    [
        ("effnet-lite0", "clean"),
        ("frcnn-lite0-roi", "clean"),
        ("frcnn-resnet50", "clean"),
        ("onehot", "clean"),
        ("phoc", "clean"),
        ("glove", "clean"),
        ("fasttext-self", "clean"),
        ("fasttext-file", "open"),
        ("bert:no-such-name", "open"),
    ],
)
def test_tracks_of_features(slug, track):
    assert provenance(slug).track == track
    assert provenance(slug).note or track == "clean"


def test_a_model_has_the_worst_of_its_tracks():
    assert worst_track([]) == "clean"
    assert worst_track(["clean", "clean"]) == "clean"
    assert worst_track(["clean", "open", "transductive"]) == "open"
    assert worst_track(iter(["transductive", "clean"])) == "transductive"
    both = from_flat("f", text_features="glove+minilm", text_pooling="mean")
    assert both.track == "open" and len(list(both.track_reasons())) == 1
    alone = [from_flat(slug, text_features=slug, text_pooling="mean") for slug in ("glove", "minilm")]
    assert from_flat("late", alone, method="late").track == "open"
    assert from_flat("late", [alone[0], from_flat("other")], method="late").track == "clean"


def test_what_has_learned_nothing_is_clean_and_what_is_unknown_is_not():
    assert Provenance(()).track == "clean" and Provenance(("Unknown",)).track == "open"
    assert Provenance(("ImageNet-1k", "the FLICKR-8K captions")).track == "open"
