"""``xmr report``, ``xmr slides`` and ``xmr overleaf``."""

from typing import Annotated

import typer

from .app import DatasetOption, GalleriesOption, ResultsOption, app


@app.command(short_help="Build the paper and its supplement.")
def report(
    dataset: DatasetOption = "scenes",
    results: ResultsOption = None,
    galleries_from: GalleriesOption = None,
    commit: Annotated[
        bool, typer.Option("--commit", help="Build the slides too, and write the PDFs that are in git.")
    ] = False,
) -> None:
    """Build the paper and its supplement from the results of a dataset; only what changed is made again.

    PDFs go to report/build/DATASET/; those of other --results to RESULTS/DATASET/report/. It stops where a result is
    missing or older than its run. Needs LaTeX; if there is none, it says how to install it.
    """
    from ..publish import PAPER, Plan, build, commit_documents

    plan = Plan.of(dataset, results, galleries_from)
    typer.echo("\n".join(map(str, commit_documents(plan) if commit else build(plan, PAPER))))


@app.command(short_help="Build the slides.")
def slides(
    dataset: DatasetOption = "scenes", results: ResultsOption = None, galleries_from: GalleriesOption = None
) -> None:
    """Build the slides from the same results as the paper."""
    from ..publish import SLIDES, Plan, build

    typer.echo("\n".join(map(str, build(Plan.of(dataset, results, galleries_from), SLIDES))))


@app.command(short_help="Pack the sources of paper and slides for Overleaf.")
def overleaf(
    dataset: DatasetOption = "scenes", results: ResultsOption = None, galleries_from: GalleriesOption = None
) -> None:
    """Pack sources, numbers, tables and figures into report/build/overleaf.zip, which builds in an empty folder.

    It holds the galleries too: photographs are not to be handed on, so take --galleries-from scenes for others' eyes.
    """
    from ..publish import Plan, pack

    typer.echo(str(pack(Plan.of(dataset, results, galleries_from))))
