"""The loop learns, resumes, stops early, and stops on collapse."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from xmr_lib.config import Config
from xmr_lib.errors import XmrError
from xmr_lib.experiment.factories import make_loss, make_model
from xmr_lib.metrics import chance_levels
from xmr_lib.training import Pairs, train
from xmr_lib.training.loop import schedule

CONFIG = Config("tiny", hidden=16, embed=8, epochs=6, batch=32, loss="triplet", negatives="random", patience=6)


def planted_pairs(images: int, seed: int) -> Pairs:
    """Images and captions that share a hidden vector; 1 to 3 captions per image."""
    world = np.random.default_rng(0)
    to_image, to_caption = world.standard_normal((4, 12)), world.standard_normal((4, 10))
    rng = np.random.default_rng(seed)
    hidden = rng.standard_normal((images, 4))
    owner = np.repeat(np.arange(images), rng.integers(1, 4, images))

    def noisy(x):
        return torch.from_numpy((x + 0.2 * rng.standard_normal(x.shape)).astype(np.float32))

    return Pairs(noisy(hidden @ to_image), noisy(hidden[owner] @ to_caption), owner)


def train_tiny(checkpoint: Path, config: Config = CONFIG, seed: int = 0, identity=None, **kwargs):
    train_pairs, val_pairs = planted_pairs(150, 1), planted_pairs(60, 2)
    torch.manual_seed(seed)
    model = make_model(config, train_pairs)
    identity = identity or {"config": config.to_dict()}
    history = train(model, make_loss(config), train_pairs, val_pairs, config, seed, checkpoint, identity, **kwargs)
    return model, history, chance_levels(val_pairs.image_of_caption)["rsum"]


@pytest.mark.parametrize("loss", ["infonce", "triplet"])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_it_learns(tmp_path, loss, distance):
    config = CONFIG.but(loss=loss, distance=distance, negatives="semihard", epochs=10, learning_rate=5e-3)
    _, history, chance = train_tiny(tmp_path / "c.safetensors", config)
    assert max(history.val_rsum) > 3 * chance
    assert history.loss[-1] < history.loss[0]


def test_the_model_left_is_that_of_the_best_epoch(tmp_path):
    checkpoint = tmp_path / "c.safetensors"
    model, history, _ = train_tiny(checkpoint)
    assert history.val_rsum[history.best_epoch] == max(history.val_rsum)
    with safe_open(checkpoint, "pt") as file:
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, file.get_tensor(f"best.{name}"))


def test_early_stop(tmp_path):
    # A rate of nearly zero changes nothing, so no epoch after the first is better.
    config = CONFIG.but(learning_rate=1e-12, epochs=20, patience=2)
    _, history, _ = train_tiny(tmp_path / "c.safetensors", config)
    assert len(history.val_rsum) == 3 and history.best_epoch == 0


CHILD = """
import os, signal, sys
from pathlib import Path
from test_training import train_tiny
def kill(epoch):
    if epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)
train_tiny(Path(sys.argv[1]), after_epoch=kill)
"""


def test_a_killed_run_goes_on_to_the_same_numbers(tmp_path):
    whole_model, whole, _ = train_tiny(tmp_path / "whole.safetensors")
    killed = tmp_path / "killed.safetensors"
    child = subprocess.run([sys.executable, "-c", CHILD, str(killed)], cwd=Path(__file__).parent, capture_output=True)
    assert child.returncode == -signal.SIGKILL, child.stderr.decode()
    epochs = []
    model, history, _ = train_tiny(killed, after_epoch=epochs.append)
    assert epochs == [3, 4, 5]
    assert (history.loss, history.val_rsum) == (whole.loss, whole.val_rsum)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, whole_model.state_dict()[name])
    assert [path.name for path in tmp_path.iterdir() if ".tmp" in path.name] == []


def test_a_finished_run_is_not_trained_again(tmp_path):
    first, _, _ = train_tiny(tmp_path / "c.safetensors")
    epochs = []
    again, _, _ = train_tiny(tmp_path / "c.safetensors", after_epoch=epochs.append)
    assert epochs == []
    assert torch.equal(first.image.projections[0].linear[1].weight, again.image.projections[0].linear[1].weight)


def test_a_checkpoint_from_before_a_field_came_goes_on(tmp_path):
    checkpoint, known = tmp_path / "c.safetensors", CONFIG.to_dict()
    train_tiny(checkpoint, identity={"config": {key: value for key, value in known.items() if key != "members"}})
    train_tiny(checkpoint, identity={"config": known})
    with pytest.raises(XmrError, match=r"config\.members"):
        train_tiny(checkpoint, identity={"config": {**known, "members": ["x"]}})


def test_a_checkpoint_of_another_run_or_a_damaged_one_is_refused(tmp_path):
    checkpoint = tmp_path / "c.safetensors"
    train_tiny(checkpoint, identity={"data": "a"})
    with pytest.raises(XmrError, match="made with data = 'a', not 'b'"):
        train_tiny(checkpoint, identity={"data": "b"})
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(XmrError, match="not a checkpoint that can be read"):
        train_tiny(checkpoint, identity={"data": "a"})


def test_collapse_is_stopped_with_an_explanation_and_so_is_its_restart(tmp_path):
    # Weight decay of this size pulls every weight to zero: all embeddings fall into one point.
    config = CONFIG.but(
        loss="triplet", negatives="hardest", weight_decay=300.0, normalised=False, distance="euclidean", epochs=12,
        patience=12, learning_rate=3e-3,
    )  # fmt: skip
    for _ in range(2):
        with pytest.raises(XmrError, match=r"collapse: all (images|captions) have nearly the same embedding"):
            train_tiny(tmp_path / "c.safetensors", config)


def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    train_pairs = planted_pairs(50, 1)
    train_pairs.images[3] = float("nan")
    model = make_model(CONFIG, planted_pairs(50, 1))
    with pytest.raises(XmrError):
        train(model, make_loss(CONFIG), train_pairs, planted_pairs(20, 2), CONFIG, 0, tmp_path / "c.safetensors", {})
    assert not (tmp_path / "c.safetensors").exists()


def test_the_schedule_rises_then_falls_to_zero():
    rates = [schedule(step, 100, 0.1) for step in range(100)]
    assert rates[9] == 1.0 and max(rates) == 1.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001
