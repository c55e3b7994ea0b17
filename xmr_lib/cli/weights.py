"""``xmr weights``."""

from typing import Annotated

import typer

from .app import app

weights_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
app.add_typer(weights_app, name="weights", short_help="Pretrained weights: which there are, and their download.")
Context = typer.Context.__base__
"""What typer really gives: its own ``Context`` is a subclass of it."""
COLUMNS = ("name", "size", "here", "from", "licence", "trained on")


@weights_app.callback()
def weights(context: Context) -> None:
    """List every pretrained network that the library knows; nothing is asked for, nothing downloaded.

    Sizes are those on this disk, else what the publisher states in what is installed here; '?' is unknown.
    """
    if context.invoked_subcommand:
        return
    from ..encoders.catalogue import catalogue
    from ..pretrained import megabytes

    rows = [COLUMNS]
    for entry in catalogue():
        own, facts = entry.pretrained, entry.provenance
        here = "here" if own.path() else "-"
        trained_on = ", ".join(facts.trained_on)
        rows.append((own.name, megabytes(own.size), here, own.origin, facts.licence or "?", trained_on))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    typer.echo("\nTo download: xmr weights get NAME …; any other of Hugging Face's: xmr weights get OWNER/NAME")


@weights_app.command("get", short_help="Download weights by name.")
def weights_get(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names as 'xmr weights' shows them.")],
) -> None:
    """Download weights by name into torch's or Hugging Face's cache; what was cut goes on."""
    from ..encoders.catalogue import pretrained_named
    from ..pretrained import megabytes

    wanted = {own.name: own for name in names for own in pretrained_named(name)}
    if sizes := {own.name: own.bytes_to_fetch() for own in wanted.values() if own.path() is None}:
        parts = ", ".join(f"{name} {megabytes(size)}" for name, size in sizes.items())
        typer.echo(f"to download: {megabytes(sum(sizes.values()))} ({parts})")
    for own in wanted.values():
        typer.echo(f"{own.name}: {own.get()}")
