"""``xmr report``, ``xmr slides`` and ``xmr overleaf``."""

from typing import TYPE_CHECKING, Annotated

import typer

from .app import DatasetOption, GalleriesOption, ResultsOption, app

if TYPE_CHECKING:
    from ..publish import Plan

StrictOption = Annotated[
    bool, typer.Option("--strict", help="Stop where a result is not recorded, instead of saying so in its place.")
]


@app.command(short_help="Build the paper and its supplement.")
def report(
    dataset: DatasetOption = "scenes",
    results: ResultsOption = None,
    galleries_from: GalleriesOption = None,
    commit: Annotated[
        bool, typer.Option("--commit", help="Build the slides too, from results/, and write the PDFs that are in git.")
    ] = False,
    strict: StrictOption = False,
) -> None:
    """Build the paper and its supplement from the results of a dataset; only what changed is made again.

    The results are those of --results; else runs/DATASET where that holds a summary.csv, else results/DATASET, the
    reference in git. PDFs go to report/build/DATASET/; those of other --results to RESULTS/DATASET/report/. What is not
    recorded is left out, and named there and at the end (with --strict it stops); it always stops where a result is
    older than its run. Needs LaTeX; if there is none, it says how to install it.
    """
    from ..publish import PAPER, build, commit_documents

    plan = plan_of(dataset, results, galleries_from, reference=commit, strict=strict)
    typer.echo("\n".join(map(str, commit_documents(plan) if commit else build(plan, PAPER))))


@app.command(short_help="Build the slides.")
def slides(
    dataset: DatasetOption = "scenes",
    results: ResultsOption = None,
    galleries_from: GalleriesOption = None,
    strict: StrictOption = False,
) -> None:
    """Build the slides from the same results as the paper."""
    from ..publish import SLIDES, build

    typer.echo("\n".join(map(str, build(plan_of(dataset, results, galleries_from, strict=strict), SLIDES))))


@app.command(short_help="Pack the sources of paper and slides for Overleaf.")
def overleaf(
    dataset: DatasetOption = "scenes",
    results: ResultsOption = None,
    galleries_from: GalleriesOption = None,
    strict: StrictOption = False,
) -> None:
    """Pack sources, numbers, tables and figures into report/build/overleaf.zip, which builds in an empty folder.

    It holds the galleries too: photographs are not to be handed on, so take --galleries-from scenes for others' eyes.
    """
    from ..publish import pack

    typer.echo(str(pack(plan_of(dataset, results, galleries_from, strict=strict))))


def plan_of(
    dataset: str, results: str | None, galleries_from: str | None, reference: bool = False, strict: bool = False
) -> "Plan":
    """Return what is built, and print which results it is built from."""
    from ..data.files import slug
    from ..publish import Plan

    dataset = slug(dataset)
    plan = Plan.of(dataset, results, galleries_from, reference, strict)
    typer.echo(f"results: {plan.results / dataset}{' (the reference in git)' if plan.of_reference else ''}")
    return plan
