"""RecordedResults: what is missing, stale or of another run is told, with the command that mends it."""

import csv
import json
import shutil

import numpy as np
import pytest
from made_up_results import made_up_ranks, write_made_up_run

from xmr_lib.errors import XmrError
from xmr_lib.publish.facts import RecordedResults
from xmr_lib.records import run_folder
from xmr_lib.summary_csv import read_summary


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "scenes"
    write_made_up_run(folder, "ab-infonce", 4.0, seeds=(0, 1, 2))
    write_made_up_run(folder, "cca-mean", 6.0)
    return folder


def change_row(folder, run, **values):
    rows = [row | (values if row["run"] == run else {}) for row in read_summary(folder / "summary.csv")]
    with (folder / "summary.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def test_a_row_and_its_runs(folder):
    facts = RecordedResults.read(folder)
    assert float(facts.row("ab-infonce")["rsum"]) == pytest.approx(
        np.mean([result.test["rsum"] for result in facts.results("ab-infonce")]), abs=1e-4
    )
    assert [result.seed for result in facts.results("ab-infonce")] == [0, 1, 2]
    assert len(facts.ranks("ab-infonce")) == 3


def test_no_results_at_all(tmp_path):
    with pytest.raises(XmrError, match=r"no results here; 'xmr run --dataset nowhere' makes them"):
        RecordedResults.read(tmp_path / "nowhere")


def test_a_missing_run_names_the_command(folder):
    with pytest.raises(
        XmrError, match=r"no row of the run 'e-gru'; 'xmr train e-gru --dataset scenes --profile demo --results"
    ):
        RecordedResults.read(folder).row("e-gru")


def test_a_row_that_is_older_than_its_run(folder):
    path = run_folder(folder, "cca-mean", 0) / "result.json"
    record = json.loads(path.read_text())
    record["test"]["t2i_r1"] += 0.5
    path.write_text(json.dumps(record))
    with pytest.raises(XmrError, match=r"'cca-mean' in summary.csv is not what its runs say \(t2i_r1 .*xmr train cca"):
        RecordedResults.read(folder).row("cca-mean")


@pytest.mark.parametrize(("column", "value"), [("rsum", "1.0"), ("track", "open"), ("seeds", "1"), ("val_rsum", "9")])
def test_a_row_that_was_changed_by_hand(folder, column, value):
    change_row(folder, "ab-infonce", **{column: value})
    with pytest.raises(XmrError, match=r"summary\.csv is not what its runs say"):
        RecordedResults.read(folder).row("ab-infonce")


def test_a_row_of_some_of_the_seeds_is_older_than_its_runs(folder):
    write_made_up_run(folder, "ab-infonce", 4.0, seeds=(0,))
    with pytest.raises(XmrError, match=r"is not what its runs say \(seeds 1 against 3\): .* --seeds 0,1,2"):
        RecordedResults.read(folder).row("ab-infonce")


def test_seeds_of_an_earlier_version_without_ranks_do_not_count(folder):
    for seed in (1, 2):
        (run_folder(folder, "ab-infonce", seed) / "ranks.npz").unlink()
    [first] = write_made_up_run(folder, "ab-infonce", 4.0, seeds=(0,))
    assert RecordedResults.read(folder).results("ab-infonce") == [first]


def test_a_row_whose_runs_are_gone(folder):
    shutil.rmtree(run_folder(folder, "ab-infonce", 1))
    with pytest.raises(XmrError, match=r"is of 3 seed\(s\), but 2 result.json are there; 'xmr train ab-infonce"):
        RecordedResults.read(folder).row("ab-infonce")


def test_missing_ranks_name_the_command_and_stop_no_number(folder):
    (run_folder(folder, "cca-mean", 0) / "ranks.npz").unlink()
    facts = RecordedResults.read(folder)
    assert facts.row("cca-mean")
    with pytest.raises(XmrError, match=r"ranks of 'cca-mean' are missing; 'xmr train cca-mean"):
        facts.ranks("cca-mean")


def test_ranks_of_another_run(folder):
    ranks = made_up_ranks(9.0, 5)
    np.savez(
        run_folder(folder, "cca-mean", 0) / "ranks.npz",
        i2t_positions=ranks.i2t_positions,
        t2i=ranks.t2i,
        image_of_caption=ranks.image_of_caption,
    )
    with pytest.raises(XmrError, match="they are of two runs"):
        RecordedResults.read(folder).ranks("cca-mean")


def test_no_image_retrieval(folder):
    with pytest.raises(
        XmrError, match=r"image_retrieval.csv: no image retrieval; 'xmr run --dataset scenes --only 07'"
    ):
        RecordedResults.read(folder).image_rows()


def test_the_hash_is_of_what_was_asked_for(folder):
    def digest(*runs):
        facts = RecordedResults.read(folder)
        for run in runs:
            facts.row(run)
        return facts.digest()

    both, one = digest("ab-infonce", "cca-mean"), digest("ab-infonce")
    assert digest("cca-mean", "ab-infonce") == both != one
    write_made_up_run(folder, "cca-mean", 7.0)
    assert digest("ab-infonce") == one
    assert digest("ab-infonce", "cca-mean") != both
    assert RecordedResults.read(folder).apart().digest() == RecordedResults.read(folder).digest()
