"""Run folders and the table of record."""

import json

import numpy as np
import pytest

from xmr_lib.config import Config
from xmr_lib.errors import XmrError
from xmr_lib.records import (
    SUMMARY_COLUMNS,
    Result,
    read_ranks,
    read_result,
    read_run,
    read_summary,
    run_folder,
    summary_row,
    update_summary,
    write_run,
)

METRICS = {"i2t_r1": 10.0, "i2t_r5": 20.0, "i2t_r10": 30.0, "t2i_r1": 1.0, "t2i_r5": 2.0, "t2i_r10": 3.0}


def result(seed=0, rsum=66.0, **changes):
    config = Config("m").but(**changes).to_dict()
    test = {**METRICS, "rsum": rsum, "i2t_medr": 4.0, "t2i_medr": 5.0}
    return Result(config, seed, {"name": "d"}, test, 70.0, {"rsum": 1.5}, 120.0, {"val_rsum": [1.0]}, {"threads": 2})


def test_a_run_is_read_as_it_was_written(tmp_path):
    positions = {"t2i": np.array([1, 2, 70_000]), "i2t_positions": np.array([3, 1, 2])}
    write_run(tmp_path, result(), positions)
    assert read_run(tmp_path, result().config, 0, {"name": "d"}) == result()
    for name, values in read_ranks(tmp_path, "m", 0).items():
        np.testing.assert_array_equal(values, positions[name])
    assert read_run(tmp_path, result().config, 1, {"name": "d"}) is None
    with pytest.raises(XmrError, match="no ranks here"):
        read_ranks(tmp_path, "m", 1)


def test_the_same_name_with_another_config_or_other_data_is_refused(tmp_path):
    write_run(tmp_path, result(), {})
    before = (run_folder(tmp_path, "m", 0) / "result.json").read_bytes()
    with pytest.raises(XmrError, match="is there with epochs = 12, not 7"):
        read_run(tmp_path, result(epochs=7).config, 0, {"name": "d"})
    with pytest.raises(XmrError, match="data: name = 'd', not 'other'"):
        read_run(tmp_path, result().config, 0, {"name": "other"})
    assert (run_folder(tmp_path, "m", 0) / "result.json").read_bytes() == before


def test_a_result_without_its_ranks_is_not_taken_for_a_run(tmp_path):
    write_run(tmp_path, result(), {"t2i": np.array([1])})
    (run_folder(tmp_path, "m", 0) / "ranks.npz").unlink()
    assert read_run(tmp_path, result().config, 0, {"name": "d"}) is None
    with pytest.raises(XmrError, match="is there with epochs"):
        read_run(tmp_path, result(epochs=7).config, 0, {"name": "d"})


def test_results_that_are_none_are_told_in_one_line(tmp_path):
    with pytest.raises(XmrError, match="no result here"):
        read_result(tmp_path / "result.json")
    (tmp_path / "result.json").write_text(json.dumps({"config": {}}))
    with pytest.raises(XmrError, match="not a result of this version"):
        read_result(tmp_path / "result.json")


def test_the_summary_has_the_agreed_columns_means_over_seeds_and_one_row_a_model(tmp_path):
    agreed = (
        "run,task,track,image_features,text_features,aggregation,loss,seeds,i2t_r1,i2t_r5,i2t_r10,t2i_r1,t2i_r5,"
        "t2i_r10,rsum,rsum_low,rsum_high,cpu_minutes,val_rsum,i2t_medr,t2i_medr,chance_rsum"
    )
    row = summary_row([result(0, 60.0), result(1, 70.0)], (61.0, 69.5))
    update_summary(tmp_path, [{**row, "run": "z"}, row])
    path = update_summary(tmp_path, [{**row, "rsum": "99.00"}])
    assert path.read_text().splitlines()[0] == agreed == ",".join(SUMMARY_COLUMNS)
    rows = read_summary(path)
    assert [(r["run"], r["rsum"], r["seeds"], r["cpu_minutes"], r["loss"]) for r in rows] == [
        ("m", "99.00", "2", "2.0000", "infonce both"),
        ("z", "65.0000", "2", "2.0000", "infonce both"),
    ]


def test_a_summary_with_other_columns_is_refused(tmp_path):
    (tmp_path / "summary.csv").write_text("run,rsum\nm,1\n")
    with pytest.raises(XmrError, match="columns are not those"):
        update_summary(tmp_path, [])
    assert (tmp_path / "summary.csv").read_text() == "run,rsum\nm,1\n"
