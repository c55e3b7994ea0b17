"""``xmr cache``."""

import typer

from .app import app

cache_app = typer.Typer(help="What can be made again.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cache_app, name="cache")


@cache_app.command("migrate")
def migrate() -> None:
    """Give the feature stores of an older version the names that they have today; nothing is made again."""
    from .. import encoders  # noqa: F401 (slugs can be read once they are registered)
    from ..features.migrate import migrate_stores
    from ..paths import cache_root

    lines = list(migrate_stores(cache_root()))
    typer.echo("\n".join(lines or [f"{cache_root()}: all stores have the names of today"]))


@cache_app.callback()
def about() -> None:
    """What can be made again."""
