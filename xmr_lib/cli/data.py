"""``xmr data``."""

from pathlib import Path
from typing import Annotated

import typer

from .app import app

data_app = typer.Typer(help="Look at data before using them.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")


@data_app.command("check")
def data_check(
    path: Annotated[Path, typer.Argument(help="Folder or file of a dataset, in any of the known layouts.")],
    images: Annotated[bool, typer.Option(help="Decode every image.")] = True,
) -> None:
    """Print a dataset's facts and what is wrong with it; the exit code is 1 if something is."""
    from ..data import check_dataset, read_dataset

    report = check_dataset(read_dataset(path), read_images=images)
    typer.echo("\n".join(report.lines()))
    if report.problems:
        raise typer.Exit(1)
