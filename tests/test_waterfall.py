"""Steps from the recipe to the best model, from what is recorded."""

import json

import numpy as np
import pytest
from made_up_results import made_up_ranks, write_made_up_run

from xmr_lib.figures import waterfall_figure
from xmr_lib.metrics import difference_interval, summarise
from xmr_lib.records import read_ranks, run_folder
from xmr_lib.study import MODELS
from xmr_lib.study.names import NAMES
from xmr_lib.study.results_at_hand import best_run
from xmr_lib.study.waterfall import OPEN_STEPS, STEPS, Step, waterfall

MADE_UP = (Step("ab-recipe", "the recipe"), Step("absent", "nobody made it"), Step("ab-infonce", "another loss"))


def ranks_of(folder, run, seeds, with_bank=False):
    return [read_ranks(folder, run, seed, with_bank) for seed in seeds]


def test_each_step_is_measured_against_the_one_before(tmp_path):
    folder = tmp_path / "made-up"
    write_made_up_run(folder, "ab-recipe", 9.0, seeds=(0, 1))
    write_made_up_run(folder, "ab-infonce", 3.0, seeds=(0, 1, 2))
    table = waterfall(folder, MADE_UP)
    assert list(table["change"]) == ["the recipe", "nobody made it; another loss"] and list(table["seeds"]) == [2, 3]
    before, after = ranks_of(folder, "ab-recipe", (0, 1)), ranks_of(folder, "ab-infonce", (0, 1, 2))
    means = [np.mean([summarise(own)["rsum"] for own in ranks]) for ranks in (before, after)]
    np.testing.assert_allclose(table["rsum"], means)
    spreads = [np.std([summarise(own)["rsum"] for own in ranks], ddof=1) for ranks in (before, after)]
    np.testing.assert_allclose(table["spread"], spreads)
    first, second = table.iloc[0], table.iloc[1]
    assert np.isnan(first["gain"]) and second["gain"] == pytest.approx(means[1] - means[0])
    assert (second["gain_low"], second["gain_high"]) == pytest.approx(difference_interval(before, after))
    assert second["gain_low"] < second["gain"] < second["gain_high"] and second["p"] < 0.01


def test_the_same_model_with_its_bank_is_a_step_of_its_own(tmp_path, capsys):
    folder = tmp_path / "made-up"
    write_made_up_run(folder, "ab-infonce", 3.0)
    steps = (Step("ab-infonce", "InfoNCE"), Step("ab-infonce", "query bank", with_bank=True))
    # Recorded before scores with a bank were: that step is not, and it is told.
    assert list(waterfall(folder, steps)["change"]) == ["InfoNCE"]
    told = capsys.readouterr().err
    assert "left out: 'query bank' (" in told and "recorded before scores with a query bank were" in told
    run = run_folder(folder, "ab-infonce", 0)
    facts = json.loads((run / "result.json").read_text())
    better = made_up_ranks(2.0, 5)
    facts["with_bank"] = {"val": {"rsum": 401.0}, "test": summarise(better)}
    (run / "result.json").write_text(json.dumps(facts))
    with np.load(run / "ranks.npz") as arrays:
        np.savez(run / "ranks.npz", **arrays, bank_t2i=better.t2i)
    table = waterfall(folder, steps)
    [own] = ranks_of(folder, "ab-infonce", (0,), with_bank=True)
    assert table["rsum"][1] == pytest.approx(summarise(own)["rsum"]) and table["rsum"][1] > table["rsum"][0]
    assert table["val_rsum"][1] == 401.0


def test_steps_are_models_of_the_study_and_differ_from_each_other():
    for steps in (STEPS, OPEN_STEPS):
        assert len(set(steps)) == len(steps)
        assert all(step.run in MODELS and step.run in NAMES for step in steps)


def test_the_best_recorded_model_is_clean_and_chosen_on_validation(tmp_path):
    folder = tmp_path / "made-up"
    assert best_run(folder) is None
    write_made_up_run(folder, "ab-infonce", 4.0)
    write_made_up_run(folder, "ab-recipe", 9.0)
    write_made_up_run(folder, "d-meanmax", 2.0)  # open
    assert best_run(folder) == run_folder(folder, "ab-infonce", 0)


def test_a_bar_begins_where_the_one_before_ended():
    figure = waterfall_figure(["recipe", "better", "worse"], [100.0, 150.0, 140.0], [(40.0, 60.0), (-15.0, -5.0)])
    bars = figure.axes[0].patches
    assert [(bar.get_x(), bar.get_width()) for bar in bars] == [(0, 100), (100, 50), (150, -10)]
    assert bars[1].get_facecolor() != bars[2].get_facecolor()
    assert [text.get_text() for text in figure.axes[0].texts] == ["100.0", "150.0  (+50.0)", "140.0  (−10.0)"]
