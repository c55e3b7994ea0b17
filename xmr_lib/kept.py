"""What the cache holds: listed, held against its checksums, thrown away. All of it can be made again."""

import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from .checksums import of_file
from .errors import XmrError
from .features.store import META, FeatureStore
from .tensor_file import is_sealed, read_tensors

STORE, TENSORS, SCENES, INDEX, OTHER = "features", "weights", "scenes", "index", "other"
UNFINISHED, LEFTOVER = "unfinished", "left by a kill"
FRESH = 3600.0
"""Seconds: a temporary file as young as this may be one that is being written."""
DAY = 86400.0
UNSEALED = "no checksums (made by an older version): not looked at"


@dataclass(frozen=True)
class Kept:
    """One thing in the cache."""

    path: str | Path
    dataset: str
    """Name of the folder of its dataset; empty: of none."""
    kind: str
    size: int
    """Bytes."""
    written: float
    """When last, in seconds since 1970."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))


def kept(cache: str | Path) -> list[Kept]:
    """Return all that a cache holds, in the order of its paths; locks of what is there are no things."""
    things = (_looked_at(path, dataset) for dataset, path in _things(Path(cache)))
    return [one for one in things if one.path.suffix != ".lock" or one.kind == LEFTOVER]


def faults(things: Iterable[Kept], sources: bool = False) -> Iterator[tuple[Kept, str]]:
    """Read everything, and yield each thing with its fault in one line; empty: it is whole.

    Args:
        sources: also read the feature files that stores were imported from, where they still are.
    """
    for one in things:
        fault = ""
        try:
            if one.kind == STORE:
                store = FeatureStore.open(one.path)
                store.verify()
                fault = "" if store.blocks else UNSEALED
                if sources and store.source:
                    fault = _of_source(store.source) or fault
            elif one.kind == TENSORS:
                read_tensors(one.path, "a file of weights", "delete it")
                fault = "" if is_sealed(one.path) else UNSEALED
        except XmrError as error:
            fault = str(error)
        yield one, fault


def chosen(things: Iterable[Kept], datasets: Iterable[str] = (), days: float | None = None) -> list[Kept]:
    """Return what is to be thrown away: of some datasets, not written for some days; of neither, what kills left."""
    names, oldest = set(datasets), None if days is None else time.time() - DAY * days
    if not names and oldest is None:
        return [one for one in things if one.kind == LEFTOVER]
    return [
        one
        for one in things
        if (not names or one.dataset in names or one.dataset.rpartition("-")[0] in names)
        and (oldest is None or one.written < oldest)
    ]


def throw_away(things: Iterable[Kept]) -> list[Kept]:
    """Delete things, and return those that are gone: what another process is writing stays.

    Raises:
        XmrError: something can't be deleted.
    """
    gone = []
    for one in things:
        lock = FileLock(one.path if one.path.suffix == ".lock" else f"{_finished(one.path)}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        except OSError as error:
            raise XmrError(f"{one.path}: can't be deleted ({error.strerror})") from None
        try:
            shutil.rmtree(one.path) if one.path.is_dir() else one.path.unlink()
            gone.append(one)
        except OSError as error:
            raise XmrError(f"{one.path}: can't be deleted ({error.strerror})") from None
        finally:
            lock.release()
    return gone


def _things(cache: Path) -> Iterator[tuple[str, Path]]:
    """Yield folders and files that are one thing each, with the dataset that they belong to."""
    for top in sorted(cache.glob("*")):
        if top.is_file() or top.name == "scenes":
            yield from (("", path) for path in ([top] if top.is_file() else sorted(top.glob("*"))))
            continue
        for path in sorted(top.glob("*/*")):
            if path.parent.name == "checkpoints" and path.is_dir():
                yield from ((top.name, own) for own in sorted(path.glob("*")))
            else:
                yield top.name, path
        yield from ((top.name, path) for path in sorted(top.glob("*")) if path.is_file())


def _looked_at(path: Path, dataset: str) -> Kept:
    files = [path] if path.is_file() else [own for own in path.rglob("*") if own.is_file()]
    states = [own.stat() for own in files]
    written = max((state.st_mtime for state in states), default=path.stat().st_mtime)
    return Kept(path, dataset, _kind(path, written), sum(state.st_size for state in states), written)


def _kind(path: Path, written: float) -> str:
    if path.name.startswith(".") or path.suffix == ".tmp":
        return LEFTOVER if time.time() - written > FRESH else UNFINISHED
    if path.suffix == ".lock":
        # Of something that is gone it is of no use.
        return OTHER if path.with_suffix("").exists() or time.time() - written < FRESH else LEFTOVER
    if path.suffix in (".partial", ".shares"):
        return UNFINISHED
    if path.suffix == ".before":
        return LEFTOVER if path.with_suffix("").exists() else UNFINISHED
    if path.suffix in (".safetensors", ".checkpoint"):
        return TENSORS
    if (path / META).is_file():
        return STORE
    if (path / "scenes.json").is_file():
        return SCENES
    return INDEX if path.parent.name == "indexes" else OTHER


def _finished(path: Path) -> Path:
    """Return what an unfinished thing will be called."""
    return path.with_suffix("") if path.suffix in (".partial", ".shares", ".before") else path


def _of_source(source: dict) -> str:
    file = Path(source["file"])
    if not file.is_file():
        return ""
    return "" if of_file(file) == source["crc32"] else f"{file} is not as it was when it was imported"
