"""Settings are tried out on validation; test stays unseen."""

import csv

import pytest
from test_cli import fails, xmr

from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, run, trial, try_out
from xmr_lib.study import get_configs


@pytest.fixture(scope="module")
def workspace(smoke_workspace, tmp_path_factory):
    return Workspace("scenes", None, "smoke", tmp_path_factory.mktemp("trials"))


def test_a_trial_is_the_validation_of_the_run_and_never_looks_at_test(workspace, monkeypatch):
    [config] = get_configs(workspace, "ab-infonce-meanmax")
    asked, pairs = [], Workspace.pairs
    with monkeypatch.context() as patched:
        # Whatever is embedded goes through it.
        patched.setattr(Workspace, "pairs", lambda self, *given: (asked.append(given[1]), pairs(self, *given))[1])
        tried = try_out(workspace, config, seed=3)
    assert set(asked) == {"train", "val"}
    [result] = run(workspace, config, [3])
    assert tried.val_rsum == pytest.approx(result.val_rsum, abs=0.006)
    assert tried.val_rsum_bank >= tried.val_rsum
    assert tried.best_epoch == result.history["best_epoch"] + 1
    assert tried.val_rsum_bank == pytest.approx(result.with_bank["val"]["rsum"], abs=0.006)
    assert result.with_bank["test"]["rsum"] > 0


def test_a_trial_that_is_there_is_read(workspace, monkeypatch):
    [config] = get_configs(workspace, "cca-mean")
    tried = try_out(workspace, config)
    monkeypatch.setattr(trial, "fit", None)
    assert try_out(workspace, config) == tried
    with pytest.raises(XmrError, match=r"the trial 'cca-mean' is there with powers = \[0.0, .*, not \[1.0\]"):
        try_out(workspace, config.replace(powers=[1.0]))


def test_late_fusion_is_tried_from_trials(workspace):
    [config] = get_configs(workspace, "f-words-late")
    tried = try_out(workspace, config)
    rows = list(csv.DictReader((workspace.results / "trials.csv").open()))
    names = {member.name for member in config.method.members}
    assert {*names, "f-words-late"} <= {row["run"] for row in rows}
    assert tried.val_rsum >= max(float(row["val_rsum"]) for row in rows if row["run"] in names) - 0.01
    assert [float(row["val_rsum"]) for row in rows] == sorted((float(row["val_rsum"]) for row in rows), reverse=True)
    assert not any((workspace.results / "runs" / name).exists() for name in names)


ASKED = ("cca-mean", "--profile", "smoke", "--validation-only", "--results")


def test_the_command_says_what_validation_says(tmp_path, monkeypatch, capsys):
    told = xmr("train", *ASKED, tmp_path)
    assert told.exit_code == 0, told.output
    assert "cca-mean seed 0: validation rSum " in told.output and "trials.csv" in told.output
    assert not (tmp_path / "scenes" / "summary.csv").exists()
    monkeypatch.setattr("xmr_lib.processes.Processes.alone", False)
    line = fails(
        monkeypatch, capsys, "train", "cca-mean", "--profile", "smoke", "--validation-only", "--results", tmp_path
    )
    assert "--validation-only is for one process" in line
