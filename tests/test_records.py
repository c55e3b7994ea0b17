"""Run folders and the table of record."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from xmr_lib.config import from_flat
from xmr_lib.errors import XmrError
from xmr_lib.metrics import Ranks
from xmr_lib.records import Result, read_ranks, read_result, read_run, run_folder, summary_row, write_run
from xmr_lib.summary_csv import COLUMNS_1, COLUMNS_2, SUMMARY_COLUMNS, read_summary, update_summary

METRICS = {"i2t_r1": 10.0, "i2t_r5": 20.0, "i2t_r10": 30.0, "t2i_r1": 1.0, "t2i_r5": 2.0, "t2i_r10": 3.0}
RANKS = Ranks(np.array([3, 1, 2]), np.array([1, 2, 70_000]), np.array([0, 0, 1]))


def result(seed=0, rsum=66.0, **changes):
    config = from_flat("m", **changes)
    test = {**METRICS, "rsum": rsum, "i2t_medr": 4.0, "t2i_medr": 5.0}
    machine = {"threads": 2, "device": "cpu"}
    facts = ({"name": "d"}, test, 70.0, {"rsum": 1.5}, 120.0, {"val_rsum": [1.0]}, machine)
    return Result(config, seed, *facts, wall_seconds=90.0)


def same(found: Ranks, expected: Ranks) -> None:
    for name, values in asdict(expected).items():
        np.testing.assert_array_equal(getattr(found, name), values)


def test_a_run_is_read_as_it_was_written(tmp_path):
    write_run(tmp_path, result(), RANKS)
    assert read_run(tmp_path, result().config, 0, {"name": "d"}) == result()
    same(read_ranks(tmp_path, "m", 0), RANKS)
    assert read_run(tmp_path, result().config, 1, {"name": "d"}) is None
    with pytest.raises(XmrError, match="no ranks here"):
        read_ranks(tmp_path, "m", 1)


def test_ranks_with_the_query_bank_stand_beside_the_others(tmp_path):
    normalised = replace(RANKS, t2i=np.array([1, 1, 80_000]))
    write_run(tmp_path, result(), RANKS, normalised)
    for with_bank, expected in ((False, RANKS), (True, normalised)):
        same(read_ranks(tmp_path, "m", 0, with_bank), expected)
    # What the bank leaves alone is not written twice.
    with np.load(run_folder(tmp_path, "m", 0) / "ranks.npz") as arrays:
        assert set(arrays.files) == {*asdict(RANKS), "bank_t2i"}


def test_the_same_name_with_another_config_or_other_data_is_refused(tmp_path):
    write_run(tmp_path, result(), RANKS)
    before = (run_folder(tmp_path, "m", 0) / "result.json").read_bytes()
    with pytest.raises(XmrError, match=r"is there with optimiser\.epochs = 12, not 7"):
        read_run(tmp_path, result(epochs=7).config, 0, {"name": "d"})
    with pytest.raises(XmrError, match="data: name = 'd', not 'other'"):
        read_run(tmp_path, result().config, 0, {"name": "other"})
    assert (run_folder(tmp_path, "m", 0) / "result.json").read_bytes() == before


def test_a_result_without_its_ranks_is_not_taken_for_a_run(tmp_path):
    write_run(tmp_path, result(), RANKS)
    (run_folder(tmp_path, "m", 0) / "ranks.npz").unlink()
    assert read_run(tmp_path, result().config, 0, {"name": "d"}) is None
    with pytest.raises(XmrError, match=r"is there with optimiser\.epochs"):
        read_run(tmp_path, result(epochs=7).config, 0, {"name": "d"})


def test_results_that_are_none_are_told_in_one_line(tmp_path):
    with pytest.raises(XmrError, match="no result here"):
        read_result(tmp_path / "result.json")
    (tmp_path / "result.json").write_text(json.dumps({"config": {}}))
    with pytest.raises(XmrError, match=r"result\.json: config: neither a config of today nor one of version 1"):
        read_result(tmp_path / "result.json")
    values = version_1()
    for broken in ({**values, "magic": 1}, {key: values[key] for key in values if key != "test"}, [], {"seed": 0}):
        (tmp_path / "result.json").write_text(json.dumps(broken))
        with pytest.raises(XmrError, match=r"result\.json: not a result of this version") as error:
            read_result(tmp_path / "result.json")
        assert "\n" not in str(error.value)


def test_the_summary_has_the_agreed_columns_means_over_seeds_and_one_row_a_model(tmp_path):
    agreed = (
        "run,task,track,image_features,text_features,aggregation,loss,seeds,i2t_r1,i2t_r5,i2t_r10,t2i_r1,t2i_r5,"
        "t2i_r10,rsum,rsum_low,rsum_high,cpu_minutes,val_rsum,i2t_medr,t2i_medr,chance_rsum,image_aggregation,bank,"
        "wall_minutes,device,val_rsum_bank,rsum_bank"
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
    added = ("image_aggregation", "bank", "wall_minutes", "device")
    assert [[r[column] for column in added] for r in rows] == [["none", "", "1.5000", "cpu"]] * 2


def test_scores_with_the_query_bank_are_means_where_every_seed_has_them(tmp_path):
    with_bank = {"val": {"rsum": 70.0}, "test": {"rsum": 72.0}}
    banked = [replace(result(seed, 60.0), with_bank=with_bank) for seed in range(2)]
    row = summary_row(banked, (1.0, 2.0))
    assert (row["val_rsum_bank"], row["rsum_bank"]) == ("70.0000", "72.0000")
    assert summary_row([*banked, result(2, 60.0)], (1.0, 2.0))["rsum_bank"] == ""
    # A table of before, without these columns, is read, and goes on with them.
    (tmp_path / "summary.csv").write_text(f"{','.join(COLUMNS_2)}\n" + "old" + "," * (len(COLUMNS_2) - 1) + "\n")
    rows = read_summary(update_summary(tmp_path, [row]))
    assert [(own["run"], own["rsum_bank"]) for own in rows] == [("m", "72.0000"), ("old", "")]


def test_a_summary_with_other_columns_is_refused(tmp_path):
    (tmp_path / "summary.csv").write_text("run,rsum\nm,1\n")
    with pytest.raises(XmrError, match="columns are those of no version known here"):
        update_summary(tmp_path, [])
    assert (tmp_path / "summary.csv").read_text() == "run,rsum\nm,1\n"


def version_1(run="old", **changes):
    """A result.json as version 1 wrote it: the config is flat, there is no time on the clock."""
    flat = {
        "model": run, "task": "b", "track": "clean", "image_features": "effnet-lite0", "aggregation": "meanmax",
        "text_features": "fasttext-self", "image_aggregation": "none", "method": "dual-encoder", "members": [],
        "measure": "cosine", "embed": 64, "loss": "triplet", "negatives": "hardest", "margin": 0.25,
        "temperature": 0.07, "tune_image_tail": False, "tune_last_layer": False, "tune_rate": 0.1, "word_rate": 1.0,
    }  # fmt: skip
    values = json.loads(json.dumps(vars(result(rsum=60.0)), default=lambda config: config.to_dict()))
    for later in ("wall_seconds", "five_folds", "with_bank"):
        del values[later]
    return {**values, "config": {**flat, **changes}}


def write_version_1(folder, run="old", **changes):
    path = run_folder(folder, run, 0) / "result.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(version_1(run, **changes)))
    np.savez(path.parent / "ranks.npz", t2i=np.array([1]))
    return path


def test_a_result_of_version_1_is_read_and_is_the_run_of_todays_config(tmp_path):
    found = read_result(write_version_1(tmp_path))
    own = {"text_pooling": "meanmax", "embed_dim": 64, "loss": "triplet", "negatives": "hardest", "margin": 0.25}
    config = from_flat("old", task="b", **own)
    assert (found.config, found.model, found.wall_seconds, found.five_folds) == (config, "old", None, None)
    assert found.test["rsum"] == 60.0
    assert read_run(tmp_path, config, 0, {"name": "d"}) == found
    with pytest.raises(XmrError, match=r"is there with loss\.margin = 0\.25, not 0\.5"):
        read_run(tmp_path, config.replace(**{"loss.margin": 0.5}), 0, {"name": "d"})


def test_late_fusion_of_version_1_finds_its_members_beside_it(tmp_path):
    loss = {"negatives": "hardest", "margin": 0.2, "loss": "infonce"}
    for name, features in (("one", "onehot"), ("two", "glove")):
        write_version_1(tmp_path, name, text_features=features, **loss)
    late = read_result(write_version_1(tmp_path, "late", method="late", members=["one", "two"], task="ensemble"))
    assert [member.name for member in late.config.method.members] == ["one", "two"]
    assert late.config.text_features == "onehot+glove" and late.config.task == "ensemble"
    alone = write_version_1(tmp_path / "other", "late", method="late", members=["one", "two"])
    with pytest.raises(XmrError, match="no result here"):
        read_result(alone)


def test_what_is_written_says_its_version_and_leaves_out_what_was_not_measured(tmp_path):
    write_run(tmp_path, result(), RANKS)
    values = json.loads((run_folder(tmp_path, "m", 0) / "result.json").read_text())
    assert values["version"] == 2 and values["wall_seconds"] == 90.0 and "five_folds" not in values
    assert values["config"]["method"]["optimiser"]["epochs"] == 12
    write_run(tmp_path, replace(result(), five_folds={"rsum": 1.0}, wall_seconds=None), RANKS)
    values = json.loads((run_folder(tmp_path, "m", 0) / "result.json").read_text())
    assert values["five_folds"] == {"rsum": 1.0} and "wall_seconds" not in values
    assert read_result(run_folder(tmp_path, "m", 0) / "result.json").five_folds == {"rsum": 1.0}


def test_a_summary_of_version_1_is_read_and_gets_the_new_columns_when_it_is_written(tmp_path):
    path = tmp_path / "summary.csv"
    old = {column: "1.0000" for column in COLUMNS_1} | {"run": "old", "loss": "infonce"}
    path.write_text(f"{','.join(COLUMNS_1)}\n{','.join(old.values())}\n")
    assert SUMMARY_COLUMNS[: len(COLUMNS_1)] == COLUMNS_1 and len(COLUMNS_1) == 22
    added = dict.fromkeys(SUMMARY_COLUMNS[len(COLUMNS_1) :], "")
    assert read_summary(path) == [{**old, **added}]
    update_summary(tmp_path, [summary_row([result()], (1.0, 2.0))])
    assert path.read_text().splitlines()[0] == ",".join(SUMMARY_COLUMNS)
    new, kept = read_summary(path)
    assert kept == {**old, **added} and (new["run"], new["wall_minutes"]) == ("m", "1.5000")


def test_the_track_is_what_it_was_where_the_model_was_trained(tmp_path, monkeypatch):
    """Elsewhere nobody names the file of vectors again."""
    monkeypatch.setenv("XMR_GLOVE_FILE", "/some/where/vectors.txt")
    made = result(text_features="glove")
    made = replace(made, found_track=made.config.track)
    write_run(tmp_path, made, RANKS)
    monkeypatch.delenv("XMR_GLOVE_FILE")
    found = read_result(run_folder(tmp_path, "m", 0) / "result.json")
    assert (made.config.track, made.track, found.track, summary_row([found], (1.0, 2.0))["track"]) == (
        "clean",
        *["open"] * 3,
    )
    # Of earlier versions: as it can be found now.
    assert replace(found, found_track=None).track == "clean"
    path = run_folder(tmp_path, "m", 0) / "result.json"
    path.write_text(path.read_text().replace('"open"', '"opem"'))
    with pytest.raises(XmrError, match="found_track is 'opem'"):
        read_result(path)


def test_the_clock_is_empty_where_one_seed_has_none():
    row = summary_row([result(0), replace(result(1), wall_seconds=None)], (1.0, 2.0))
    assert row["wall_minutes"] == "" and row["cpu_minutes"] == "2.0000"


def test_rows_name_the_loss_and_both_aggregations():
    triplet = {"loss": "triplet", "negatives": "semihard", "direction": "t2i"}
    row = summary_row([result(image_features="effnet-lite0-grid", image_pooling="gpo", **triplet)], (1.0, 2.0))
    assert (row["image_aggregation"], row["aggregation"], row["loss"]) == ("gpo", "mean", "triplet-semihard t2i")
    assert summary_row([result(method="cca")], (1.0, 2.0))["loss"] == "closed form"
    late = from_flat("m", (from_flat("a"), from_flat("b", text_features="minilm")), method="late")
    row = summary_row([replace(result(), config=late)], (1.0, 2.0))
    assert (row["loss"], row["text_features"], row["track"]) == ("scores averaged", "fasttext-self+minilm", "open")
