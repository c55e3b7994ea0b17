"""Stores of an older version get the names that they have today: renamed in place, never made again."""

from collections.abc import Iterator
from pathlib import Path

from .spec import FeatureSpec

PREFIX = "bert:"
"""Beginning of the only names that have changed: version 1 wrote ``bert:_home_me_model@11``, which Windows refuses."""


def migrate_stores(cache: str | Path) -> Iterator[str]:
    """Rename the stores below a cache, and say what was done, one line per store."""
    for old in sorted(Path(cache).glob(f"*/features/{PREFIX}*")):
        slugs = list(_slugs(old.name))
        if len(slugs) != 1:
            why = "no folder of that name is here" if not slugs else f"it may be any of {', '.join(slugs)}"
            yield f"{old}: left as it is ({why}); rename it to what FeatureSpec.parse(SLUG).folder says"
            continue
        new = old.with_name(FeatureSpec.parse(slugs[0]).folder)
        if new.exists():
            yield f"{old}: left as it is; {new.name} is there already"
            continue
        old.rename(new)
        yield f"{old} -> {new.name}"


def _slugs(name: str) -> Iterator[str]:
    """Yield what a name can have stood for: each ``_`` was a ``/`` or itself."""
    source, at, layers = name.removeprefix(PREFIX).partition("@")
    if "_" not in source:
        yield name
        return
    first, *rest = source.split("_")
    for path in _folders(first, rest):
        yield f"{PREFIX}{path}{at}{layers}"


def _folders(path: str, rest: list[str]) -> Iterator[str]:
    if not rest:
        if Path(path).is_dir():
            yield path
        return
    if Path(path or "/").is_dir():
        yield from _folders(f"{path}/{rest[0]}", rest[1:])
    yield from _folders(f"{path}_{rest[0]}", rest[1:])
