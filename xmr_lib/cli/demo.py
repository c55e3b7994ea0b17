"""``xmr demo``."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..errors import XmrError
from .app import (
    DeviceOption,
    PrecisionOption,
    ProfileOption,
    ResultsOption,
    WorkersOption,
    app,
    use_runtime,
)
from .show import agreement_text, summary_text, usage_text

if TYPE_CHECKING:
    from ..usage import Usage


@app.command(short_help="Draw a dataset and run every notebook on it.")
def demo(
    profile: ProfileOption = "demo",
    results: ResultsOption = None,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    workers: WorkersOption = None,
) -> None:
    """Draw the scenes, run every notebook on them, build report and slides; show what came out and how long it took."""
    from ..batch import run_notebooks
    from ..config import profile as sizes
    from ..data.locate import open_dataset
    from ..figures import shrink_figure
    from ..model.folder import keep_as
    from ..paths import reference_root, runs_root
    from ..publish import find_latex
    from ..study import best_run
    from ..usage import Usage

    use_runtime(device, precision, workers)
    if profile == "smoke" and not results:
        results = tempfile.mkdtemp(prefix="xmr-smoke-")
    try:
        find_latex()
    except XmrError:
        typer.echo("no LaTeX here: this will end without report.pdf and slides.pdf")
    took = {}
    with Usage() as took["drawing the scenes"]:
        open_dataset("scenes", None, sizes(profile).scenes)
    took |= run_notebooks("scenes", None, profile, [0], results)
    folder = (Path(results) if results else runs_root()) / "scenes"
    if profile != "smoke":
        shrink_figure(folder / "figures" / "02_gallery.png", folder / "figures" / "readme_gallery.png")
        typer.echo("\n" + summary_text(folder / "summary.csv"))
        if profile == "demo":
            typer.echo("\n" + agreement_text(folder / "summary.csv", reference_root() / "scenes" / "summary.csv"))
        if best := best_run(folder):
            typer.echo(f"\na model to search with, {best.parent.name}: {keep_as(best, 'scenes')}")
    typer.echo(f"\ntables, figures and executed notebooks: {folder}")
    typer.echo(publish_demo(results, took))
    typer.echo("\n" + usage_text(took))


def publish_demo(results: str | None, took: "dict[str, Usage]") -> str:
    """Build report and slides of the scenes; return the line to print: where they are, or that LaTeX is missing."""
    from ..publish import PAPER, SLIDES, Plan, build, find_latex, put_on_top
    from ..usage import Usage

    try:
        find_latex()
    except XmrError as error:
        return f"no report.pdf and no slides.pdf: {error}; then 'xmr report' and 'xmr slides'"
    plan = Plan.of("scenes", results, strict=True)
    with Usage() as took["report and slides"]:
        built = build(plan, PAPER + SLIDES)
    return "report and slides: " + ", ".join(str(path) for path in put_on_top(plan, built))
