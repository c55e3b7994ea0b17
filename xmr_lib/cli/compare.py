"""``xmr compare``."""

from pathlib import Path
from typing import Annotated

import typer

from .app import DataOption, app

FOLDER = "A run's folder, …/runs/MODEL/seedK, or a model's, …/runs/MODEL, with all its seeds."


@app.command(short_help="Compare two recorded models: rSum, recalls, and the queries that moved most.")
def compare(
    a: Annotated[Path, typer.Argument(metavar="RUN_A", help=FOLDER)],
    b: Annotated[Path, typer.Argument(metavar="RUN_B", help="The same, of what it is compared with.")],
    changed: Annotated[int, typer.Option(help="Queries to list per direction, for the better and the worse.")] = 10,
    data: DataOption = None,
) -> None:
    """Compare two recorded models by their ranks on the test split; neither model nor data are needed.

    Printed are how much higher B's rSum and recalls are, with 95 % paired bootstrap intervals over test images, the p
    of the paired randomisation test, and the queries whose rank changed by the largest factor (of several seeds: their
    mean rank). Queries go by file names and captions where the data are at hand, else by their numbers in the test
    split.
    """
    from ..experiment import compare_runs

    typer.echo("\n".join(compare_runs(a, b, changed, data)))
