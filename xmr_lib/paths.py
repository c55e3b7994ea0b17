"""Where the project reads and writes. Everything written lies under one root."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

COURSE_SERVER = Path("/home/mcv/datasets/Flickr30k")


def root() -> Path:
    """Return the root of everything written: ``$XMR_HOME``, else the checkout that holds the package, else ``.``."""
    if home := os.environ.get("XMR_HOME"):
        return Path(home).expanduser().resolve()
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file() and (checkout / "notebooks").is_dir():
        return checkout
    return Path.cwd()


def cache_root() -> Path:
    """Return the folder of what can be made again (stores, checkpoints, drawn scenes): ``$XMR_CACHE`` or ``cache/``."""
    if cache := os.environ.get("XMR_CACHE"):
        return Path(cache).expanduser().resolve()
    return root() / "cache"


def runs_root() -> Path:
    """Return the folder that runs write to, one folder a dataset; git does not see it."""
    return root() / "runs"


def models_root() -> Path:
    """Return the folder of saved models; git does not see it."""
    return root() / "models"


def indexes_root() -> Path:
    """Return the folder of indexes that are searched; git does not see it."""
    return root() / "indexes"


def reference_root() -> Path:
    """Return the folder of the results that are in git, one folder a dataset; only ``publish-results`` changes them."""
    return root() / "results"


def recorded_root(dataset: str) -> Path:
    """Return the root of a dataset's results: ``runs/`` where that has its ``summary.csv``, else the reference."""
    return runs_root() if (runs_root() / dataset / "summary.csv").is_file() else reference_root()


def wait_for(lock: FileLock, what: str) -> None:
    """Take a lock; where another process has it, say so and wait until that one ends, be it by a kill."""
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print(f"{what}: another process is making it; waiting for it", file=sys.stderr)
        lock.acquire(timeout=-1)


@contextmanager
def one_at_a_time(path: str | Path, what: str) -> Iterator[None]:
    """Let one process alone make what will be at a path; the others wait for it (see ``wait_for``)."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{path}.lock")
    wait_for(lock, what)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; it takes the place of ``path`` only if the block ends well.

    A reader therefore sees the old file or the whole new one, never half of it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        # mkstemp makes the file private; give it the permissions that any new file here would have.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
