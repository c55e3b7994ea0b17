"""The schedule of the studies, one setting at a time."""

import numpy as np
import pytest

from xmr_lib.experiment import Workspace
from xmr_lib.experiment.sweep import read_sweep
from xmr_lib.records import flat
from xmr_lib.study import get_configs
from xmr_lib.study.schedule import BASE, BEFORE, SETTINGS, SWEEP, differences, put_back, schedule_table


@pytest.fixture(scope="module")
def workspace(smoke_workspace, tmp_path_factory):
    return Workspace("scenes", None, "smoke", tmp_path_factory.mktemp("schedule"))


def test_the_settings_are_all_that_the_two_models_differ_in(workspace):
    full = Workspace("scenes", None, "smoke", workspace.results)
    full.sized = lambda config: config
    base, before = (flat(config.to_dict()) for config in get_configs(full, BASE, BEFORE))
    differing = {path.removeprefix("method.") for path in base if base[path] != before.get(path)}
    assert differing == {"name", "task", *(path for paths in SETTINGS.values() for path in paths)}
    assert list(put_back(full)) == list(SETTINGS)
    for setting, config in put_back(full).items():
        own = flat(config.to_dict())
        changed = {path.removeprefix("method.") for path in own if own[path] != base[path]}
        assert changed == {"name", *SETTINGS[setting]}


def test_each_setting_is_measured_against_the_base_with_the_same_seeds(workspace):
    # Of the smoke profile batch and epochs are given to both.
    assert list(put_back(workspace)) == ["scaling", "projection", "dropout", "learning-rate"]
    table = schedule_table(workspace, [0, 1])
    assert list(table.index) == ["the base", *put_back(workspace), "all together"]
    points = {(point.run, point.seed): point.val_rsum for point in read_sweep(workspace.results, SWEEP)}
    row = table.loc["dropout"]
    assert row["val rSum"] == pytest.approx(sum(points[f"{BASE}-dropout", seed] for seed in (0, 1)) / 2)
    assert row["difference"] == pytest.approx(row["val rSum"] - table.loc["the base", "val rSum"])
    assert np.mean(differences(workspace.results)["dropout"]) == pytest.approx(row["difference"])
    assert row["from → to"] == "0.4 → 0.3" and row["seeds"] == "2"
