"""Towers as ONNX, run by onnxruntime on other sizes than at export, against the model itself."""

import json
import sys

import numpy as np
import pytest
import torch
from small_models import small_model
from test_cli import xmr
from torch import nn

from xmr_lib.baselines import LinearEncoder, ZeroShot
from xmr_lib.config import from_flat
from xmr_lib.errors import XmrError
from xmr_lib.experiment import embed, run
from xmr_lib.model import EnsembleModel, RetrievalModel
from xmr_lib.model.folder import save_model
from xmr_lib.model.onnx_export import write_onnx
from xmr_lib.ragged import Ragged
from xmr_lib.records import run_folder
from xmr_lib.study import get_configs
from xmr_lib.training import Pairs

pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")

SIZES = {"embed_dim": 12, "hidden": 16}
SHAPES = [(1, 1), (2, 9), (17, 4)]
"""Items and most rows; graphs are made with other ones."""


def rows(items, most, width, seed=0):
    """Rows of ``items`` items, the first with ``most``; ``width`` 0: numbers of words."""
    dice = torch.Generator().manual_seed(seed)
    lengths = torch.randint(most + 1, (items,), generator=dice)
    lengths[0] = most
    total = int(lengths.sum())
    values = torch.randn(total, width, generator=dice) if width else torch.randint(30, (total,), generator=dice)
    return Ragged.from_lengths(values, lengths)


def rectangle(ragged):
    if ragged.values.ndim > 1:
        return ragged.padded()[0].numpy()
    return Ragged(ragged.values[:, None], ragged.offsets).padded()[0][:, :, 0].numpy()


def embedded(folder, side, **given):
    session = onnxruntime.InferenceSession(folder / f"{side}.onnx", providers=["CPUExecutionProvider"])
    return session.run(["embeddings"], given)[0]


def exported(folder, config, images, captions, **given):
    """A model with weights from a dice, its towers written into ``folder``."""
    torch.manual_seed(0)
    network = small_model(config, Pairs(images, captions, np.arange(len(images))), **given)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.3)
    model = RetrievalModel(config, network, (), (), {})
    write_onnx(model, folder)
    return model


def assert_close(found, wanted):
    assert found.dtype == np.float32 and found.shape == tuple(wanted.shape)
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)


def test_heads_on_vectors(tmp_path):
    config = from_flat("heads", text_features="fasttext-self", text_pooling="mean", projection="mlp", **SIZES)
    model = exported(tmp_path, config, torch.rand(40, 7), torch.randn(40, 5))
    for items, _ in SHAPES:
        images, captions = torch.rand(items, 7), torch.randn(items, 5)
        assert_close(embedded(tmp_path, "image", vectors=images.numpy()), model.embed_images(images))
        assert_close(embedded(tmp_path, "text", vectors=captions.numpy()), model.embed_captions(captions))
    facts = json.loads((tmp_path / "onnx.json").read_text("utf-8"))
    [given] = facts["text"]["inputs"]
    assert (given["name"], given["shape"]) == ("vectors", ["captions", 5]) and "aggregated by mean" in given["meaning"]
    assert facts["image"]["output"]["shape"] == ["images", 12] and facts["distance"] == "cosine"


def test_attention_over_regions_and_a_recurrent_network_over_trained_words(tmp_path):
    config = from_flat(
        "rows",
        image_features="frcnn-lite0",
        image_pooling="attention",
        unfreeze_blocks=1,
        text_features="fasttext-self",
        text_pooling="bigru",
        train_words=True,
        **SIZES,
    )
    given = {"table": torch.randn(30, 6), "tail": nn.Linear(9, 7)}
    model = exported(tmp_path, config, rows(40, 6, 9 + 5), rows(40, 6, 0), **given)
    for items, most in SHAPES:
        images, captions = rows(items, most, 9 + 5, items), rows(items, most, 0, items)
        found = embedded(tmp_path, "image", rows=rectangle(images), lengths=images.lengths.numpy())
        assert_close(found, model.embed_images(images))
        found = embedded(tmp_path, "text", words=rectangle(captions), lengths=captions.lengths.numpy())
        assert_close(found, model.embed_captions(captions))
    facts = json.loads((tmp_path / "onnx.json").read_text("utf-8"))
    assert [given["shape"] for given in facts["image"]["inputs"]] == [["images", "regions", 14], ["images"]]
    assert [given["name"] for given in facts["text"]["inputs"]] == ["words", "lengths"]
    assert "encoders/text0/words.json" in facts["text"]["inputs"][0]["meaning"]


def test_mean_and_maximum_over_regions_and_tokens(tmp_path):
    config = from_flat(
        "meanmax",
        image_features="frcnn-lite0",
        image_pooling="meanmax",
        text_features="minilm",
        text_pooling="meanmax",
        word_dropout=0.1,
        **SIZES,
    )
    model = exported(tmp_path, config, rows(40, 6, 9 + 5), rows(40, 6, 8))
    for items, most in SHAPES:
        images, captions = rows(items, most, 9 + 5, items), rows(items, most, 8, items)
        for side, given, own in (("image", images, model.embed_images), ("text", captions, model.embed_captions)):
            found = embedded(tmp_path, side, rows=rectangle(given), lengths=given.lengths.numpy())
            assert_close(found, own(given))


def test_cca(tmp_path):
    config = from_flat("cca", method="cca", text_features="fasttext-self", text_scaling="none")
    network = LinearEncoder(7, 5, 4, ("l2", "none"))
    for buffer in network.buffers():
        buffer.normal_()
    model = RetrievalModel(config, network, (), (), {})
    write_onnx(model, tmp_path)
    for items, _ in SHAPES:
        images, captions = torch.rand(items, 7), torch.randn(items, 5)
        assert_close(embedded(tmp_path, "image", vectors=images.numpy()), model.embed_images(images))
        assert_close(embedded(tmp_path, "text", vectors=captions.numpy()), model.embed_captions(captions))


def test_the_command_writes_a_folder_that_needs_no_torch_for_its_vectors(smoke_workspace, tmp_path):
    """From a caption's words to its embedding by what lies in the folder, as the run embeds it."""
    workspace, place = smoke_workspace, tmp_path / "model"
    [result] = run(workspace, get_configs(workspace, "e-mean-trained")[0])
    folder = run_folder(workspace.results, "e-mean-trained", 0)
    done = xmr("export", folder, place, "--onnx")
    assert done.exit_code == 0 and "onnx.json" in done.stdout
    vocabulary = json.loads((place / "encoders" / "text0" / "words.json").read_text("utf-8"))["vocabulary"]
    tokens = workspace.dataset.split("test").tokens
    most = max(map(len, tokens))
    numbers = np.zeros((len(tokens), most), np.int64)
    for caption, words in enumerate(tokens):
        numbers[caption, : len(words)] = [vocabulary.index(word) for word in words]
    found = embedded(place, "text", words=numbers, lengths=np.array([len(words) for words in tokens]))
    np.testing.assert_allclose(found, embed(workspace, result, "test")[1], atol=1e-5)
    RetrievalModel.load(place)


def test_what_cannot_be_written_leaves_nothing(tmp_path, monkeypatch):
    fields = {"text_features": "fasttext-self", "train_words": True, **SIZES}
    pairs, table = Pairs(torch.rand(40, 7), rows(40, 6, 0), np.arange(40)), torch.randn(30, 6)
    config = from_flat("self", text_pooling="selfattention", **fields)
    model = RetrievalModel(config, small_model(config, pairs, table), (), (), {})
    monkeypatch.setattr("xmr_lib.model.onnx_export._write", lambda *_: 12)
    message = "self: the text tower on fasttext-self can't be written as ONNX: its aggregation, SelfAttention, has no"
    with pytest.raises(XmrError, match=message):
        save_model(model, tmp_path / "model", onnx=True)
    config = from_flat("none", method="zero-shot", image_features="clip-image:x", text_features="clip-text:x")
    with pytest.raises(XmrError, match="none: nothing of it is trained"):
        save_model(RetrievalModel(config, ZeroShot(), (), (), {}), tmp_path / "model", onnx=True)
    assert not list(tmp_path.iterdir())


def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    model = RetrievalModel(from_flat("cca", method="cca"), LinearEncoder(7, 5, 4, ("l2", "none")), (), (), {})
    with pytest.raises(XmrError, match=r"cca: ONNX needs the package onnxscript; pip install onnx"):
        save_model(model, tmp_path / "model", onnx=True)
    assert not list(tmp_path.iterdir())


def test_late_fusion_says_how_its_members_are_joined(tmp_path):
    members = [RetrievalModel(from_flat(name), nn.Module(), (), (), {}) for name in ("x", "y")]
    config = from_flat("late", [member.config for member in members], method="late")
    write_onnx(EnsembleModel(config, members, [0.25, 0.75], {}), tmp_path)
    facts = json.loads((tmp_path / "onnx.json").read_text("utf-8"))
    assert facts["members"] == [{"folder": "members/x", "weight": 0.25}, {"folder": "members/y", "weight": 0.75}]
