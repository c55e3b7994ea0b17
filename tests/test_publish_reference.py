"""The reference in git: what is copied into it, and that nothing else changes it."""

import shutil
import subprocess
from pathlib import Path

import pytest
from made_up_results import write_made_up_run
from typer.testing import CliRunner

from xmr_lib.cli import app
from xmr_lib.errors import XmrError
from xmr_lib.paths import models_root, reference_root, runs_root
from xmr_lib.publish import publish_results
from xmr_lib.publish.reference import PICTURES

ROOT = Path(__file__).parent.parent
IN_GIT = (
    "detector.json",
    "image_retrieval.csv",
    "numbers.tex",
    "plotdata/shared_space.csv",
    "runs/i-triplet/seed0/image_retrieval.json",
    "tables/00_cca.csv",
)
NOT_IN_GIT = (
    "captions.json",
    "figures/01_gallery.png",
    "figures/gallery_images.pdf",
    "image.jpg",
    "notebooks/00_data.ipynb",
    "notebooks/captions.csv",
    "report/numbers.tex",
    "runs/ab-infonce/seed0/checkpoint.pt",
    "runs/ab-infonce/seed0/model/model.safetensors",
    "runs/ab-infonce/seed0/captions.csv",
    "summary.csv.lock",
    "tables/00_cca.tex",
)
PICTURE = "figures/readme_gallery.png"


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XMR_HOME", str(tmp_path))
    for dataset in ("scenes", "flickr8k"):
        folder = runs_root() / dataset
        write_made_up_run(folder, "ab-infonce", 4.0, seeds=(0, 1))
        write_made_up_run(folder, "cca-mean", 6.0)
        write(folder, *IN_GIT, *NOT_IN_GIT, PICTURE)
    return tmp_path


def test_where_things_live(home):
    assert (runs_root(), models_root(), reference_root()) == (home / "runs", home / "models", home / "results")


@pytest.mark.parametrize("dataset", ["scenes", "flickr8k"])
def test_exactly_what_belongs_in_git_is_copied(home, dataset):
    changes = publish_results(dataset)
    of_runs = {
        f"runs/{run}/{name}"
        for run in ("ab-infonce/seed0", "ab-infonce/seed1", "cca-mean/seed0")
        for name in ("result.json", "ranks.npz")
    }
    wanted = {"summary.csv", *IN_GIT, *of_runs, *([PICTURE] if dataset == "scenes" else [])}
    assert files(reference_root() / dataset) == wanted == set(changes.added)
    for name in wanted:
        assert (reference_root() / dataset / name).read_bytes() == (runs_root() / dataset / name).read_bytes()
    assert not (changes.changed or changes.removed)


def test_pictures_of_photographs_are_never_among_them():
    assert set(PICTURES) == {"scenes", "flickr8k"} and len(PICTURES["scenes"]) <= 3
    assert PICTURES["flickr8k"] == ("figures/10_waterfall.png",)  # bars


def test_a_second_call_changes_nothing(home):
    publish_results("scenes")
    before = {path: path.stat().st_mtime_ns for path in reference_root().rglob("*")}
    changes = publish_results("scenes")
    assert not (changes.added or changes.changed or changes.removed)
    assert {path: path.stat().st_mtime_ns for path in reference_root().rglob("*")} == before


def test_what_was_added_changed_and_removed_is_told(home):
    publish_results("scenes")
    folder, reference = runs_root() / "scenes", reference_root() / "scenes"
    shutil.rmtree(folder / "runs" / "cca-mean")
    shutil.rmtree(folder / "tables")
    for name in ("numbers.tex", PICTURE):
        (folder / name).unlink()
    write(reference, "tables/00_cca.tex", "notebooks/mine.ipynb")
    write(folder, "graded.csv")
    (folder / "summary.csv").write_text("others")
    before = files(reference_root())
    with pytest.raises(XmrError, match=r"runs of 1 models.*cca-mean.*--prune"):
        publish_results("scenes")
    assert files(reference_root()) == before
    shown = CliRunner().invoke(app, ["publish-results", "--dataset", "scenes", "--prune"])
    assert [line.split(maxsplit=2) for line in shown.output.splitlines()] == [
        ["added", "1", "1 graded.csv"],
        ["changed", "1", "1 summary.csv"],
        ["removed", "4", "1 ranks.npz, 1 result.json, 1 tables/*.csv, 1 tables/*.tex"],
    ]
    assert not (reference / "runs" / "cca-mean").exists() and not (reference / "tables").exists()
    # Other commands make these; and what was never copied is not ours to remove.
    assert all((reference / name).is_file() for name in ("numbers.tex", PICTURE, "notebooks/mine.ipynb"))


def test_other_results_are_copied_where_they_are_named(home, tmp_path):
    write_made_up_run(tmp_path / "elsewhere" / "mine", "cca-mean", 6.0)
    publish_results("mine", str(tmp_path / "elsewhere"))
    assert (reference_root() / "mine" / "summary.csv").is_file()


def test_without_results_nothing_is_touched(home):
    publish_results("scenes")
    before = files(reference_root())
    with pytest.raises(XmrError, match=r"no results here; 'xmr run --dataset nowhere' makes them"):
        publish_results("nowhere")
    with pytest.raises(XmrError, match="this is the reference itself"):
        publish_results("scenes", str(reference_root()))
    assert files(reference_root()) == before


def test_a_checkout_stays_clean_after_a_run(tmp_path, monkeypatch, smoke_workspace):
    """A real run of a model into ``runs/``, by the default root of a profile that has one."""
    from xmr_lib.experiment import Workspace, run
    from xmr_lib.study import get_configs

    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        return subprocess.run(
            ["git", *identity, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    monkeypatch.setenv("XMR_HOME", str(tmp_path))
    shutil.copy(ROOT / ".gitignore", tmp_path)
    write(tmp_path / "results" / "scenes", "summary.csv", PICTURE)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "start")
    workspace = Workspace("scenes", smoke_workspace.dataset.source, "demo")
    assert workspace.results == runs_root() / "scenes"
    run(smoke := Workspace("scenes", None, "smoke", runs_root()), get_configs(smoke, "cca-mean")[0])
    write(models_root(), "mine/model.safetensors")
    write(runs_root() / "scenes", *NOT_IN_GIT, *IN_GIT, PICTURE)
    assert (runs_root() / "scenes" / "summary.csv").is_file()
    assert git("status", "--porcelain") == ""
    # What is published can be added, ranks and the picture too; the figures of the runs can't.
    publish_results("scenes")
    git("add", "-A")
    added = set(git("ls-files", "results/scenes").splitlines())
    assert added == {f"results/scenes/{name}" for name in files(reference_root() / "scenes")}
