"""The strict driver, and every notebook from top to bottom, twice."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from xmr_lib import batch
from xmr_lib.batch import PARAMETERS, check_parameters, notebooks, run_notebooks
from xmr_lib.cli import app
from xmr_lib.errors import XmrError
from xmr_lib.publish.sources import DOCUMENTS
from xmr_lib.study.rows import BY_COMMAND, MODELS
from xmr_lib.summary_csv import read_summary

NUMBERED = notebooks()


def notebook(*cells, tagged=True):
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    if tagged:
        book.cells[0].metadata["tags"] = ["parameters"]
    return book


@pytest.fixture
def own_notebooks(tmp_path, monkeypatch):
    """A root with notebooks of the test's own."""
    monkeypatch.setenv("XMR_HOME", str(tmp_path))
    (tmp_path / "notebooks").mkdir()

    def write(name, *cells, **kwargs):
        path = tmp_path / "notebooks" / name
        nbformat.write(notebook(*cells, **kwargs), path)
        return path

    return write


GOOD = 'dataset = "scenes"\ndata = ""\nprofile = "demo"\nseeds = [0]\nresults = ""'


CHECKED = "nbval-check-output"


@pytest.fixture(scope="module")
def smoke_run(tmp_path_factory):
    """A real run of all notebooks by the demo's own command, at the smoke profile's size: its folder and output.

    Continuous integration names a folder, and takes the pictures of its documents from there.
    """
    folder = Path(os.environ.get("XMR_SMOKE_RESULTS") or tmp_path_factory.mktemp("smoke"))
    shown = CliRunner().invoke(app, ["demo", "--profile", "smoke", "--results", str(folder)])
    assert shown.exit_code == 0, shown.output
    return folder / "scenes", shown.output


def test_the_numbered_notebooks_run_from_top_to_bottom(smoke_run):
    folder, shown = smoke_run
    timed = [line.split()[0] for line in shown.splitlines() if line.endswith(" GiB at most")]
    built = [f"{name}.pdf" for name in DOCUMENTS.values()] if shutil.which("latexmk") else []
    assert timed == ["drawing", *(path.stem for path in NUMBERED), *(["report"] if built else []), "all"]
    assert all((folder / name).is_file() for name in built)
    there = {row["run"] for row in read_summary(folder / "summary.csv")}
    assert there == {model for model in MODELS if not model.startswith(BY_COMMAND)}
    for path in NUMBERED:
        executed = nbformat.read(folder / "notebooks" / path.name, 4)
        code = [cell for cell in executed.cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in code)
        assert all(cell.outputs for cell in code if CHECKED in cell.metadata.get("tags", ()))
        outputs = [output for cell in code for output in cell.outputs]
        assert any("image/png" in output.get("data", {}) for output in outputs), "no figure is shown"
        told = "".join(output.text for output in outputs if output.get("name") == "stderr")
        assert "%|" not in told and "Warning" not in told, told
        tables = [output["data"]["text/html"] for output in outputs if "text/html" in output.get("data", {})]
        assert tables and not any("nan" in table.lower() for table in tables)
        number = path.name[:2]
        assert list((folder / "tables").glob(f"{number}_*.csv"))
        assert list((folder / "figures").glob(f"{number}_*.png"))


def replay(folder: Path, names: Sequence[str]) -> list[tuple[int, str]]:
    """Run executed notebooks again by nbval, which compares what their checked cells print with what they printed.

    Two processes share them: kernels have one thread each, and most of their time goes into being started.
    """
    # Settings of its own, or pytest would take those of this project.
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "600"]
    command += ["-q", "-p", "no:cacheprovider"]
    started = [
        subprocess.Popen([*command, *own], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for own in (names[0::2], names[1::2])
        if own
    ]
    outputs = [process.communicate()[0] for process in started]
    return [(process.returncode, output) for process, output in zip(started, outputs, strict=True)]


def test_replayed_notebooks_print_the_same(smoke_run):
    """Results and checkpoints are there by now: nothing is trained, and nothing may come out otherwise."""
    for code, shown in replay(smoke_run[0] / "notebooks", [path.name for path in NUMBERED]):
        assert code == 0, shown[-4000:]


@pytest.mark.parametrize(("printed", "code"), [("chance 1.0\n", 0), ("chance 1.1\n", 1)])
def test_a_replay_fails_if_and_only_if_something_else_is_printed(tmp_path, printed, code):
    book = notebook(GOOD, "print(f'chance {1:.1f}')")
    cell = book.cells[1]
    cell.metadata["tags"], cell.execution_count = [CHECKED], 2
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=printed)]
    nbformat.write(book, tmp_path / "00_book.ipynb")
    [(found, shown)] = replay(tmp_path, ["00_book.ipynb"])
    assert found == code, shown[-4000:]


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)
def test_every_notebook_has_a_cell_that_a_replay_checks(path):
    checked = [cell for cell in nbformat.read(path, 4).cells if CHECKED in cell.metadata.get("tags", ())]
    assert checked and all("print(" in cell.source for cell in checked)
    # Times and paths differ from run to run; numbers are rounded by their format.
    for word in ("seconds", "minutes", "time", "path", "folder", "results}"):
        assert not any(word in cell.source for cell in checked), word


@pytest.mark.parametrize("path", NUMBERED, ids=lambda path: path.stem)
def test_notebooks_are_thin_and_without_outputs(path):
    book = nbformat.read(path, 4)
    check_parameters(path)
    for cell in book.cells:
        if cell.cell_type != "code":
            continue
        assert not cell.outputs and cell.execution_count is None
        assert "def " not in cell.source and "class " not in cell.source
        lines = [
            line for line in cell.source.splitlines() if line.strip() and not line.startswith(("#", "from", "import"))
        ]
        assert len(lines) <= 6
        assert "seeds[" not in cell.source, "a row would have fewer seeds than --seeds names"
    assert "papermill" not in book.metadata


def test_parameters_must_be_exactly_the_five(own_notebooks):
    assert PARAMETERS == ("dataset", "data", "profile", "seeds", "results")
    check_parameters(own_notebooks("00_good.ipynb", GOOD))
    with pytest.raises(XmrError, match="sets dataset; it must set exactly"):
        check_parameters(own_notebooks("01_few.ipynb", 'dataset = "scenes"'))
    with pytest.raises(XmrError, match="sets dataset, data, profile, seeds, results, more;"):
        check_parameters(own_notebooks("02_more.ipynb", GOOD + "\nmore = 1"))
    with pytest.raises(XmrError, match="sets nothing"):
        check_parameters(own_notebooks("03_untagged.ipynb", GOOD, tagged=False))


def test_a_file_that_is_no_notebook(own_notebooks):
    path = own_notebooks("00_good.ipynb", GOOD)
    path.write_text("{")
    with pytest.raises(XmrError, match="not a notebook that can be run") as error:
        check_parameters(path)
    assert "\n" not in str(error.value)


def test_parameters_reach_the_notebook_and_paths_are_absolute(own_notebooks, tmp_path, monkeypatch):
    own_notebooks("00_show.ipynb", GOOD, "assert (dataset, profile, seeds) == ('mine', 'full', [3, 4]); print(data)")
    monkeypatch.chdir(tmp_path)
    took = run_notebooks("mine", "some/folder", "full", [3, 4])
    # A kernel takes a second to start, and more than a few megabytes.
    assert took["00_show"].seconds > 0.1 and took["00_show"].peak_bytes > 30e6
    executed = nbformat.read(tmp_path / "runs" / "mine" / "notebooks" / "00_show.ipynb", 4)
    assert executed.cells[-1].outputs[0].text.strip() == str(tmp_path / "some" / "folder")


def test_an_error_stops_the_run_and_says_where(own_notebooks, tmp_path):
    own_notebooks("00_bad.ipynb", GOOD, "1 / 0")
    own_notebooks("01_never.ipynb", GOOD)
    with pytest.raises(XmrError, match=r"00_bad.ipynb: .*ZeroDivisionError: division by zero"):
        run_notebooks("mine", None, "full", [0])
    folder = tmp_path / "runs" / "mine" / "notebooks"
    assert (folder / "00_bad.ipynb").is_file() and not (folder / "01_never.ipynb").exists()


def test_selection_by_number(own_notebooks, tmp_path):
    own_notebooks("00_a.ipynb", GOOD)
    own_notebooks("01_b.ipynb", GOOD)
    assert [path.name for path in notebooks(["01"])] == ["01_b.ipynb"]
    with pytest.raises(XmrError, match="no notebook begins with '07'; there are 00_a, 01_b"):
        notebooks(["07"])


def test_without_notebooks_the_message_says_where_to_go(tmp_path, monkeypatch):
    monkeypatch.setenv("XMR_HOME", str(tmp_path))
    with pytest.raises(XmrError, match="run inside a checkout"):
        batch.notebooks()
