"""The command ``xmr``."""

import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
import yaml

from . import __version__
from .errors import XmrError

app = typer.Typer(
    help="Cross-modal retrieval: find the captions of an image and the image of a caption.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Look at data before using them.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")
detector_app = typer.Typer(help="The light Faster R-CNN.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(detector_app, name="detector")

DatasetOption = Annotated[str, typer.Option("--dataset", help="Slug of the dataset: the folder under results/.")]
DataOption = Annotated[
    str | None,
    typer.Option("--data", help="Folder or file of the dataset. [default: $XMR_DATA/DATASET; scenes is drawn]"),
]
ProfileOption = Annotated[str, typer.Option("--profile", help="Sizes: smoke, demo or full.")]
ResultsOption = Annotated[str | None, typer.Option("--results", help="Root of the results. [default: results/]")]
SeedsOption = Annotated[str, typer.Option("--seeds", help="Seeds, with commas.")]
GalleriesOption = Annotated[
    str | None,
    typer.Option("--galleries-from", help="Dataset (or folder of its results) whose pictures are shown."),
]
StrictOption = Annotated[bool, typer.Option("--strict", help="Stop at the first image that can't be read.")]


def _version(wanted: bool | None) -> None:
    if wanted:
        from .paths import cache_root, root

        typer.echo(f"xmr {__version__}\nroot  {root()}\ncache {cache_root()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool | None, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and paths.")
    ] = None,
) -> None:
    """Cross-modal retrieval: find the captions of an image and the image of a caption."""


@app.command(short_help="Draw a dataset and run every notebook on it.")
def demo(profile: ProfileOption = "demo", results: ResultsOption = None) -> None:
    """Draw the scenes, run every notebook on them, build report and slides; show what came out and how long it took."""
    from .batch import run_notebooks
    from .config import profile as sizes
    from .data.locate import open_dataset
    from .figures import shrink_figure
    from .paths import results_root

    started = time.perf_counter()
    if profile == "smoke" and not results:
        results = tempfile.mkdtemp(prefix="xmr-smoke-")
    open_dataset("scenes", None, sizes(profile).scenes)
    seconds = {"drawing the scenes": time.perf_counter() - started}
    seconds |= run_notebooks("scenes", None, profile, [0], results)
    folder = (Path(results) if results else results_root()) / "scenes"
    if profile != "smoke":
        shrink_figure(folder / "figures" / "02_gallery.png", folder / "figures" / "readme_gallery.png")
        typer.echo("\n" + _summary(folder / "summary.csv"))
    typer.echo(f"\ntables, figures and executed notebooks: {folder}")
    typer.echo(_publish_demo(results, seconds))
    typer.echo("\n" + _times(seconds))


@data_app.command("check")
def data_check(
    path: Annotated[Path, typer.Argument(help="Folder or file of a dataset, in any of the known layouts.")],
    images: Annotated[bool, typer.Option(help="Decode every image.")] = True,
) -> None:
    """Print a dataset's facts and what is wrong with it; the exit code is 1 if something is."""
    from .data import check_dataset, read_dataset

    report = check_dataset(read_dataset(path), read_images=images)
    typer.echo("\n".join(report.lines()))
    if report.problems:
        raise typer.Exit(1)


@detector_app.command("train")
def detector_train(dataset: DatasetOption = "scenes", data: DataOption = None, profile: ProfileOption = "demo") -> None:
    """Train the light Faster R-CNN on boxes.json (COCO's format) beside the captions, training split only.

    Goes on where a kill left it. mAP is measured on images of the validation split.
    """
    from .experiment import Workspace
    from .study import detector_lines

    workspace = Workspace(dataset, data, profile)
    workspace.bank.detector()
    typer.echo("\n".join([*detector_lines(workspace), str(workspace.bank.detector_file)]))


@app.command(short_help="Make image features and word vectors.")
def features(
    dataset: DatasetOption = "scenes",
    data: DataOption = None,
    profile: ProfileOption = "demo",
    image_features: Annotated[str | None, typer.Option(help="Slug; default: those that the data bring.")] = None,
    seeds: SeedsOption = "0",
    strict: StrictOption = False,
) -> None:
    """Make the feature stores of a dataset: image features and word vectors. What is there is not made again."""
    from .experiment import Workspace
    from .features.spec import FeatureSpec

    workspace = Workspace(dataset, data, profile, strict=strict)
    slugs = workspace.own_features
    store = workspace.bank.image_store(FeatureSpec.parse(image_features or slugs["image"]))
    typer.echo(f"{store.folder}: {len(store)} items of {store.values.shape[1:]}, {len(store.skipped)} left out")
    for seed in _seeds(seeds):
        workspace.bank.words(FeatureSpec.parse(slugs["text"]), seed)
        typer.echo(f"{slugs['text']}, seed {seed}: ready")


@app.command(short_help="Train one model and score it once on test.")
def train(
    model: Annotated[str, typer.Argument(help="Name of a model of the study, e.g. ab-infonce; 'list' shows them.")],
    dataset: DatasetOption = "scenes",
    data: DataOption = None,
    profile: ProfileOption = "demo",
    seeds: SeedsOption = "0",
    results: ResultsOption = None,
    name: Annotated[str | None, typer.Option(help="Name of the run; needed if --set changes the model.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a field of the config: loss.margin=0.3, text.dropout=0. Repeatable."),
    ] = None,
    strict: StrictOption = False,
) -> None:
    """Train one model, score it once on test, and add its row to summary.csv. Goes on where a kill left it."""
    from .experiment import Workspace, run
    from .study import MODELS, get_configs

    if model == "list":
        # What each changes of the default, in the words of the catalogue.
        typer.echo(
            "\n".join(
                f"{name:22} {', '.join(f'{k}={v}' for k, v in fields.items())}" for name, fields in MODELS.items()
            )
        )
        return
    workspace = Workspace(dataset, data, profile, results, strict)
    [config] = get_configs(workspace, model)
    if changes:
        if not name:
            raise XmrError("--set makes another model: give it a name with --name")
        config = config.replace(**dict(map(_change, changes)))
    if name:
        config = config.replace(name=name)
    run(workspace, config, _seeds(seeds))
    typer.echo(_summary(workspace.results / "summary.csv", [config.name]))


@app.command(short_help="Score a run again, or search with it.")
def evaluate(
    run_folder: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run's folder: results/DATASET/runs/MODEL/seedK.")
    ],
    data: DataOption = None,
    gallery: Annotated[str, typer.Option(help="What is searched: test (the field's protocol) or train.")] = "test",
) -> None:
    """Score a run again from its checkpoint and compare with what is recorded; or search the training split with it."""
    from .experiment import evaluate_run

    typer.echo("\n".join(evaluate_run(run_folder, data, gallery)))


@app.command(short_help="Write the model of a run into a folder of its own.")
def export(
    run_folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder: runs/DATASET/runs/MODEL/seedK.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write; it must not be there yet.")],
    with_networks: Annotated[
        bool, typer.Option("--with-networks", help="Copy the pretrained networks in, so that nothing is looked up.")
    ] = False,
) -> None:
    """Write the model of a run into a folder of its own, which RetrievalModel.load reads without dataset and cache."""
    from .model import RetrievalModel

    model = RetrievalModel.load(run_folder)
    model.save(out, with_networks)
    typer.echo(f"{out}: {model.config.name}, track {model.track}; its card is {out / 'README.md'}")


@app.command(short_help="Run the notebooks by papermill, strictly.")
def run(
    dataset: DatasetOption = "scenes",
    data: DataOption = None,
    profile: ProfileOption = "demo",
    seeds: SeedsOption = "0",
    results: ResultsOption = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Number of a notebook (01); repeatable. [default: all]")
    ] = None,
) -> None:
    """Run the notebooks by papermill, strictly; executed copies go to results/DATASET/notebooks/."""
    from .batch import notebooks, run_notebooks
    from .config import profile as sizes
    from .data.locate import open_dataset

    notebooks(only or ())
    numbers = _seeds(seeds)
    # Data that can't be read are told here, in one line, and not by a notebook's kernel.
    open_dataset(dataset, data, sizes(profile).scenes)
    typer.echo("\n" + _times(run_notebooks(dataset, data, profile, numbers, results, only or ())))


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
    from .publish import PAPER, Plan, build, commit_documents

    plan = Plan.of(dataset, results, galleries_from)
    typer.echo("\n".join(map(str, commit_documents(plan) if commit else build(plan, PAPER))))


@app.command(short_help="Build the slides.")
def slides(
    dataset: DatasetOption = "scenes", results: ResultsOption = None, galleries_from: GalleriesOption = None
) -> None:
    """Build the slides from the same results as the paper."""
    from .publish import SLIDES, Plan, build

    typer.echo("\n".join(map(str, build(Plan.of(dataset, results, galleries_from), SLIDES))))


@app.command(short_help="Pack the sources of paper and slides for Overleaf.")
def overleaf(
    dataset: DatasetOption = "scenes", results: ResultsOption = None, galleries_from: GalleriesOption = None
) -> None:
    """Pack sources, numbers, tables and figures into report/build/overleaf.zip, which builds in an empty folder.

    It holds the galleries too: photographs are not to be handed on, so take --galleries-from scenes for others' eyes.
    """
    from .publish import Plan, pack

    typer.echo(str(pack(Plan.of(dataset, results, galleries_from))))


def main() -> None:
    """Entry point: user errors are one line on stderr and exit code 1."""
    try:
        app()
    except XmrError as error:
        print(f"xmr: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("xmr: stopped; run the same command again to go on", file=sys.stderr)
        sys.exit(130)


def _seeds(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise XmrError(f"--seeds {text!r}: give whole numbers with commas, e.g. 0,1,2") from None


def _change(text: str) -> tuple[str, object]:
    """Read ``path=value``; the value as YAML, so that numbers, lists and true or false are what they look like."""
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise XmrError(f"--set {text!r}: give FIELD=VALUE, e.g. loss.margin=0.3")
    try:
        return path, yaml.safe_load(value)
    except yaml.YAMLError:
        raise XmrError(f"--set {text!r}: {value!r} can't be read as a value") from None


def _summary(path: Path, models: list[str] | None = None) -> str:
    from .records import RECALLS, read_summary

    columns = ("run", *RECALLS, "rsum_low", "rsum_high", "chance_rsum")
    rows = [
        {column: row[column] if column == "run" else f"{float(row[column]):.1f}" for column in columns}
        for row in read_summary(path)
        if models is None or row["run"] in models
    ]
    widths = [max(len(column), *(len(row[column]) for row in rows)) for column in columns]
    lines = [columns, *([row[column] for column in columns] for row in rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _publish_demo(results: str | None, seconds: dict[str, float]) -> str:
    """Build report and slides of the scenes; return the line to print: where they are, or that LaTeX is missing."""
    from .publish import PAPER, SLIDES, Plan, build, find_latex, put_on_top

    try:
        find_latex()
    except XmrError as error:
        return f"no report.pdf and no slides.pdf: {error}; then 'xmr report' and 'xmr slides'"
    started = time.perf_counter()
    plan = Plan.of("scenes", results)
    built = build(plan, PAPER + SLIDES)
    seconds["report and slides"] = time.perf_counter() - started
    return "report and slides: " + ", ".join(str(path) for path in put_on_top(plan, built))


def _times(seconds: dict[str, float]) -> str:
    rows = [*seconds.items(), ("all", sum(seconds.values()))]
    return "\n".join(f"{name:28} {value:7.1f} s" for name, value in rows)
