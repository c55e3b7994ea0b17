"""The loop learns, resumes, stops early, and stops on collapse."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from small_models import small_model

from xmr_lib.config import RunConfig, from_flat
from xmr_lib.errors import XmrError
from xmr_lib.losses import InfoNCELoss, TripletLoss
from xmr_lib.metrics import chance_levels
from xmr_lib.training import Checkpoint, Pairs, Schedule, train
from xmr_lib.training.collapse import blind_loss
from xmr_lib.training.schedule import share_of_peak

SIZES = {"hidden": 16, "embed_dim": 8, "epochs": 6, "batch": 32, "patience": 6}
TRIPLET = {"loss": "triplet", "negatives": "random"}
CONFIG = from_flat("tiny", **SIZES, **TRIPLET)


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


def train_tiny(
    path: Path, config: RunConfig = CONFIG, seed: int = 0, identity=None, loss=None, train_pairs=None, **kwargs
):
    train_pairs, val_pairs = train_pairs or planted_pairs(150, 1), planted_pairs(60, 2)
    torch.manual_seed(seed)
    model = small_model(config, train_pairs)
    checkpoint = Checkpoint(path, identity or {"config": config.to_dict()})
    schedule = Schedule(**config.method.optimiser.model_dump())
    given = (train_pairs, val_pairs, config.distance, schedule, seed, checkpoint, config.name)
    history = train(model, loss or config.method.loss.build(), *given, **kwargs)
    return model, history, chance_levels(val_pairs.image_of_caption)["rsum"]


@pytest.mark.parametrize("loss", ["infonce", "triplet"])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_it_learns(tmp_path, loss, distance):
    own = {"negatives": "semihard"} if loss == "triplet" else {}
    sizes = {**SIZES, "epochs": 10, "learning_rate": 5e-3}
    config = from_flat("tiny", **sizes, loss=loss, distance=distance, **own)
    _, history, chance = train_tiny(tmp_path / "c.safetensors", config)
    assert max(history.validation) > 3 * chance
    assert history.loss[-1] < history.loss[0]


def test_the_model_left_is_that_of_the_best_epoch(tmp_path):
    checkpoint = tmp_path / "c.safetensors"
    model, history, _ = train_tiny(checkpoint)
    assert history.validation[history.best_epoch] == max(history.validation)
    with safe_open(checkpoint, "pt") as file:
        for name, tensor in model.state_dict().items():
            assert torch.equal(tensor, file.get_tensor(f"best.model.{name}"))


def test_early_stop(tmp_path):
    # A rate of nearly zero changes nothing, so no epoch after the first is better.
    config = from_flat("tiny", **{**SIZES, "learning_rate": 1e-12, "epochs": 20, "patience": 2}, **TRIPLET)
    _, history, _ = train_tiny(tmp_path / "c.safetensors", config)
    assert len(history.validation) == 3 and history.best_epoch == 0


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
    assert (history.loss, history.validation) == (whole.loss, whole.validation)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, whole_model.state_dict()[name])
    assert [path.name for path in tmp_path.iterdir() if ".tmp" in path.name] == []


def test_a_finished_run_is_not_trained_again(tmp_path):
    first, _, _ = train_tiny(tmp_path / "c.safetensors")
    epochs = []
    again, _, _ = train_tiny(tmp_path / "c.safetensors", after_epoch=epochs.append)
    assert epochs == []
    assert torch.equal(first.image.projections[0].linear[1].weight, again.image.projections[0].linear[1].weight)


def test_a_checkpoint_by_another_config_is_refused_by_the_path_of_its_field(tmp_path):
    path = tmp_path / "c.safetensors"
    train_tiny(path)
    other = CONFIG.replace(**{"optimiser.weight_decay": 0.5})
    with pytest.raises(XmrError, match=r"made with config\.method\.optimiser\.weight_decay = 0\.01, not 0\.5"):
        train_tiny(path, other)
    with pytest.raises(XmrError, match=r"made with config\.name = 'tiny', not 'other'"):
        train_tiny(path, CONFIG.replace(name="other"))
    # What this version says and the file does not, is not taken for granted.
    with pytest.raises(XmrError, match=r"made with weights\.x = None, not '0'"):
        train_tiny(path, identity={"config": CONFIG.to_dict(), "weights": {"x": "0"}})


def test_a_checkpoint_from_before_a_field_came_goes_on(tmp_path):
    path, before = tmp_path / "c.safetensors", CONFIG.to_dict()
    del before["method"]["optimiser"]["patience"], before["method"]["text"]["fusion"]
    assert CONFIG.method.optimiser.patience != 4, "not the default: what a file does not say is not what is asked for"
    train_tiny(path, CONFIG.replace(**{"optimiser.patience": 4}), identity={"config": before})
    epochs = []
    train_tiny(path, CONFIG.replace(**{"optimiser.patience": 4}), after_epoch=epochs.append)
    assert epochs == []
    with pytest.raises(XmrError, match=r"made with config\.method\.optimiser\.patience = 4, not"):
        train_tiny(path)


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
    own = {"weight_decay": 300.0, "normalised": False, "distance": "euclidean", "epochs": 12, "patience": 12}
    config = from_flat("tiny", **{**SIZES, **own}, learning_rate=3e-3, loss="triplet", negatives="hardest")
    for _ in range(2):
        with pytest.raises(XmrError, match=r"collapse: all (images|captions) have nearly the same embedding"):
            train_tiny(tmp_path / "c.safetensors", config)


class Broken(InfoNCELoss):
    """Not finite from the second epoch on, and of no consequence for the weights: validation goes on all the same."""

    steps = 0

    def forward(self, similarity, image_of_pair):
        self.steps += 1
        found = super().forward(similarity, image_of_pair)
        return found + float("inf") if self.steps > planted_steps() else found


def planted_steps() -> int:
    """Steps of one epoch of ``train_tiny``."""
    return len(planted_pairs(150, 1).image_of_caption) // SIZES["batch"]


@pytest.mark.parametrize("negatives", ["random", "semihard", "hardest"])
def test_the_loss_of_equal_similarities_is_the_margin(negatives):
    assert blind_loss(TripletLoss(0.3, negatives), 7) == pytest.approx(0.3)
    assert blind_loss(TripletLoss(0.3, "all"), 7) == pytest.approx(6 * 0.3)
    assert blind_loss(InfoNCELoss(), 7) == pytest.approx(np.log(7))


def test_a_loss_that_ends_at_its_margin_is_told(tmp_path, capsys):
    sizes = {**SIZES, "epochs": 10, "learning_rate": 5e-3}
    train_tiny(tmp_path / "learned.safetensors", from_flat("tiny", **sizes, loss="triplet", negatives="semihard"))
    assert capsys.readouterr().err.count("no lower than") == 0
    # What can't be learned: captions of other images.
    pairs = planted_pairs(150, 1)
    pairs = replace(pairs, captions=pairs.captions[np.random.default_rng(3).permutation(len(pairs.captions))])
    config = from_flat("tiny", **SIZES, loss="triplet", negatives="hardest")
    train_tiny(tmp_path / "c.safetensors", config, train_pairs=pairs)
    told = capsys.readouterr().err
    assert told.count("tiny: the loss ends at ") == 1 and "were the same (0.200)" in told


def test_a_loss_that_is_not_finite_stops_the_run_and_leaves_the_last_good_checkpoint(tmp_path):
    path, epochs = tmp_path / "c.safetensors", []
    with pytest.raises(XmrError, match=r"tiny: training stopped after epoch 2: the loss is inf; try a lower") as error:
        train_tiny(path, loss=Broken(), after_epoch=epochs.append)
    assert "\n" not in str(error.value) and epochs == [0]
    with safe_open(path, "pt") as file:
        assert len(json.loads(file.metadata()["history"])["loss"]) == 1


def test_features_that_are_not_finite_stop_the_run_in_its_first_epoch(tmp_path):
    train_pairs, path = planted_pairs(50, 1), tmp_path / "c.safetensors"
    train_pairs.images[3] = float("nan")
    model = small_model(CONFIG, planted_pairs(50, 1))
    given = (train_pairs, planted_pairs(20, 2), "cosine", Schedule(**CONFIG.method.optimiser.model_dump()), 0)
    with pytest.raises(XmrError, match="tiny: training stopped after epoch 1: the loss is nan"):
        train(model, CONFIG.method.loss.build(), *given, Checkpoint(path, {}), "tiny")
    assert not path.exists()


def test_the_loss_is_left_at_the_best_epoch_with_the_model(tmp_path):
    """The temperature of the best epoch, as it was recorded there, on a run that goes on learning after it."""
    config = from_flat("tiny", **{**SIZES, "epochs": 30, "patience": 3, "learning_rate": 0.1})
    loss, temperatures = InfoNCELoss(), []
    _, history, _ = train_tiny(
        tmp_path / "c.safetensors", config, loss=loss, after_epoch=lambda _: temperatures.append(float(loss.log_scale))
    )
    assert history.best_epoch < len(history.loss) - 1 == len(temperatures) - 1
    assert float(loss.log_scale) == temperatures[history.best_epoch]
    assert abs(temperatures[history.best_epoch] - temperatures[-1]) > 1e-4
    # Read from the checkpoint, it is the same.
    again = InfoNCELoss()
    train_tiny(tmp_path / "c.safetensors", config, loss=again)
    assert float(again.log_scale) == temperatures[history.best_epoch]


def test_the_schedule_rises_then_falls_to_zero():
    rates = [share_of_peak(step, 100, 0.1) for step in range(100)]
    assert rates[9] == 1.0 and max(rates) == 1.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001
    schedule = Schedule(3, 32, 0.5, 0.0, 0.1)
    assert [schedule.rate(step, 100) for step in range(100)] == pytest.approx([0.5 * rate for rate in rates])
    # The last, smaller batch is left out, if it is not the only one.
    assert (schedule.steps(100), schedule.steps(64), schedule.steps(20)) == (3, 2, 1)
