"""What leaves a run: lists that another library scores to the very recalls that are recorded, ids, and embeddings."""

import csv
import json
import shutil
from dataclasses import replace

import ir_measures
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from ir_measures import Success
from test_cli import fails, xmr

from xmr_lib.data.ids import caption_names, filename_of, image_names, safe_name
from xmr_lib.errors import XmrError
from xmr_lib.experiment import embed, predict, ranks_of, run
from xmr_lib.experiment.predictions import strictly_falling, write_embeddings
from xmr_lib.records import run_folder
from xmr_lib.study import get_configs


@pytest.fixture(scope="module")
def predicted(smoke_workspace, tmp_path_factory):
    """A run of scenes, its folder, and the folder of its predictions with what was printed."""
    workspace, out = smoke_workspace, tmp_path_factory.mktemp("predictions")
    [result] = run(workspace, get_configs(workspace, "ab-infonce")[0])
    folder = run_folder(workspace.results, "ab-infonce", 0)
    lines = list(predict(folder, out=out, top=10, embeddings=True))
    return workspace, result, folder, out, lines


@pytest.mark.parametrize("direction", ["i2t", "t2i"])
def test_another_library_finds_the_recalls_that_are_recorded(predicted, direction):
    _, result, _, out, _ = predicted
    qrels = list(ir_measures.read_trec_qrels(str(out / f"test.{direction}.qrels")))
    found = list(ir_measures.read_trec_run(str(out / f"test.{direction}.run")))
    scored = ir_measures.calc_aggregate([Success @ 1, Success @ 5, Success @ 10], qrels, found)
    rows = list(csv.DictReader((out / f"test.{direction}.csv").open(encoding="utf-8")))
    queries = {row["query"] for row in rows}
    for k in (1, 5, 10):
        recorded = result.test[f"{direction}_r{k}"]
        assert 100 * scored[Success @ k] == pytest.approx(recorded, abs=1e-9)
        hit = {row["query"] for row in rows if int(row["rank"]) <= k and row["relevant"] == "1"}
        assert 100 * len(hit) / len(queries) == pytest.approx(recorded, abs=1e-9)


@pytest.mark.parametrize("direction", ["i2t", "t2i"])
def test_all_files_say_the_same(predicted, direction):
    workspace, result, _, out, _ = predicted
    table = pd.read_csv(out / f"test.{direction}.csv")
    columns = pq.read_table(out / f"test.{direction}.parquet").to_pandas()
    assert list(table.columns) == ["query", "query_kind", "rank", "item", "score", "relevant"]
    for name in table.columns:
        same = table[name].astype("float32") if name == "score" else table[name]
        assert same.tolist() == columns[name].tolist()
    part = workspace.dataset.split("test")
    names = image_names(part) if direction == "i2t" else caption_names(part)
    assert table["query"].drop_duplicates().tolist() == names
    assert table["rank"].tolist() == list(range(1, 11)) * len(names)
    lines = [line.split(" ") for line in (out / f"test.{direction}.run").read_text("utf-8").splitlines()]
    assert [line[0] for line in lines] == table["query"].tolist() and {line[1] for line in lines} == {"Q0"}
    assert [line[2] for line in lines] == table["item"].tolist()
    assert {line[5] for line in lines} == {"xmr-ab-infonce-seed0"}
    falling = np.array([float(line[4]) for line in lines], np.float32).reshape(len(names), 10)
    assert (np.diff(falling) < 0).all()
    # Right is who is right: captions are named by their images.
    right = [a.split("#")[0] == b.split("#")[0] for a, b in zip(table["query"], table["item"], strict=True)]
    assert table["relevant"].tolist() == right
    ranks = getattr(ranks_of(workspace, result), direction)
    first = table[table["relevant"] == 1].groupby("query")["rank"].min()
    assert [first.get(name, 99) for name in names] == [rank if rank <= 10 else 99 for rank in ranks]


def test_what_is_printed(predicted):
    *_, out, lines = predicted
    names = [line.split(": ")[0] for line in lines if line.startswith(str(out))]
    assert sorted(names) == sorted(str(path) for path in out.iterdir())
    assert next(line for line in lines if line.startswith("i2t: R@1 ")).endswith(", as recorded")


def test_embeddings_are_those_of_the_run(predicted):
    workspace, result, _, out, _ = predicted
    images, captions = embed(workspace, result, "test")
    part = workspace.dataset.split("test")
    for kind, vectors, names in (
        ("images", images, image_names(part)),
        ("captions", captions, caption_names(part)),
    ):
        np.testing.assert_array_equal(np.load(out / f"test.{kind}.npy"), vectors)
        assert (out / f"test.{kind}.ids.txt").read_text("utf-8").splitlines() == names
        table = pq.read_table(out / f"test.{kind}.parquet")
        assert table["id"].to_pylist() == names and table.schema.field("vector").type.list_size == vectors.shape[1]
        np.testing.assert_array_equal(np.stack(table["vector"].to_numpy()), vectors)


def test_many_embeddings_are_written_in_groups(tmp_path):
    vectors = np.arange(3 * 5000, dtype=np.float32).reshape(5000, 3)
    write_embeddings(tmp_path / "x", [str(i) for i in range(5000)], vectors)
    found = pq.ParquetFile(tmp_path / "x.parquet")
    assert found.num_row_groups == 2
    np.testing.assert_array_equal(np.stack(found.read()["vector"].to_numpy()), vectors)


def test_the_command_writes_beside_the_run_and_what_is_asked_for(predicted):
    _, _, folder, _, _ = predicted
    done = xmr("predict", folder, "--split", "val", "--direction", "t2i", "--top", 3)
    assert done.exit_code == 0
    written = sorted(path.name for path in (folder / "predictions").iterdir())
    assert written == ["val.t2i.csv", "val.t2i.parquet", "val.t2i.qrels", "val.t2i.run"]
    assert "recorded" not in done.stdout and "t2i: R@1" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--top", "0"], "top 0: a list has at least 1 item"),
        (["--split", "train"], "split 'train' is unknown; there are test, val"),
        (["--direction", "i2i"], "there are both, i2t, t2i"),
    ],
)
def test_bad_options_are_one_line(predicted, monkeypatch, capsys, options, message):
    assert message in fails(monkeypatch, capsys, "predict", predicted[2], *options)


def test_no_run_and_other_data_are_one_line(predicted, monkeypatch, capsys, tmp_path):
    assert "no result here" in fails(monkeypatch, capsys, "predict", "nowhere")
    rows = [f"{k}.jpg,a dog number {k}" for k in range(30)]
    (tmp_path / "captions.csv").write_text("\n".join(["image,caption", *rows]))
    message = fails(monkeypatch, capsys, "predict", predicted[2], "--data", tmp_path, "--out", tmp_path / "out")
    assert str(predicted[2]) in message or str(tmp_path) in message
    assert not (tmp_path / "out").exists()


def test_the_reference_is_not_written_to(predicted, monkeypatch):
    workspace, _, folder, _, _ = predicted
    monkeypatch.setattr("xmr_lib.experiment.predictions.reference_root", lambda: workspace.results)
    with pytest.raises(XmrError, match="of the reference, which is in git; name another folder with --out"):
        predict(folder)


def test_recalls_that_are_not_recorded_leave_no_file(predicted, tmp_path):
    copy = tmp_path / "scenes" / "runs" / "ab-infonce" / "seed0"
    shutil.copytree(predicted[2], copy)
    facts = json.loads((copy / "result.json").read_text("utf-8"))
    facts["test"]["i2t_r1"] += 30
    (copy / "result.json").write_text(json.dumps(facts), "utf-8")
    with pytest.raises(XmrError, match=r"i2t_r1 of the lists is .* recorded is"):
        list(predict(copy, out=tmp_path / "out"))
    assert not list((tmp_path / "out").iterdir())


def test_ties_fall_strictly_and_nothing_overtakes():
    scores = np.array([[0.5, 0.5, 0.5, np.nextafter(np.float32(0.5), np.float32(0)), 0.0, 0.0, -1.0]], np.float32)
    falling = strictly_falling(scores)
    assert (np.diff(falling) < 0).all() and falling[0, 0] == 0.5 and falling[0, 6] == -1
    assert np.abs(falling - scores).max() < 1e-6
    written = [np.float32(float(f"{value:.9g}")) for value in falling[0]]
    assert written == falling[0].tolist()


def test_a_run_whose_scores_all_tie_keeps_its_order_in_another_library():
    """trec_eval sorts ties by name: without the step down, z would come first."""
    names, scores = ["a", "m", "z"], np.full((1, 3), 0.25, np.float32)
    qrels = [ir_measures.Qrel("q", "a", 1)]

    def first(values):
        found = [ir_measures.ScoredDoc("q", name, float(value)) for name, value in zip(names, values[0], strict=True)]
        return ir_measures.calc_aggregate([Success @ 1], qrels, found)[Success @ 1]

    assert first(scores) == 0 and first(strictly_falling(scores)) == 1


def test_names_have_no_white_space_and_lead_back():
    for name in (
        "a.jpg",
        "my dog 1.jpg",
        "100%.png",
        "tab\there.jpg",
        "é\u00a0ü\u2003.jpg",
        "x%20y z.jpg",
        "a\ud800.jpg",
    ):
        safe = safe_name(name)
        assert safe.split() == [safe] and filename_of(safe) == name and safe.encode("utf-8")
    assert safe_name("folder/é.jpg") == "folder/é.jpg"


def test_two_images_of_one_name_are_refused(smoke_workspace):
    part = smoke_workspace.dataset.split("test")
    twice = replace(part, filenames=(part.filenames[0], *part.filenames[:-1]))
    with pytest.raises(XmrError, match="two images have the file name"):
        image_names(twice)
