"""``xmr train``."""

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml

from ..errors import XmrError
from .app import (
    AllowDownloadOption,
    DataOption,
    DeviceOption,
    NamedOption,
    PrecisionOption,
    ResultsOption,
    SeedsOption,
    StrictOption,
    WorkersOption,
    app,
    parse_seeds,
    use_runtime,
)
from .show import models_text, summary_text


@app.command(short_help="Train one model and score it once on test.")
def train(
    model: Annotated[
        str,
        typer.Argument(
            help="Name of a model of the study, e.g. ab-infonce, or best, fast, assignment; 'list' shows them, with "
            "what is recorded of them for the dataset [default: flickr8k]."
        ),
    ],
    dataset: NamedOption = None,
    data: DataOption = None,
    profile: Annotated[
        str | None,
        typer.Option(
            "--profile", help="Sizes: smoke, demo or full. [default: demo; of best, fast and assignment, full]"
        ),
    ] = None,
    seeds: SeedsOption = "0",
    results: ResultsOption = None,
    name: Annotated[str | None, typer.Option(help="Name of the run; needed if --set changes the model.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="Change a field of the config: loss.margin=0.3, text.dropout=0. Repeatable."),
    ] = None,
    validation_only: Annotated[
        bool,
        typer.Option("--validation-only", help="Do not look at test: to choose settings. The row is in trials.csv."),
    ] = False,
    strict: StrictOption = False,
    device: DeviceOption = None,
    precision: PrecisionOption = None,
    workers: WorkersOption = None,
    allow_download: AllowDownloadOption = False,
) -> None:
    """Train one model, score it once on test, and add its row to summary.csv. Goes on where a kill left it.

    'best' is the clean model of the study that did best on validation, 'fast' one that is trained in two minutes,
    'assignment' one that needs the course's two feature files alone. They are kept as models/best … too, which 'xmr
    index' takes.
    """
    from ..study.rows import ALIASES

    if model == "list":
        _list(dataset, results)
        return
    from ..experiment import Workspace, run, try_out
    from ..model.folder import keep_as
    from ..records import run_folder
    from ..runtime import Runtime
    from ..study.estimate import training_line
    from ..study.models import get_configs

    use_runtime(device, precision, workers, shared=True)
    if validation_only and not Runtime.of().processes.alone:
        raise XmrError("--validation-only is for one process; leave torchrun out")
    profile = profile or ("full" if model in ALIASES else "demo")
    workspace = Workspace(dataset, data, profile, results, strict)
    [config] = get_configs(workspace, model)
    if changes:
        if not name:
            raise XmrError("--set makes another model: give it a name with --name")
        config = config.replace(**dict(map(_change, changes)))
    if name:
        config = config.replace(name=name)
    numbers = parse_seeds(seeds)
    if workspace.runtime.processes.first and (line := training_line(workspace, config, numbers)):
        typer.echo(line)
    if validation_only:
        for seed in numbers:
            tried = try_out(workspace, config, seed)
            told = f"{tried.val_rsum:.1f}, with the query bank {tried.val_rsum_bank:.1f}"
            typer.echo(f"{config.name} seed {seed}: validation rSum {told}; {tried.cpu_minutes:.1f} CPU minutes")
        typer.echo(str(workspace.results / "trials.csv"))
        return
    results = run(workspace, config, numbers)
    if workspace.runtime.processes.first:
        typer.echo(summary_text(workspace.results / "summary.csv", [config.name]))
        if model in ALIASES and not name:
            kept = keep_as(run_folder(workspace.results, config.name, results[0].seed), model)
            typer.echo(f"{kept}: kept for 'xmr index PHOTOS' and RetrievalModel.load")


def _list(dataset: str | None, results: str | None) -> None:
    """Print the models of the study with what is recorded of them on a dataset."""
    from ..data.files import slug
    from ..paths import recorded_root

    name = slug(dataset or "flickr8k")
    root = Path(results).expanduser().resolve() if results else recorded_root(name)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    typer.echo(models_text(root / name / "summary.csv", width))


def _change(text: str) -> tuple[str, object]:
    """Read ``path=value``; the value as YAML, so that numbers, lists and true or false are what they look like."""
    path, equals, value = text.partition("=")
    if not equals or not path:
        raise XmrError(f"--set {text!r}: give FIELD=VALUE, e.g. loss.margin=0.3")
    try:
        return path, yaml.safe_load(value)
    except yaml.YAMLError:
        raise XmrError(f"--set {text!r}: {value!r} can't be read as a value") from None
