"""``xmr publish-results``."""

import typer

from .app import DatasetOption, ResultsOption, app


@app.command(short_help="Copy results into results/, which is in git.")
def publish_results(dataset: DatasetOption = "scenes", results: ResultsOption = None) -> None:
    """Make results/DATASET, the reference in git, what runs/DATASET is now; nothing else changes the reference.

    Copied are numbers and ranks, and for scenes the picture of the README: no captions, photographs or models. What is
    no longer among the results is removed; what has not changed is left alone.
    """
    from .. import publish

    typer.echo("\n".join(publish.publish_results(dataset, results).lines()))
