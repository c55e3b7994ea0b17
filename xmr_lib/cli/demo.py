"""``xmr demo``."""

import tempfile
import time
from pathlib import Path

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
from .show import summary_text, times_text


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
    from ..paths import runs_root

    use_runtime(device, precision, workers)
    started = time.perf_counter()
    if profile == "smoke" and not results:
        results = tempfile.mkdtemp(prefix="xmr-smoke-")
    open_dataset("scenes", None, sizes(profile).scenes)
    seconds = {"drawing the scenes": time.perf_counter() - started}
    seconds |= run_notebooks("scenes", None, profile, [0], results)
    folder = (Path(results) if results else runs_root()) / "scenes"
    if profile != "smoke":
        shrink_figure(folder / "figures" / "02_gallery.png", folder / "figures" / "readme_gallery.png")
        typer.echo("\n" + summary_text(folder / "summary.csv"))
    typer.echo(f"\ntables, figures and executed notebooks: {folder}")
    typer.echo(publish_demo(results, seconds))
    typer.echo("\n" + times_text(seconds))


def publish_demo(results: str | None, seconds: dict[str, float]) -> str:
    """Build report and slides of the scenes; return the line to print: where they are, or that LaTeX is missing."""
    from ..publish import PAPER, SLIDES, Plan, build, find_latex, put_on_top

    try:
        find_latex()
    except XmrError as error:
        return f"no report.pdf and no slides.pdf: {error}; then 'xmr report' and 'xmr slides'"
    started = time.perf_counter()
    plan = Plan.of("scenes", results)
    built = build(plan, PAPER + SLIDES)
    seconds["report and slides"] = time.perf_counter() - started
    return "report and slides: " + ", ".join(str(path) for path in put_on_top(plan, built))
