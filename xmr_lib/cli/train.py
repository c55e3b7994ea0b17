"""``xmr train``."""

from typing import Annotated

import typer

from ..errors import XmrError
from .app import DataOption, DatasetOption, ProfileOption, ResultsOption, SeedsOption, StrictOption, app, parse_seeds
from .show import summary_text


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
        list[str] | None, typer.Option("--set", help="Change a field of the config: learning_rate=0.0005. Repeatable.")
    ] = None,
    strict: StrictOption = False,
) -> None:
    """Train one model, score it once on test, and add its row to summary.csv. Goes on where a kill left it."""
    from ..experiment import Workspace, run
    from ..study import MODELS, get_configs

    if model == "list":
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
        config = config.but(**dict(_change(change, config.to_dict()) for change in changes))
    if name:
        config = config.but(model=name)
    run(workspace, config, parse_seeds(seeds))
    typer.echo(summary_text(workspace.results / "summary.csv", [config.model]))


def _change(text: str, fields: dict) -> tuple[str, object]:
    """Read ``field=value`` as the type that the field has."""
    key, equals, value = text.partition("=")
    if not equals or key not in fields:
        raise XmrError(f"--set {text!r}: give FIELD=VALUE; the fields are {', '.join(fields)}")
    kind = type(fields[key])
    try:
        if kind is list:
            of_items = type(fields[key][0]) if fields[key] else str
            return key, tuple(of_items(part) for part in value.split(","))
        return key, value.lower() in ("true", "1", "yes") if kind is bool else kind(value)
    except ValueError:
        raise XmrError(f"--set {text!r}: {key} is of type {kind.__name__}{', with commas' * (kind is list)}") from None
