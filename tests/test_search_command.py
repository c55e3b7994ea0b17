"""``xmr index``, ``xmr search`` and ``xmr train best`` as they are typed."""

import csv
import io
import json
import shutil

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from xmr_lib.cli import app
from xmr_lib.errors import XmrError
from xmr_lib.experiment import run
from xmr_lib.experiment.run import model_folder
from xmr_lib.model.folder import folder_of, keep_as
from xmr_lib.paths import models_root, reference_root, runs_root
from xmr_lib.study import ALIASES, get_configs
from xmr_lib.study.estimate import training_line
from xmr_lib.study.rows import BEST


@pytest.fixture
def home(tmp_path, monkeypatch, smoke_workspace):
    """A root of its own, with one trained model among its runs and nine pictures beside it."""
    monkeypatch.setenv("XMR_HOME", str(tmp_path))
    [config] = get_configs(smoke_workspace, "ab-infonce-meanmax")
    run(smoke_workspace, config)
    shutil.copytree(
        model_folder(smoke_workspace, config, 0).parent, runs_root() / "scenes" / "runs" / config.name / "seed0"
    )
    for image in range(9):
        to = tmp_path / "my photos" / "deep" / f"{image}.jpg"
        to.parent.mkdir(parents=True, exist_ok=True)
        Image.open(smoke_workspace.dataset.path(image)).convert("RGB").save(to)
    return tmp_path


def xmr(*arguments):
    """Return what a command prints on stdout; an error of the user's is raised."""
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_index_and_search_in_two_commands(home):
    told = xmr("index", home / "my photos", "--model", "scenes/ab-infonce-meanmax")
    assert "trained on scenes (drawn pictures: expect little on photographs), track clean" in told
    assert "9 new, 0 changed, 0 gone, 0 as they were" in told and "9 pictures (exact)" in told
    assert str(home / "indexes" / "my photos") in told
    rows = json.loads(xmr("search", "my photos", "two dogs", "--json", "--top", "4"))
    assert [row["rank"] for row in rows] == [1, 2, 3, 4] and {row["kind"] for row in rows} == {"image"}
    assert all((home / "my photos" / row["name"]).is_file() for row in rows)
    table = list(csv.DictReader(io.StringIO(xmr("search", "my photos", "two dogs", "--csv", "--top", "4"))))
    assert [(row["name"], float(row["score"])) for row in table] == [(row["name"], row["score"]) for row in rows]
    lines = xmr("search", "my photos", home / "my photos" / "deep" / "3.jpg", "--top", "2").splitlines()
    assert len(lines) == 2 and lines[0].endswith("deep/3.jpg") and "1.0000" in lines[0]
    xmr("search", "my photos", "two dogs", "--gallery", home / "out.html")
    assert (home / "out.html").read_text().count("data:image/jpeg") == 9
    # Sentences come to it, and stay when its pictures are looked at again.
    (home / "said.txt").write_text("a dog\na boat\n")
    assert "2 sentences" in xmr("index", "--sentences", home / "said.txt", "--out", "my photos")
    assert "0 new, 0 changed, 0 gone, 11 as they were" in xmr("index", "--out", "my photos")
    rows = json.loads(xmr("search", "my photos", home / "my photos" / "deep" / "3.jpg", "--json"))
    assert [row["text"] for row in rows if row["kind"] == "text"] and rows[-1]["kind"] == "image"
    rows = json.loads(xmr("search", "my photos", "a dog", "--find", "sentences", "--json"))
    assert rows[0]["text"] == "a dog"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["index"], "name a folder of pictures"),
        (["index", "HOME/my photos"], "no model is ready: 'xmr train best"),
        (["index", "HOME/my photos", "--model", "nobody"], "nobody: no model here"),
        (["index", "HOME/none", "--model", "scenes/ab-infonce-meanmax"], "none: no such folder of pictures"),
        (
            ["index", "HOME/my photos", "--model", "scenes/ab-infonce-meanmax", "--engine", "magic"],
            "engine 'magic' is unknown; there are exact",
        ),
        (["search", "nowhere", "a dog"], "no index here; make one: xmr index PHOTOS"),
    ],
)
def test_what_can_not_be_done_is_one_line_and_leaves_nothing(home, arguments, message):
    with pytest.raises(XmrError) as raised:
        xmr(*(argument.replace("HOME", str(home)) for argument in arguments))
    assert message in str(raised.value) and "\n" not in str(raised.value)
    assert not list(home.glob("indexes/*"))


def test_queries_that_say_nothing_are_refused(home):
    xmr("index", home / "my photos", "--model", "scenes/ab-infonce-meanmax")
    for query, message in (("  ", "the query is empty"), ("none.jpg", "there is no such picture")):
        with pytest.raises(XmrError, match=message):
            xmr("search", "my photos", query)
    with pytest.raises(XmrError, match="the index has no sentences"):
        xmr("search", "my photos", "a dog", "--find", "sentences")
    with pytest.raises(XmrError, match="top 0: give a number from 1 on"):
        xmr("search", "my photos", "a dog", "--top", "0")


def test_a_model_is_found_by_path_name_and_run(home):
    kept = keep_as("scenes/ab-infonce-meanmax", "best")
    assert kept == models_root() / "best" == folder_of("best") == folder_of(kept)
    run_folder = runs_root() / "scenes" / "runs" / "ab-infonce-meanmax"
    assert folder_of("scenes/ab-infonce-meanmax") == folder_of(run_folder) == run_folder / "seed0" / "model"
    # In place of what is there.
    assert keep_as(run_folder / "seed0", "best") == kept and not list(models_root().glob(".*"))
    assert "9 pictures" in xmr("index", home / "my photos")


def test_best_is_the_clean_model_that_validation_prefers():
    rows = pd.read_csv(reference_root() / "flickr8k" / "summary.csv")
    clean = rows[rows["track"] == "clean"]
    assert ALIASES[BEST] == clean.loc[clean["val_rsum"].idxmax(), "run"]


def test_what_training_takes_is_said_for_late_fusion_too(smoke_workspace, monkeypatch):
    monkeypatch.setattr("xmr_lib.study.estimate.REFERENCE", {"smoke": "flickr8k"})
    [config] = get_configs(smoke_workspace, "f-words-late")
    rows = pd.read_csv(reference_root() / "flickr8k" / "summary.csv").set_index("run")
    minutes = rows.loc[[member.name for member in config.method.members], "cpu_minutes"].sum()
    share = smoke_workspace.dataset.split("train").caption_count / 30_000
    line = training_line(smoke_workspace, config, [0, 1])
    assert f"about {2 * minutes * share:.0f} min" in line
    assert all(member.name in line for member in config.method.members) and "flickr8k" in line


def test_what_training_takes_names_the_teacher(smoke_workspace, monkeypatch):
    monkeypatch.setattr("xmr_lib.study.estimate.REFERENCE", {"smoke": "flickr8k"})
    [pupil, teacher] = get_configs(smoke_workspace, "r-onehot-glove-trained", "ab-infonce")
    taught = pupil.replace(teacher={"model": teacher.to_dict()})
    assert "ab-infonce, r-onehot-glove-trained to be trained" in training_line(smoke_workspace, taught, [7])
