"""``xmr cache``."""

from typing import Annotated

import typer

from .app import app

cache_app = typer.Typer(help="What can be made again.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cache_app, name="cache")


@cache_app.command("list")
def list_() -> None:
    """Show what the cache holds, how large it is and when it was last written."""
    from datetime import datetime

    from ..kept import kept
    from ..paths import cache_root

    things = kept(cache_root())
    for one in things:
        written = f"{datetime.fromtimestamp(one.written):%Y-%m-%d}"
        name = one.path.relative_to(cache_root())
        typer.echo(f"{one.size / 2**20:9.1f} MB  {written}  {one.kind:15} {name}")
    typer.echo(f"{sum(one.size for one in things) / 2**20:9.1f} MB  {cache_root()}: {len(things)} things")


@cache_app.command("verify")
def verify(
    sources: Annotated[
        bool, typer.Option("--sources", help="Also read the feature files that stores were imported from.")
    ] = False,
) -> None:
    """Hold everything in the cache against its checksums; the exit code is 1 where a bit has changed."""
    from ..errors import XmrError
    from ..kept import STORE, TENSORS, UNSEALED, faults, kept
    from ..paths import cache_root

    things = [one for one in kept(cache_root()) if one.kind in (STORE, TENSORS)]
    damaged = 0
    for one, fault in faults(things, sources):
        typer.echo(f"{one.path.relative_to(cache_root())}: {fault or 'whole'}")
        damaged += bool(fault) and fault != UNSEALED
    if damaged:
        raise XmrError(f"{damaged} of {len(things)} are damaged: delete them, and look after the disk")


@cache_app.command("prune")
def prune(
    dataset: Annotated[list[str] | None, typer.Option(help="Of this dataset; may be given several times.")] = None,
    older_than: Annotated[float | None, typer.Option(metavar="DAYS", help="Not written for so many days.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do delete; without it, only show what would go.")] = False,
) -> None:
    """Delete what kills left behind; or all of a dataset, or all that is old. It is made again when it is needed."""
    from ..kept import chosen, kept, throw_away
    from ..paths import cache_root

    things = chosen(kept(cache_root()), dataset or (), older_than)
    gone = throw_away(things) if yes else things
    for one in gone:
        typer.echo(f"{one.size / 2**20:9.1f} MB  {one.kind:15} {one.path.relative_to(cache_root())}")
    said = "deleted" if yes else "would be deleted; add --yes"
    typer.echo(f"{sum(one.size for one in gone) / 2**20:9.1f} MB  {len(gone)} things {said}")
    if len(gone) < len(things):
        typer.echo(f"{len(things) - len(gone)} are being written by another process and stay")


@cache_app.command("migrate")
def migrate() -> None:
    """Give the feature stores of an older version the names that they have today; nothing is made again."""
    from .. import encoders  # noqa: F401 (slugs can be read once they are registered)
    from ..features.migrate import migrate_stores
    from ..paths import cache_root

    lines = list(migrate_stores(cache_root()))
    typer.echo("\n".join(lines or [f"{cache_root()}: all stores have the names of today"]))
