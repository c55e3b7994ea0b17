"""The command line: helpful, and one line with exit code 1 for bad input."""

import json
import os
import re
import subprocess
import sys

import pytest
from course_twin import write_course_twin
from made_up_results import write_made_up_run
from tiny_clip import save_clip
from typer.testing import CliRunner

from xmr_lib import __version__
from xmr_lib.cli import app, main
from xmr_lib.cli.show import agreement_text
from xmr_lib.records import read_result, run_folder
from xmr_lib.summary_csv import read_summary


def xmr(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fails(monkeypatch, capsys, *arguments) -> str:
    """Run ``xmr`` as the shell does; return its one line."""
    monkeypatch.setattr(sys, "argv", ["xmr", *map(str, arguments)])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 1
    error = capsys.readouterr().err
    assert "Traceback" not in error
    # Before it there may be progress bars, which end with a carriage return or a new line.
    last = re.split(r"[\r\n]+", error.strip())[-1].strip()
    assert last.startswith("xmr: ")
    return last


def test_version_says_where_files_go():
    output = xmr("--version").output
    assert f"xmr {__version__}" in output and "root" in output and "cache" in output


def test_help_is_there_for_every_command():
    commands = ["demo", "data", "features", "train", "evaluate", "run", "report", "slides", "overleaf"]
    commands += ["publish-results", "detector"]
    listed = xmr("--help").output
    for command in commands:
        assert re.search(rf"^\W*{command}\s+\w", listed, re.M), command
        assert len(xmr(command, "--help").output.splitlines()) > 5


def test_the_program_starts_without_loading_torch():
    code = "import sys, xmr_lib.cli; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["data", "check", "nowhere/at/all"], "nowhere"),
        (["run", "--dataset", "flickr30k"], "--data PATH"),
        (["run", "--profile", "huge"], "profile 'huge' is unknown"),
        (["run", "--only", "99"], "no notebook begins with '99'"),
        (["run", "--seeds", "one"], "whole numbers"),
        (["train", "magic"], "model 'magic' is unknown; there are cca-mean"),
        (["train", "ab-infonc"], "model 'ab-infonc' is unknown; did you mean 'ab-infonce'? there are cca-mean"),
        (["train", "ab-infonce", "--set", "optimiser.epochs=3"], "--name"),
        (["train", "ab-infonce", "--name", "x", "--set", "optimiser.epochs"], "FIELD=VALUE"),
        (["train", "ab-infonce", "--name", "x", "--set", "optimiser.epochs=many"], "optimiser.epochs = 'many'"),
        (["train", "ab-infonce", "--name", "x", "--set", "optimiser.epoch=3"], "no field 'optimiser.epoch'"),
        (["train", "ab-infonce", "--name", "x", "--set", "loss.name=magic"], "loss 'magic' is unknown"),
        (["train", "ab-infonce", "--name", "x", "--set", "text.dropout=5"], "text.dropout = 5"),
        (["evaluate", "nowhere"], "no result here"),
    ],
)
def test_bad_input_is_one_line(monkeypatch, capsys, smoke_workspace, arguments, message):
    if arguments[0] == "train":
        arguments = [*arguments, "--profile", "smoke"]
    assert message in fails(monkeypatch, capsys, *arguments)


def test_strict_stops_where_a_model_can_not_be_trained_before_any_is(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = write_course_twin(tmp_path / "course", images=60, with_images=False)
    asked = ("--data", str(folder), "--profile", "smoke", "--results", str(tmp_path / "results"), "--strict")
    told = fails(monkeypatch, capsys, "run", *asked)
    assert "--strict: left out: " in told and "c-roi-mean, " in told and "frcnn-resnet50: no weights at" in told
    assert not list(tmp_path.glob("results/*/runs"))


def test_a_demo_says_how_far_its_numbers_are_those_in_git(tmp_path):
    made, reference = tmp_path / "made", tmp_path / "reference"
    for folder, means in ((made, (3.0, 3.0, 9.0)), (reference, (3.0, 9.0, 9.0))):
        for run, mean in zip(("cca-mean", "ab-infonce", "e-lstm"), means, strict=True):
            write_made_up_run(folder, run, mean)
    (absent := reference / "summary.csv").write_text(
        "".join(line for line in absent.read_text().splitlines(True) if not line.startswith("e-lstm"))
    )
    assert agreement_text(made / "summary.csv", absent) == (
        "2 rows beside those in git: 1 have the same rSum, 1 lie in its interval; outside: ab-infonce"
    )
    assert agreement_text(made / "summary.csv", tmp_path / "none.csv").startswith("nothing to compare with in ")


def test_the_list_of_models_has_what_is_recorded_of_them(tmp_path):
    folder = tmp_path / "twin"
    write_made_up_run(folder, "ab-infonce", 200)
    [row] = read_summary(folder / "summary.csv")
    shown = xmr("train", "list", "--dataset", "twin", "--results", tmp_path).output
    score, low, high, minutes = (f"{float(row[name]):.1f}" for name in ("rsum", "rsum_low", "rsum_high", "cpu_minutes"))
    assert re.search(rf"^ab-infonce +{score} +{low}-{high} +{minutes} +{row['seeds']}  task=b$", shown, re.M)
    assert re.search(r"^a-recipe +- +task=a, .*distance=euclidean", shown, re.M)
    *_, where, missing, also = shown.splitlines()
    assert where.endswith(f"{folder / 'summary.csv'}") and "a-recipe, " in missing and "ab-infonce," not in missing
    assert "fast is r-onehot-glove-trained" in also
    # Without a table of record of one's own: the reference's.
    committed = xmr("train", "list").output
    assert re.search(r"^ab-infonce +2\d\d\.\d +", committed, re.M) and "flickr8k" in committed


def test_the_check_says_how_many_captions_are_longer_than_a_network_reads(tmp_path):
    rows = [f"{k}.jpg,a dog number {k}" + " and so on" * (200 * (k < 2)) for k in range(30)]
    (tmp_path / "captions.csv").write_text("\n".join(["image,caption", *rows]))
    lines = xmr("data", "check", tmp_path).output.splitlines()
    assert "long captions: 2 have more than the 512 tokens that minilm reads; they are cut" in lines[:-1]
    folder = save_clip(tmp_path / "clip")
    lines = xmr(
        "data", "check", tmp_path / "captions.csv", "--text-features", f"clip-text:{folder}"
    ).output.splitlines()
    assert f"long captions: 2 have more than the 12 tokens that clip-text:{folder} reads; they are cut" in lines[:-1]
    (tmp_path / "captions.csv").write_text("\n".join(["image,caption", *rows[2:]]))
    told = xmr("data", "check", tmp_path, "--text-features", "minilm").output
    assert "long captions: none; minilm reads 512 tokens" in told


def test_clip_has_a_row_without_training(tmp_path):
    folder = save_clip(tmp_path / "clip")
    changes = [f"--set={side}.features=clip-{side}:{folder}" for side in ("image", "text")]
    done = xmr("train", "clip-zero-shot", "--name", "mine", "--profile", "smoke", "--results", tmp_path, *changes)
    assert done.exit_code == 0 and done.stderr.count("captions are longer than the 12 tokens that it reads") == 1
    [row] = read_summary(tmp_path / "scenes" / "summary.csv")
    assert (row["run"], row["loss"], row["track"]) == ("mine", "not trained", "open")


def test_check_train_evaluate_on_the_course_layout(tmp_path, monkeypatch, capsys):
    """The walk of the README, on a small twin of the course's folder with its feature files."""
    course = tmp_path / "course"
    write_course_twin(course, images=60)
    checked = xmr("data", "check", course)
    assert "60 images, 300 captions; layout course" in checked.output and "no problems" in checked.output
    assert checked.exit_code == 0
    next((course / "flickr30k-images").glob("*.jpg")).unlink()
    assert xmr("data", "check", course).exit_code == 3
    results = tmp_path / "results"
    data = ("--dataset", "flickr30k", "--data", course, "--profile", "smoke")
    assert "vgg16-course" in xmr("features", *data).output
    trained = xmr("train", "ab-infonce", *data, "--results", results, "--seeds", "0,1")
    assert trained.exit_code == 0 and "ab-infonce" in trained.output
    [row] = read_summary(results / "flickr30k" / "summary.csv")
    assert (row["run"], row["seeds"], row["image_features"], row["text_features"]) == (
        "ab-infonce",
        "2",
        "vgg16-course",
        "fasttext-course",
    )
    folder = run_folder(results / "flickr30k", "ab-infonce", 0)
    again = xmr("evaluate", folder, "--data", course)
    assert again.exit_code == 0
    assert f"{read_result(folder / 'result.json').test['rsum']:7.2f}" in again.output
    assert "nDCG@10" in xmr("evaluate", folder, "--data", course, "--gallery", "train").output
    assert "gallery 'all' is unknown" in fails(monkeypatch, capsys, "evaluate", folder, "--gallery", "all")
    # A record that someone touched is found out.
    record = json.loads((folder / "result.json").read_text())
    record["test"]["rsum"] += 150
    (folder / "result.json").write_text(json.dumps(record))
    assert "recorded is" in fails(monkeypatch, capsys, "evaluate", folder, "--data", course)


def test_a_changed_config_needs_a_name_and_is_recorded(tmp_path):
    result = xmr(
        "train", "a-recipe", "--profile", "smoke", "--results", tmp_path, "--name", "mine", "--set", "loss.margin=0.5",
        "--set", "normalised=true",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    config = read_result(run_folder(tmp_path / "scenes", "mine", 0) / "result.json").config
    assert (config.method.loss.settings["margin"], config.method.normalised, config.name) == (0.5, True, "mine")


def test_a_detector_is_trained_by_one_command(tmp_path, monkeypatch):
    monkeypatch.setenv("XMR_CACHE", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shown = xmr("detector", "train", "--profile", "smoke")
    assert shown.exit_code == 0, shown.output
    assert re.search(r"epoch 1: loss \d+\.\d+, mAP@0.5 \d+\.\d %", shown.output), shown.output
    [weights] = tmp_path.rglob("frcnn-lite0-smoke.safetensors")
    assert str(weights) in shown.output
    # Where the paper finds what the detector can do.
    [record] = tmp_path.glob("xmr-smoke-*/scenes/detector.json")
    assert f"{100 * json.loads(record.read_text())['map50'][0]:.1f} %" in shown.output


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (["data", "check", "/dev/null"], "/dev/null: neither a folder nor a file"),
        (["data", "check", "{folder}/pipe"], "neither a folder nor a file"),
        (["data", "check", "~nosuchuser/x"], "~nosuchuser/x: no such file or folder"),
        (["train", "cca-mean", "--profile", "smoke", "--results", "~nosuchuser/x"], "a path begins with ~"),
        (["data", "check", "{folder}/\x1b[31mred\n"], r"\x1b[31mred\n: no such file or folder"),
        (["evaluate", "/"], "/result.json: no result here"),
        (["train", "cca-mean", "--profile", "smoke", "--results", "{folder}/file"], "file/scenes"),
        (["train", "cca-mean", "--profile", "smoke", "--seeds", "-1"], "give whole numbers from 0 on"),
        (["train", "cca-mean", "--profile", "smoke", "--seeds", str(2**70)], "give whole numbers from 0 on"),
        (["index", "{folder}/pipe", "--out", "{folder}/index"], ""),
    ],
)
def test_odd_places_are_told_in_one_line(tmp_path, monkeypatch, capsys, command, told):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    monkeypatch.setattr(sys, "argv", ["xmr", *(part.replace("{folder}", str(tmp_path)) for part in command)])
    with pytest.raises(SystemExit) as left:
        main()
    said = capsys.readouterr().err.strip().splitlines()
    assert left.value.code == 1 and said[-1].startswith("xmr: ") and told in said[-1], said
    assert not any("Traceback" in line for line in said)
