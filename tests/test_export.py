"""A model leaves its run: in a new process, without dataset and cache, it embeds the same items to the same vectors."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from course_twin import write_course_twin

from xmr_lib.encoders.frcnn import RegionEncoder
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, embed, run
from xmr_lib.experiment.run import model_folder, model_of
from xmr_lib.model import RetrievalModel
from xmr_lib.model.folder import write_facts
from xmr_lib.networks import efficientnet_lite
from xmr_lib.pretrained import PackagedWeights
from xmr_lib.study import get_configs

KINDS = {
    "cca-idf": "closed form, IDF weights",
    "r-phoc": "a dual encoder on vectors",
    "e-bigru-trained": "recurrent, over trained words",
    "c-roi-attention": "regions",
    "c-head-attention-tuned": "regions, fc7 of the box head tuned",
    "grid-attention": "the places of a map",
    "t-cnn-tuned": "a CNN's last block tuned",
    "d-meanmax-tuned": "a BERT's last layer tuned",
    "f-words-late": "late fusion",
}
CHILD = """
import json, sys
import numpy as np
from xmr_lib import RetrievalModel
given = json.load(open(sys.argv[1]))
boxes = [[np.array(x) for x in one] for one in given["boxes"]]
for name in given["models"]:
    model = RetrievalModel.load(name)
    by_raw = "minilm" in model.config.text_features
    captions = model.encode_texts(given["raw"] if by_raw else given["tokens"])
    regions = any("frcnn" in spec.encoder for spec in model.config.image_specs)
    images = model.encode_images(given["paths"], boxes if regions else None)
    np.savez(f"{name}.npz", images=images, captions=captions, raw=model.encode_texts(given["raw"]))
"""


@pytest.fixture(scope="module")
def exported(smoke_workspace, tmp_path_factory):
    """All kinds, exported, and what a new process in another folder made of the test split with them."""
    workspace, place = smoke_workspace, tmp_path_factory.mktemp("elsewhere")
    results = {}
    for config in get_configs(workspace, *KINDS):
        [results[config.name]] = run(workspace, config)
        RetrievalModel.load(model_folder(workspace, config, 0).parent).save(place / config.name)
    part = workspace.dataset.split("test")
    [regions] = get_configs(workspace, "c-roi-attention")
    encoder, store = workspace.bank.encoder(regions.image_specs[0]), workspace.bank.image_store(regions.image_specs[0])
    assert isinstance(encoder, RegionEncoder)
    found = [[x[1:].tolist() for x in encoder.boxes_of(store, int(image))] for image in part.image_ids]
    given = {
        "models": list(KINDS),
        "paths": [str(part.path(image)) for image in range(len(part))],
        "raw": list(part.raw),
        "tokens": [list(words) for words in part.tokens],
        "boxes": found,
    }
    (place / "given.json").write_text(json.dumps(given))
    environment = {**os.environ, "XMR_CACHE": str(place / "empty"), "PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-c", CHILD, "given.json"]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert not (place / "empty").exists()
    return workspace, place, results


@pytest.mark.parametrize("model", KINDS)
def test_it_embeds_as_its_run_does(exported, model):
    workspace, place, results = exported
    found, (images, captions) = np.load(place / f"{model}.npz"), embed(workspace, results[model], "test")
    np.testing.assert_allclose(found["images"], images, atol=1e-5)
    # A token is kept in half precision: beside other captions its last bit may come out the other way.
    np.testing.assert_allclose(found["captions"], captions, atol=1e-4 if model.startswith("d-") else 1e-5)
    # Sentences as written: the tokens of scenes are those that the library's own rule makes.
    np.testing.assert_allclose(found["raw"], found["captions"], atol=1e-5)


def test_the_folder_says_what_it_stands_on_and_holds_no_pretrained_network(exported):
    _, place, _ = exported
    facts = json.loads((place / "c-head-attention-tuned" / "model.json").read_text("utf-8"))
    [image] = facts["inputs"]["image"]
    assert len(image["networks"]["effnet-lite0"]) == 64
    assert (place / "c-head-attention-tuned" / "encoders" / "image0" / "detector.safetensors").is_file()
    assert not (place / "c-head-attention-tuned" / "networks").exists()
    card = (place / "d-meanmax-tuned" / "README.md").read_text("utf-8")
    assert "Track: **open**" in card and "317,695" in card and "95 % bootstrap" in card


def test_a_search_finds_the_nearest(exported):
    _, place, _ = exported
    model, found = RetrievalModel.load(place / "r-phoc"), np.load(place / "r-phoc.npz")
    places, scores = model.search(["a red ball on the beach"], found["images"], top=3)
    similarity = model.similarity(found["images"], model.encode_texts(["a red ball on the beach"]))[:, 0]
    assert places[0].tolist() == np.argsort(-similarity)[:3].tolist() and (np.diff(scores[0]) <= 0).all()
    with pytest.raises(XmrError, match="takes a list of sentences"):
        model.encode_texts("one sentence")


def test_new_words_have_vectors_where_the_method_gives_them(exported):
    _, place, _ = exported
    known, new, other = RetrievalModel.load(place / "e-bigru-trained").encode_texts(["a dog", "a doggish", "a xqzvw"])
    assert np.abs(new - other).max() > 1e-4, "subwords tell new words apart"
    assert np.abs(known - new).max() > 1e-4


def test_an_image_that_cannot_be_read_is_named(exported, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    with pytest.raises(XmrError, match=r"broken\.jpg: the image can't be read"):
        RetrievalModel.load(exported[1] / "r-phoc").encode_images([tmp_path / "broken.jpg"])


def test_another_network_or_tokenizer_or_a_damaged_folder_is_refused(exported, tmp_path):
    source = exported[1] / "r-phoc"

    def changed(change):
        folder = tmp_path / f"m{len(list(tmp_path.iterdir()))}"
        shutil.copytree(source, folder)
        facts = json.loads((folder / "model.json").read_text("utf-8"))
        change(facts)
        write_facts(folder, facts)
        return folder

    with pytest.raises(XmrError, match="stands on effnet-lite0 with SHA-256 0000"):
        RetrievalModel.load(changed(lambda f: f["inputs"]["image"][0]["networks"].update({"effnet-lite0": "0" * 64})))
    with pytest.raises(XmrError, match="cut into words by uax29-words 0"):
        RetrievalModel.load(changed(lambda f: f["tokenizer"].update({"version": 0})))
    with pytest.raises(XmrError, match="the model is damaged"):
        RetrievalModel.load(changed(lambda f: f.pop("inputs")))
    damaged = changed(lambda f: None)
    (damaged / "weights.safetensors").write_bytes(b"123")
    with pytest.raises(XmrError, match="the model is damaged"):
        RetrievalModel.load(damaged)
    with pytest.raises(XmrError, match="no model here"):
        RetrievalModel.load(tmp_path)
    with pytest.raises(XmrError, match="is there already"):
        RetrievalModel.load(source).save(damaged)


def test_with_networks_nothing_is_looked_up(exported, tmp_path, monkeypatch):
    model = RetrievalModel.load(exported[1] / "d-meanmax-tuned")
    model.save(tmp_path / "whole", with_networks=True)
    monkeypatch.setattr("xmr_lib.networks.bert.PACKAGE", "not_installed")
    monkeypatch.setitem(
        efficientnet_lite.NETWORKS, "effnet-lite0", PackagedWeights("effnet-lite0", "not_installed", "x")
    )
    whole = RetrievalModel.load(tmp_path / "whole")
    np.testing.assert_array_equal(whole.encode_texts(["a dog"]), model.encode_texts(["a dog"]))
    pixels = np.zeros((1, 30, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(whole.encode_images(list(pixels)), model.encode_images(list(pixels)))


@pytest.mark.parametrize("name", ["ab-infonce", "e-bigru"])
def test_a_model_on_the_courses_features_takes_rows_and_refuses_photographs(tmp_path, monkeypatch, name):
    monkeypatch.setenv("XMR_CACHE", str(tmp_path / "cache"))
    write_course_twin(tmp_path / "course", images=60)
    workspace = Workspace("flickr30k", tmp_path / "course", "smoke", tmp_path / "results")
    [result] = run(workspace, get_configs(workspace, name)[0])
    model_of(workspace, result).save(tmp_path / "model")
    model = RetrievalModel.load(tmp_path / "model")
    images, captions = embed(workspace, result, "test")
    part = workspace.dataset.split("test")
    rows = workspace.bank.image_store(result.config.image_specs[0]).take(part.image_ids)
    np.testing.assert_allclose(model.encode_image_features(rows), images, atol=1e-5)
    assert model.encode_texts([list(words) for words in part.tokens]).shape == captions.shape
    with pytest.raises(XmrError, match=r"can't be run on photographs.*effnet-lite0"):
        model.encode_images([np.zeros((8, 8, 3), dtype=np.uint8)])
