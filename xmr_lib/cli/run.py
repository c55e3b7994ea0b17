"""``xmr run``."""

from typing import Annotated

import typer

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
from .show import times_text


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
) -> None:
    """Run the notebooks by papermill, strictly; executed copies go to runs/DATASET/notebooks/."""
    from ..batch import notebooks, run_notebooks
    from ..config import profile as sizes
    from ..data.locate import open_dataset

    notebooks(only or ())
    use_runtime(device, precision, workers)
    numbers = parse_seeds(seeds)
    # Data that can't be read are told here, in one line, and not by a notebook's kernel.
    name = open_dataset(dataset, data, sizes(profile).scenes).name
    typer.echo("\n" + times_text(run_notebooks(name, data, profile, numbers, results, only or ())))
