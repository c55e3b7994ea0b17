"""The strict papermill driver: numbered notebooks, run one after the other, stopping at the first error."""

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from .data.files import slug
from .errors import XmrError
from .paths import atomic_write, root, runs_root
from .usage import Usage

BAR = re.compile(r"\d%\||\[\d\d+:\d\d[<,]")
"""A progress bar of tqdm: ``42%|####`` or, of unknown length, ``7it [00:03, …``."""
PARAMETERS = ("dataset", "data", "profile", "seeds", "results")


def notebooks(only: Sequence[str] = ()) -> list[Path]:
    """Return the numbered notebooks in their order; ``only`` holds numbers or beginnings of names (``01``).

    Raises:
        XmrError: there are no notebooks here, or none that begins so.
    """
    folder = root() / "notebooks"
    found = sorted(folder.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise XmrError(f"{folder}: no numbered notebooks here; run inside a checkout of the project, or set XMR_HOME")
    for start in only:
        if not any(path.name.startswith(start) for path in found):
            raise XmrError(f"{folder}: no notebook begins with {start!r}; there are {', '.join(p.stem for p in found)}")
    return [path for path in found if not only or any(path.name.startswith(start) for start in only)]


def check_parameters(path: str | Path) -> None:
    """Make sure that a notebook takes the parameters it will be given: papermill itself would only warn.

    Raises:
        XmrError: the file is no notebook, or its ``parameters`` cell doesn't name exactly the five.
    """
    path = Path(path)
    try:
        found = tuple(papermill.inspect_notebook(str(path)))
    except (ValueError, nbformat.ValidationError) as error:
        reason = str(error).splitlines()[0][:100]
        raise XmrError(f"{path}: not a notebook that can be run ({reason})") from None
    if found != PARAMETERS:
        raise XmrError(
            f"{path}: its cell tagged 'parameters' sets {', '.join(found) or 'nothing'}; it must set exactly "
            f"{', '.join(PARAMETERS)}, in this order"
        )


def run_notebooks(
    dataset: str,
    data: str | None,
    profile: str,
    seeds: Sequence[int],
    results: str | None = None,
    only: Sequence[str] = (),
) -> dict[str, Usage]:
    """Run notebooks by papermill; return what each took.

    Executed copies go to ``<results>/<dataset>/notebooks/`` (``smoke``: in a new temporary folder), also that of a
    notebook that failed, so that the error can be seen where it happened.

    Raises:
        XmrError: a notebook can't be found, has other parameters, or stopped with an error.
    """
    paths = notebooks(only)
    for path in paths:
        check_parameters(path)
    if not results and profile == "smoke":
        results = tempfile.mkdtemp(prefix="xmr-smoke-")
    folder = (Path(results).expanduser().resolve() if results else runs_root()) / slug(dataset) / "notebooks"
    folder.mkdir(parents=True, exist_ok=True)
    parameters = {
        "dataset": dataset,
        "data": str(Path(data).expanduser().resolve()) if data else "",
        "profile": profile,
        "seeds": list(seeds),
        "results": str(Path(results).expanduser().resolve()) if results else "",
    }
    # Without it a kernel called python3 in the user's home would be taken, with other packages than ours.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    took = {}
    for path in paths:
        try:
            with Usage() as took[path.stem]:
                papermill.execute_notebook(
                    str(path),
                    str(folder / path.name),
                    parameters,
                    kernel_name="python3",
                    cwd=str(root()),
                    progress_bar={"desc": path.stem},
                    # Its warnings are about transports and debuggers; errors of the notebook come back by themselves.
                    extra_arguments=["--IPKernelApp.log_level=40"],
                )
        except PapermillExecutionError as error:
            raise XmrError(
                f"{path.name}: cell {error.cell_index + 1} stopped with {error.ename}: {error.evalue} "
                f"(see {folder / path.name})"
            ) from None
        finally:
            _drop_bars(folder / path.name)
    return took


def _drop_bars(path: Path) -> None:
    """Take out of an executed copy what progress bars have left there: in a file they are debris."""
    if not path.is_file():
        return
    notebook = nbformat.read(path, as_version=4)
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        told = [output for output in cell.outputs if output.get("name") == "stderr"]
        lines = [line.rpartition("\r")[2].rstrip() for line in "".join(own.text for own in told).split("\n")]
        text = "".join(f"{line}\n" for line in lines if line and not BAR.search(line))
        kept = [output for output in cell.outputs if output.get("name") != "stderr"]
        cell.outputs = [*([nbformat.v4.new_output("stream", name="stderr", text=text)] if text else []), *kept]
    with atomic_write(path) as temporary:
        nbformat.write(notebook, temporary)
