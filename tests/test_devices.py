"""Whatever is trained and embedded on the processor is on another device too, with the same numbers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from pretend_device import DEVICE, NAME, OnDevice, pretended
from safetensors.torch import load_file
from small_models import small_image_encoder

from xmr_lib.config import RunConfig, from_flat
from xmr_lib.encoders import Captions, open_encoder
from xmr_lib.experiment import run
from xmr_lib.experiment.bank import TRUNK
from xmr_lib.experiment.detectors import detector_of
from xmr_lib.experiment.fit import untrained
from xmr_lib.experiment.run import model_folder
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.model import RetrievalModel
from xmr_lib.modules import RowPart, embed_items
from xmr_lib.ragged import Ragged
from xmr_lib.runtime import CPU, Runtime
from xmr_lib.study import get_configs
from xmr_lib.training import Checkpoint, Pairs, Schedule, train, train_metric
from xmr_lib.training.dual_encoder import PairProblem, score

ITEMS = 32
STEPS = 3
MODELS = (
    *("a-recipe", "b-infonce", "ab-triplet-semihard", "ab-triplet-hardest", "ab-triplet-all"),
    *("c-roi-mean", "c-roi-score", "c-roi-attention", "c-roi-selfattention", "c-roi-gpo", "c-head-attention-tuned"),
    *("grid-attention", "d-cls", "d-attention", "d-meanmax-tuned", "t-cnn-tuned"),
    *("e-lstm", "e-bigru-meanmax-trained", "r-onehot-glove-trained", "f-image-gate", "f-text-attention"),
)
"""One for each distinct combination of encoder, aggregation, loss and fusion."""


def some(pairs: Pairs, images: int) -> Pairs:
    """Return the first images and their captions."""
    own = np.flatnonzero(pairs.image_of_caption < images)
    numbers = torch.from_numpy(own)
    return Pairs(pairs.images[torch.arange(images)], pairs.captions[numbers], pairs.image_of_caption[own])


def three_steps(workspace, config: RunConfig, runtime: Runtime, folder: Path):
    """Return the loss of three steps, and the embeddings and ranks of what was trained on afterwards."""
    there = workspace.runtime
    workspace.runtime = runtime
    try:
        network = untrained(workspace, config, 0)
    finally:
        workspace.runtime = there
    pairs = some(workspace.pairs(config, "train", 0), ITEMS)
    schedule = Schedule(1, len(pairs.image_of_caption) // STEPS, 1e-3, 1e-2, 0.1)
    loss = config.method.loss.build()
    checkpoint = Checkpoint(folder / "checkpoint", {})
    history = train(network, loss, pairs, pairs, config.distance, schedule, 0, checkpoint, config.name, runtime=runtime)
    ranks = score(network, pairs, config.distance, runtime)
    return history, network, ranks


@pytest.mark.parametrize(("model", "roomy"), [(model, bool(number % 2)) for number, model in enumerate(MODELS)])
def test_a_model_trains_and_is_scored_as_on_the_processor(smoke_workspace, tmp_path, model, roomy):
    """Its features kept there, or sent in batches."""
    [config] = get_configs(smoke_workspace, model)
    here, _, ranks = three_steps(smoke_workspace, config, CPU, tmp_path / "here")
    with pretended(roomy) as runtime:
        there, network, found = three_steps(smoke_workspace, config, runtime, tmp_path / "there")
        assert all(isinstance(p, OnDevice) for p in network.parameters())
    np.testing.assert_allclose(there.loss, here.loss, rtol=1e-6)
    np.testing.assert_array_equal(found.i2t, ranks.i2t)
    np.testing.assert_array_equal(found.t2i, ranks.t2i)


def test_contrastive_loss_and_random_negatives_do_too(smoke_workspace, tmp_path):
    [config] = get_configs(smoke_workspace, "a-recipe")
    config = config.replace(loss={"name": "contrastive", "margin": 1.0})
    here, _, _ = three_steps(smoke_workspace, config, CPU, tmp_path / "here")
    with pretended() as runtime:
        there, _, _ = three_steps(smoke_workspace, config, runtime, tmp_path / "there")
    np.testing.assert_allclose(there.loss, here.loss, rtol=1e-6)


def test_a_line_that_forgets_the_device_is_caught(smoke_workspace, tmp_path, monkeypatch):
    """A fresh tensor on the processor, in the midst of an aggregation: what these tests are for."""
    [config] = get_configs(smoke_workspace, "r-onehot-glove-trained")
    forward = RowPart.forward
    monkeypatch.setattr(RowPart, "forward", lambda self, rows: forward(self, rows) + torch.zeros(len(rows), 1))
    three_steps(smoke_workspace, config, CPU, tmp_path / "here")
    with pretended() as runtime, pytest.raises(RuntimeError, match="two devices"):
        three_steps(smoke_workspace, config, runtime, tmp_path / "there")


def test_a_step_never_waits_for_the_device(smoke_workspace, tmp_path, monkeypatch):
    """A number that is read on the host, or a choice of rows by a mask, would stop it until the device is done."""
    waits = []
    reading = {
        *(torch.Tensor.item, torch.Tensor.tolist, torch.Tensor.__bool__, torch.Tensor.__int__, torch.Tensor.__float__),
        *(torch.Tensor.__index__, torch.Tensor.nonzero, torch.nonzero, torch.Tensor.unique, torch.masked_select),
    }
    inner = OnDevice.__torch_function__.__func__

    def watched(cls, func, types, args=(), kwargs=None):
        # A mask on the device as an index has to be counted before anything is chosen by it.
        masked = func in (torch.Tensor.__getitem__, torch.Tensor.__setitem__) and any(
            isinstance(x, OnDevice) and x.dtype == torch.bool
            for x in (args[1] if isinstance(args[1], tuple) else (args[1],))
        )
        if training and (func in reading or masked):
            waits.append(func)
        return inner(cls, func, types, args, kwargs)

    training = False
    monkeypatch.setattr(OnDevice, "__torch_function__", classmethod(watched))

    step = PairProblem.batch_loss

    def watched_step(self, *inputs):
        nonlocal training
        training = True
        try:
            loss = step(self, *inputs)
            loss.backward()
        finally:
            training = False
        return step(self, *inputs)

    monkeypatch.setattr(PairProblem, "batch_loss", watched_step)
    for model in ("ab-triplet-semihard", "c-roi-attention", "e-bigru-meanmax-trained", "c-roi-gpo"):
        [config] = get_configs(smoke_workspace, model)
        with pretended() as runtime:
            three_steps(smoke_workspace, config, runtime, tmp_path / model)
    assert not waits


def test_the_detector_learns_there_what_it_learns_here(smoke_workspace, tmp_path):
    bank = smoke_workspace.bank
    given = bank.usable((TRUNK,)), bank.site().beside("boxes.json"), bank.image_store(TRUNK)
    here = detector_of(*given, tmp_path / "here.safetensors", 1)
    with pretended() as runtime:
        there = detector_of(*given, tmp_path / "there.safetensors", 1, runtime=runtime)
    np.testing.assert_allclose(there.loss, here.loss, rtol=1e-5)
    np.testing.assert_allclose(there.validation, here.validation, atol=1e-3)
    kept = [load_file(tmp_path / f"{place}.safetensors") for place in ("here", "there")]
    for name, values in kept[0].items():
        torch.testing.assert_close(kept[1][name], values, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("roomy", [False, True])
def test_metric_learning_goes_there_as_here(tmp_path, roomy):
    config = from_flat("x", method="metric-learning", projection="linear", image_scaling="standardise", dropout=0.0)
    torch.manual_seed(0)
    features, classes = torch.randn(60, 12), np.arange(60) // 3
    positives = Ragged.from_lengths(np.arange(60).reshape(20, 3).repeat(3, axis=0).ravel(), np.full(60, 3))

    def trained(runtime: Runtime, folder: str):
        torch.manual_seed(0)
        encoder = runtime.place(small_image_encoder(config, features))
        checkpoint = Checkpoint(tmp_path / folder, {})
        loss, spread = config.method.loss.build(), lambda model: float(embed_items(model, features).var())
        given = (features, positives, classes, spread, config.distance, Schedule(3, 20, 1e-3, 1e-2, 0.1))
        history = train_metric(encoder, loss, *given, 0, checkpoint, "x", runtime=runtime)
        return history, embed_items(encoder, features)

    here, expected = trained(CPU, "here")
    with pretended(roomy) as runtime:
        there, found = trained(runtime, "there")
    np.testing.assert_allclose(there.loss, here.loss, rtol=1e-6)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("slug", ["effnet-lite0", "effnet-lite0-grid", "effnet-lite0@15", "frcnn-lite0"])
def test_features_of_photographs_are_made_there(smoke_workspace, slug):
    spec, bank = FeatureSpec.parse(slug), smoke_workspace.bank
    pixels = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    expected = bank.encoder(spec).features(pixels)
    with pretended() as runtime:
        encoder = open_encoder(spec, bank.site())
        encoder.runtime = runtime
        found = encoder.features(pixels)
        assert next(encoder.network().parameters()).device == DEVICE
    for own, theirs in (
        [(found, expected)]
        if isinstance(found, np.ndarray)
        else [
            (found.values, expected.values),
            (found.offsets, expected.offsets),
        ]
    ):
        np.testing.assert_array_equal(own, theirs)


def test_tokens_of_captions_are_made_there(smoke_workspace):
    spec, bank = FeatureSpec.parse("minilm@4-6"), smoke_workspace.bank
    captions = Captions(["two dogs", "a house behind a tree", ""], [("two", "dogs"), ("a", "house"), ()])
    expected = bank.text_encoder(spec, 0).rows(captions)
    with pretended() as runtime:
        encoder = open_encoder(spec, bank.site())
        encoder.runtime = runtime
        found = encoder.rows(captions)
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(found.offsets, expected.offsets)


@pytest.mark.parametrize("model", ["cca-idf", "c-roi-attention", "d-meanmax-tuned", "f-words-late"])
def test_a_model_is_fitted_kept_and_used_there(smoke_workspace, tmp_path, monkeypatch, model):
    [config] = get_configs(smoke_workspace, model)
    part = smoke_workspace.dataset.split("test")
    paths, raw = [part.path(image) for image in range(4)], list(part.raw[:8])
    with pretended() as runtime:
        monkeypatch.setattr(smoke_workspace, "runtime", runtime)
        monkeypatch.setattr(smoke_workspace, "cache", tmp_path / "cache")
        monkeypatch.setattr(smoke_workspace, "results", tmp_path / "results")
        [result] = run(smoke_workspace, config)
        assert result.machine["device"] == NAME
        folder = model_folder(smoke_workspace, config, 0)
        there = RetrievalModel.load(folder, runtime)
        images, captions = there.encode_images(paths), there.encode_texts(raw)
    here = RetrievalModel.load(folder, CPU)
    np.testing.assert_allclose(images, here.encode_images(paths), atol=1e-6)
    np.testing.assert_allclose(captions, here.encode_texts(raw), atol=1e-6)


@pytest.mark.parametrize("model", ["ab-triplet-semihard", "c-roi-gpo", "d-meanmax-tuned", "e-bigru-meanmax-trained"])
def test_mixed_precision_learns_nearly_the_same(smoke_workspace, tmp_path, model):
    [config] = get_configs(smoke_workspace, model)
    single, _, ranks = three_steps(smoke_workspace, config, CPU, tmp_path / "single")
    mixed, network, found = three_steps(smoke_workspace, config, replace(CPU, precision="bf16"), tmp_path / "mixed")
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
    assert mixed.loss != single.loss
    np.testing.assert_allclose(mixed.loss, single.loss, rtol=0.03)
    # Of 160 captions by 32 images.
    assert np.median(np.abs(np.log(found.t2i / ranks.t2i))) < 0.5
