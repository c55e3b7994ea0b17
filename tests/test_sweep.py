"""Many trainings of which numbers are kept, and the study over batch sizes that is made of them."""

import importlib
import json

import numpy as np
import pytest

from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, run
from xmr_lib.experiment.sweep import read_sweep, sweep, sweep_file
from xmr_lib.figures import batch_size_figure
from xmr_lib.study import get_configs
from xmr_lib.study.batch_size import LOSSES, SWEEP, batch_configs, batch_sizes, batch_table, run_batch_sizes

# Not a name of the package: its module, where the training is looked up.
SWEEPING = importlib.import_module("xmr_lib.experiment.sweep")


@pytest.fixture(scope="module")
def workspace(smoke_workspace, tmp_path_factory):
    return Workspace("scenes", None, "smoke", tmp_path_factory.mktemp("sweeps"))


@pytest.fixture(scope="module")
def swept(workspace):
    run_batch_sizes(workspace, [0, 1])
    return workspace


def test_a_point_is_the_validation_of_the_run(swept):
    config = batch_configs(swept)[0]
    [point] = [own for own in read_sweep(swept.results, SWEEP) if (own.run, own.seed) == (config.name, 1)]
    [result] = run(swept, config, [1])
    assert point.val_rsum == pytest.approx(result.val_rsum, abs=0.006)
    assert point.loss == pytest.approx(result.history["loss"][-1], abs=1e-5)
    assert (point.best_epoch, point.epochs) == (result.history["best_epoch"] + 1, len(result.history["loss"]))


def test_nothing_is_kept_but_the_table_and_test_stays_unseen(workspace, tmp_path, monkeypatch):
    own = Workspace("scenes", None, "smoke", tmp_path)
    asked, pairs = [], Workspace.pairs
    monkeypatch.setattr(Workspace, "pairs", lambda self, *given: (asked.append(given[1]), pairs(self, *given))[1])
    [config] = get_configs(own, "ab-triplet-hardest")
    sweep(own, "one", [(config, 0)])
    assert set(asked) == {"train", "val"}
    assert [path.name for path in own.results.rglob("*") if path.is_file() and path.suffix != ".lock"] == ["one.csv"]
    [point] = read_sweep(own.results, "one")
    # Of a triplet the margin.
    assert point.blind_loss == config.method.loss.settings["margin"]


def test_what_is_recorded_is_read_and_other_settings_are_refused(swept, monkeypatch):
    configs = batch_configs(swept)
    assert len(read_sweep(swept.results, SWEEP)) == 2 * len(configs)
    monkeypatch.setattr(SWEEPING, "fit", None)
    run_batch_sizes(swept, [0, 1])
    other = configs[0].replace(**{"optimiser.learning_rate": 0.5})
    with pytest.raises(XmrError, match=r"batch_size\.csv: '.*-batch16', seed 0, is there with other settings or data"):
        sweep(swept, SWEEP, [(other, 0)])
    [cca] = get_configs(swept, "cca-mean")
    with pytest.raises(XmrError, match="a sweep is of dual encoders"):
        sweep(swept, SWEEP, [(cca, 0)])


def test_a_table_of_another_version_is_refused(tmp_path):
    assert read_sweep(tmp_path, "none") == []
    file = sweep_file(tmp_path, "old")
    file.parent.mkdir()
    file.write_text("run,seed\na,0\n")
    with pytest.raises(XmrError, match=r"old\.csv: its columns are those of no version known here"):
        read_sweep(tmp_path, "old")


def test_the_studys_own_models_stand_beside_their_other_batches(swept):
    models = get_configs(swept, *LOSSES.values())
    groups = {name: run(swept, config, [0]) for name, config in zip(LOSSES, models, strict=True)}
    points = batch_sizes(swept.results)
    assert set(points["batch"]) == {16, 64} and set(points["loss"]) == set(LOSSES)
    row = points[(points["loss"] == "hardest") & (points["batch"] == 64)].iloc[0]
    [result] = groups["hardest"]
    assert row["val_rsum"] == result.val_rsum and row["warmup"]
    assert row["share"] == pytest.approx(result.history["loss"][-1] / 0.2)
    infonce = points[(points["loss"] == "InfoNCE") & (points["batch"] == 16)]
    assert np.all(infonce["share"] < 1.5) and len(infonce) == 2
    table = batch_table(points)
    assert list(table.index) == list(LOSSES) and list(table.columns) == [16, 64]
    mean = points[(points["loss"] == "hardest") & (points["batch"] == 16)]["val_rsum"].mean()
    assert table.loc["hardest", 16].startswith(f"{mean:.1f} (")


def test_the_figure_has_a_line_per_loss_and_one_for_what_is_not_learned(swept):
    points = batch_sizes(swept.results)
    cold = points.assign(warmup=False, val_rsum=points["val_rsum"] - 5)
    for given, lines in ((points, 4), (type(points)(np.vstack([points, cold]), columns=points.columns), 8)):
        given = given.astype(points.dtypes)
        rsum, share = batch_size_figure(given).axes
        assert len(rsum.lines) == lines and len(share.lines) == lines + 1
        means = given[given["warmup"] & (given["loss"] == "hardest")].groupby("batch")["val_rsum"].mean()
        assert any(np.allclose(line.get_ydata(), means) for line in rsum.lines)


def test_the_names_of_a_sweep_say_what_differs(workspace):
    for config in batch_configs(workspace):
        base = next(own for own in get_configs(workspace, *LOSSES.values()) if config.name.startswith(f"{own.name}-b"))
        mine, theirs = (json.loads(json.dumps(own.to_dict())) for own in (config, base))
        for path in ("batch", "warmup"):
            mine["method"]["optimiser"].pop(path), theirs["method"]["optimiser"].pop(path)
        assert {**mine, "name": ""} == {**theirs, "name": ""}
