"""``xmr evaluate``."""

from pathlib import Path
from typing import Annotated

import typer

from .app import (
    AllowDownloadOption,
    DataOption,
    DeviceOption,
    PrecisionOption,
    app,
    use_runtime,
)


@app.command(short_help="Score a run again, or search with it.")
def evaluate(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder: runs/DATASET/runs/MODEL/seedK.")],
    data: DataOption = None,
    gallery: Annotated[str, typer.Option(help="What is searched: test (the field's protocol) or train.")] = "test",
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    allow_download: AllowDownloadOption = False,
) -> None:
    """Score a run again and compare with what is recorded; or search the training split with it."""
    from ..experiment import evaluate_run

    use_runtime(device, precision, None)
    typer.echo("\n".join(evaluate_run(run_folder, data, gallery)))
