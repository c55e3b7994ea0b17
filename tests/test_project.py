"""What the repository promises about itself: dependencies, imports, pictures, sizes, README."""

import csv
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from xmr_lib.experiment import Workspace
from xmr_lib.modules import FUSIONS, LEARNED
from xmr_lib.networks import bert
from xmr_lib.publish import stale_files
from xmr_lib.publish.committed import DATASET, GALLERIES, LARGEST
from xmr_lib.publish.documents import Plan
from xmr_lib.publish.sources import DOCUMENTS
from xmr_lib.records import read_result
from xmr_lib.study import ALIASES, get_configs, rows
from xmr_lib.study.table_rows import TABLES

ROOT = Path(__file__).parent.parent
COMMITTED_PDFS = {ROOT / "report" / f"{name}.pdf" for name in DOCUMENTS.values()}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def tracked_results(folder: Path) -> list[Path]:
    """The committed results below a folder, of which there must be some: a loop over none would promise nothing."""
    found = [path for path in tracked() if path.name == "result.json" and path.is_relative_to(folder)]
    assert found, f"no result.json is in git below {folder}"
    return found


def test_the_ways_of_pooling_and_fusing_that_the_study_names_are_those_that_there_are():
    assert tuple(FUSIONS) == rows.FUSIONS and set(LEARNED) < set(rows.POOLINGS)
    assert f"bert:{bert.MPNET}" == rows.MPNET


def test_what_takes_seconds_to_import_is_imported_where_it_is_used():
    """The help and the lists need no torch; the library needs torch, and neither transformers nor torchvision."""
    heavy = [
        "transformers",
        "torchvision",
        "torchmetrics",
        "gensim",
        "matplotlib",
        "pandas",
        "sklearn",
        "umap",
        "scipy.stats",
    ]
    for command, unwanted in (
        ("import xmr_lib.cli, xmr_lib.study.rows", ["torch", *heavy]),
        ("import xmr_lib.experiment, xmr_lib.study.models, xmr_lib.encoders", heavy),
    ):
        said = f"{command}; import sys; print(*[name for name in {unwanted} if name in sys.modules])"
        done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
        assert done.stdout.split() == [], command


def test_conda_installs_what_pyproject_says():
    environment = (ROOT / "environment.yml").read_text("utf-8")
    assert f"python{PROJECT['project']['requires-python']}" in environment
    assert re.findall(r"^\s+- (\S.*)$", environment.split("pip:")[1], re.M) == ["-e .[all]"]
    extras = PROJECT["project"]["optional-dependencies"]
    assert set(re.findall(r"[\w-]+", extras["all"][0].removeprefix("xmr"))) == set(extras) - {"all"}


def test_every_dependency_was_tested_in_a_pinned_version():
    listed = PROJECT["project"]["dependencies"] + [
        name for extra, names in PROJECT["project"]["optional-dependencies"].items() if extra != "all" for name in names
    ]
    pinned = {
        re.split("==", line)[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
        if "==" in line
    }
    assert {re.split(r"[<>=]", name)[0].lower() for name in listed} == pinned


def test_no_picture_of_others_and_nothing_large_is_in_git():
    paths = tracked()
    assert Path(__file__) in paths
    for path in paths:
        if path in COMMITTED_PDFS:
            assert path.stat().st_size <= LARGEST, path
            continue
        assert path.stat().st_size <= 500_000, path
        assert path.suffix not in {".jpg", ".jpeg", ".pth", ".pt", ".npy", ".mat", ".safetensors", ".pdf"}, path
        if path.suffix == ".npz":
            assert path.name == "ranks.npz" and path.parents[2].name == "runs", path
        if path.suffix == ".png":
            scenes, waterfall = ROOT / "results" / "scenes" / "figures", "results/flickr8k/figures/10_waterfall.png"
            assert path.parent == scenes or path == ROOT / waterfall, path
        if path.suffix == ".ipynb":
            assert "image/png" not in path.read_text("utf-8"), path


def test_results_of_photographs_hold_numbers_and_no_captions():
    allowed = {"config", "seed", "data", "test", "val_rsum", "chance", "cpu_seconds", "history", "machine"}
    added = {"version", "wall_seconds", "five_folds", "with_bank", "found_track"}
    for path in tracked_results(ROOT / "results"):
        assert allowed <= set(json.loads(path.read_text("utf-8"))) <= allowed | added, path


def test_make_help_lists_the_two_commands():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("demo", "test", "lab", "notebooks", "report", "slides", "overleaf"):
        assert re.search(rf"^make {target}\s+\w", shown, re.M), target


def test_the_readme_names_the_two_commands_on_its_first_screen():
    first_screen = "\n".join(README.splitlines()[:60])
    assert "make demo" in first_screen and "make test" in first_screen


@pytest.mark.parametrize("dataset", ["flickr8k", "scenes"])
def test_every_row_of_the_readme_is_a_row_of_the_table_of_record(dataset):
    # As committed: 'xmr publish-results' may have put other numbers there since.
    shown = ["git", "show", f"HEAD:results/{dataset}/summary.csv"]
    text = subprocess.run(shown, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    record = {row["run"]: row for row in csv.DictReader(text.splitlines())}
    section = README.split(f"<!-- {dataset} -->")[1].split("<!-- end -->")[0]
    rows = [re.split(r"\s*\|\s*", line.strip().strip("|").strip()) for line in section.splitlines() if "`" in line]
    assert len(rows) >= 3
    columns = ["i2t_r1", "i2t_r5", "i2t_r10", "t2i_r1", "t2i_r5", "t2i_r10", "rsum"]
    for cells in rows:
        run = re.search("`([^`]+)`", cells[0])[1]
        shown = [cell.strip("* ") for cell in cells[1:8]]
        assert shown == [f"{float(record[run][column]):.1f}" for column in columns], run
        assert cells[8] == f"{float(record[run]['rsum_low']):.1f}–{float(record[run]['rsum_high']):.1f}", run


def test_the_readme_says_what_the_models_to_start_from_reach():
    record = {row["run"]: row for row in csv.DictReader((ROOT / "results" / "flickr8k" / "summary.csv").open())}
    for alias, model in ALIASES.items():
        line = next(own for own in README.splitlines() if own.startswith(f"| `xmr train {alias}` (`{model}`"))
        row = record[model]
        told = [f"{float(row['rsum']):.1f}", f"{float(row['rsum_low']):.1f}–{float(row['rsum_high']):.1f}"]
        assert [cell.strip() for cell in line.split("|")[3:6]] == [*told, f"{float(row['cpu_minutes']):.1f}"], alias


def test_the_readme_says_what_is_reached_on_the_way_to_the_best_model():
    record = {row["run"]: row for row in csv.DictReader((ROOT / "results" / "flickr8k" / "summary.csv").open())}
    section = README.split("<!-- best -->")[1].split("<!-- end -->")[0]
    steps, goals = section.split("aimed at", 1)
    shown = [re.split(r"\s*\|\s*", line.strip("| ")) for line in steps.splitlines() if "(`" in line]
    assert {re.search(r"\(`([^`]+)`\)", cells[0])[1] for cells in shown} == {
        line.run for block in TABLES["best"] for line in block
    }
    for cells in shown:
        row = record[re.search(r"\(`([^`]+)`\)", cells[0])[1]]
        told = [f"{float(row['rsum']):.1f}", f"{float(row['rsum_low']):.1f}–{float(row['rsum_high']):.1f}"]
        told += [f"{float(row['rsum_bank']):.1f}" if row["rsum_bank"] else "–"]
        assert cells[1:] == [*told, f"{float(row['cpu_minutes']):.1f}", row["seeds"]], row["run"]
    shown = [re.split(r"\s*\|\s*", line.strip("| ")) for line in goals.splitlines() if line.endswith("` |")]
    assert len(shown) == 4
    for cells in shown:
        row = record[cells[-1].strip("`")]
        assert cells[2:4] == [f"{float(row['rsum']):.1f}", f"{float(row['rsum_bank']):.1f}"], row["run"]


def test_every_link_of_the_readme_leads_somewhere():
    links, pictures = re.findall(r"\]\((?!https?:)([^)#]+)", README), re.findall(r'src="([^"]+)"', README)
    assert links and pictures
    for target in links + pictures:
        assert (ROOT / target).exists(), target


def test_the_committed_documents_say_what_the_results_say(monkeypatch):
    monkeypatch.setenv("XMR_HOME", str(ROOT))
    committed = [path for path in tracked() if path.suffix == ".pdf"]
    assert set(committed) == COMMITTED_PDFS
    plan = Plan.of(DATASET, galleries_from=GALLERIES, reference=True)
    assert stale_files(plan) == [], "'xmr report --commit' builds them anew"


@pytest.mark.parametrize(("dataset", "profile"), [("scenes", "demo"), ("flickr8k", "full")])
def test_committed_results_are_of_the_models_as_they_are_now(dataset, profile, smoke_workspace, tmp_path):
    """A changed model whose old result stays in git would stop everyone who runs the notebooks."""
    workspace = Workspace("scenes", smoke_workspace.dataset.source, profile, tmp_path)
    for path in tracked_results(ROOT / "results" / dataset / "runs"):
        recorded = read_result(path).config
        assert recorded == get_configs(workspace, recorded.name)[0], f"{path}: run {recorded.name} again"


def test_the_readme_says_of_engines_what_was_measured():
    rows = list(csv.DictReader((ROOT / "results" / "bench" / "engines.csv").open()))
    assert {row["engine"] for row in rows} == {"exact float32", "exact float16", "faiss", "milvus-lite"}
    readme = (ROOT / "README.md").read_text("utf-8")
    for row in rows:
        line = next(own for own in readme.splitlines() if own.startswith(f"| 10{POWERS[row['vectors']]} |"))
        told = f"{1000 / float(row['queries_per_second']):,.0f} ms, {float(row['disk_mb']):,.0f} MB"
        if row["engine"] == "faiss":
            told += f", {'recall@10 ' * (row['vectors'] == '10000')}{float(row['recall_at_10']):.3f}"
        assert told in line, row


def test_the_readme_says_of_the_page_what_was_measured():
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    rows = list(csv.DictReader((ROOT / "results" / "bench" / "page.csv").open()))
    assert [row["pictures"] for row in rows] == ["8000", "1000000"]
    for row, many in zip(rows, ("8,000 photographs", "a million pictures"), strict=True):
        median, late = (float(row[f"answer_{which}_ms"]) for which in ("median", "p95"))
        assert (
            f"{many} an answer is drawn {median:.0f} ms after typing has stopped (95th percentile {late:.0f} ms)"
            in readme
        )


POWERS = {"10000": "⁴", "100000": "⁵", "1000000": "⁶"}
