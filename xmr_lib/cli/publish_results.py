"""``xmr publish-results``."""

from typing import Annotated

import typer

from .app import DatasetOption, ResultsOption, app


@app.command(short_help="Copy results into results/, which is in git.")
def publish_results(
    dataset: DatasetOption = "scenes",
    results: ResultsOption = None,
    prune: Annotated[bool, typer.Option("--prune", help="Let runs go that are only in the reference.")] = False,
) -> None:
    """Make results/DATASET, the reference in git, what runs/DATASET is now; nothing else changes the reference.

    Copied are numbers and ranks, and for scenes the picture of the README: no captions, photographs or models. Tables
    that are no longer among the results are removed, runs only with --prune; what has not changed is left alone.
    """
    from .. import publish
    from ..data.files import slug

    typer.echo("\n".join(publish.publish_results(slug(dataset), results, prune).lines()))
