"""What will be trained is told before it starts, by what the same models took on the reference."""

import csv

import pytest
from course_twin import write_course_twin

from xmr_lib.experiment import Workspace, run
from xmr_lib.experiment.sweep import read_sweep
from xmr_lib.paths import reference_root
from xmr_lib.study import get_configs, runnable
from xmr_lib.study.batch_size import SWEEP, batch_configs
from xmr_lib.study.estimate import RECIPES, estimate, estimate_lines, seed_lines


@pytest.fixture
def twin(tmp_path, monkeypatch):
    """The course's files without boxes, and no detector to be had."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("XMR_CACHE", str(tmp_path / "cache"))
    write_course_twin(tmp_path / "course", images=80)
    return tmp_path / "course"


def test_minutes_are_those_of_the_reference_by_captions(twin, tmp_path):
    workspace = Workspace("flickr30k", twin, "full", tmp_path / "results")
    rows = {row.notebook: row for row in estimate(workspace, [0, 1])}
    recorded = {
        row["run"]: row
        for row in csv.DictReader((reference_root() / "flickr8k" / "summary.csv").read_text().splitlines())
    }
    expected = [recorded[model] for model in ("b-recipe", "b-infonce") if model in recorded]
    share = workspace.dataset.split("train").caption_count / 30_000
    of_b = [row for row in recorded.values() if row["task"] == "b" and row["run"] not in RECIPES]
    swept = batch_configs(workspace)
    assert expected and rows["02"].trainings == 2 * (len(of_b) + len(swept))
    took = {point.run: point.cpu_minutes for point in read_sweep(reference_root() / "flickr8k", SWEEP)}
    minutes = sum(float(row["cpu_minutes"]) for row in of_b)
    # What the reference has not swept takes as long as the model that it varies.
    for config in swept:
        minutes += took.get(config.name, float(recorded[config.name.partition("-batch")[0]]["cpu_minutes"]))
    assert rows["02"].cpu_minutes == pytest.approx(2 * minutes * share)
    # Regions can't be had here, so nothing is trained on them.
    assert "03" not in rows


def test_what_is_there_is_not_counted_again(twin, tmp_path):
    full = Workspace("flickr30k", twin, "full", tmp_path / "results")
    before = {row.notebook: row for row in estimate(full, [0])}
    run(full, get_configs(full, "cca-mean")[0])
    after = {row.notebook: row for row in estimate(full, [0])}
    assert after["00"].trainings == before["00"].trainings - 1
    lines = estimate_lines(full, [0], {"00", "01"})
    assert [line.split()[0] for line in lines[1:-1]] == ["00", "01"] and "on flickr8k" in lines[0]
    assert estimate_lines(full, [0], {"08"}) == []


def test_models_that_have_other_seeds_than_asked_for_are_named(smoke_workspace):
    [line] = seed_lines(smoke_workspace, [0, 1, 2], {"05", "06"})
    assert line.startswith("f-table-late: run once; it is late fusion of the seeds 0, 1 of r-onehot-glove-trained,")
    assert seed_lines(smoke_workspace, [0], {"06"}) == seed_lines(smoke_workspace, [0, 1, 2], {"05"}) == []


def test_a_profile_without_reference_has_no_estimate(smoke_workspace):
    assert estimate_lines(smoke_workspace, [0], {"00"}) == []


def test_without_photographs_what_came_with_the_data_is_left(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("XMR_CACHE", str(tmp_path / "cache"))
    folder = write_course_twin(tmp_path / "course", images=80, with_images=False)
    workspace = Workspace("flickr30k", folder, "smoke", tmp_path / "results")
    asked = ("t-cnn-frozen", "c-roi-mean", "r-fasttext", "t-cnn-tuned")
    assert [config.name for config in runnable(workspace, *asked)] == ["r-fasttext"]
    said = capsys.readouterr().out
    assert "left out: t-cnn-frozen, t-cnn-tuned (no image folder was found" in said
    assert "left out: c-roi-mean (frcnn-resnet50: no weights at" in said
    # What was made of them before can be used without them.
    (workspace.cache / "features" / "effnet-lite0").mkdir(parents=True)
    assert workspace.missing(get_configs(workspace, "t-cnn-frozen")[0]) == ""
