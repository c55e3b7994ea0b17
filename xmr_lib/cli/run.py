"""``xmr run``."""

import tempfile
from typing import Annotated

import typer

from ..errors import XmrError
from .app import (
    AllowDownloadOption,
    DataOption,
    DeviceOption,
    NamedOption,
    PrecisionOption,
    ProfileOption,
    ResultsOption,
    SeedsOption,
    WorkersOption,
    app,
    parse_seeds,
    use_runtime,
)
from .show import usage_text


@app.command(short_help="Run the notebooks by papermill, strictly.")
def run(
    dataset: NamedOption = None,
    data: DataOption = None,
    profile: ProfileOption = "demo",
    seeds: SeedsOption = "0",
    results: ResultsOption = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Number of a notebook (01); repeatable. [default: all]")
    ] = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    workers: WorkersOption = None,
    allow_download: AllowDownloadOption = False,
    strict: Annotated[bool, typer.Option(help="Stop where a model can't be trained on these data.")] = False,
) -> None:
    """Run the notebooks by papermill, strictly; executed copies go to runs/DATASET/notebooks/."""
    from ..batch import notebooks, run_notebooks
    from ..experiment import Workspace
    from ..study.estimate import estimate_lines, models_of_notebooks, seed_lines
    from ..study.models import left_out

    paths = notebooks(only or ())
    use_runtime(device, precision, workers)
    numbers = parse_seeds(seeds)
    # Data that can't be read are told here, in one line, and not by a notebook's kernel.
    if profile == "smoke" and not results:
        results = tempfile.mkdtemp(prefix="xmr-smoke-")
    workspace = Workspace(dataset, data, profile, results)
    chosen = {path.name[:2] for path in paths}
    for line in (*estimate_lines(workspace, numbers, chosen), *seed_lines(workspace, numbers, chosen)):
        typer.echo(line)
    gaps = left_out(workspace, models_of_notebooks(workspace, chosen))
    if gaps and strict:
        raise XmrError(f"--strict: {'; '.join(gaps)}")
    name = workspace.dataset.name
    # The notebooks read the data themselves: they need not be held here as well.
    del workspace
    took = run_notebooks(name, data, profile, numbers, results, only or ())
    # Said at the end as well: it is what the results, and the documents, are without.
    typer.echo("\n".join(["", usage_text(took), *gaps]))
