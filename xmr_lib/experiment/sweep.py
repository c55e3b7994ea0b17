"""Many trainings that differ in a setting or two, of which numbers are kept and no model.

They are looked at on validation alone. A row each is in ``sweeps/<name>.csv`` as soon as it ends, so a sweep goes on
where a kill left it, and several processes can share one.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from filelock import FileLock

from ..config import DualEncoderConfig, RunConfig
from ..csv_rows import csv_rows
from ..errors import XmrError, reading
from ..paths import atomic_write
from ..training.collapse import blind_loss
from .fit import checkpoint_of, fit
from .workspace import Workspace

FOLDER = "sweeps"


@dataclass(frozen=True)
class Point:
    """One training of a sweep."""

    run: str
    seed: int
    val_rsum: float
    """Of the best epoch."""
    best_epoch: int
    """From 1 on."""
    epochs: int
    loss: float
    """Of the last epoch, mean over its steps."""
    blind_loss: float
    """What it would be if all similarities were the same: of a triplet with one negative the margin."""
    cpu_minutes: float
    made_by: str
    """Digest of the config and the data's fingerprint: a row of other settings is not taken for this one."""


def sweep(workspace: Workspace, name: str, trainings: Iterable[tuple[RunConfig, int]]) -> list[Point]:
    """Train each config with its seed and return what validation says of it; what is recorded is read.

    Args:
        name: of the sweep: its file.
        trainings: dual encoders, each with a name that tells its settings, and a seed.

    Raises:
        XmrError: a row of that name and seed was made with another config or other data; a config that is no dual
            encoder; a training that collapsed.
    """
    path = sweep_file(workspace.results, name)
    return [_recorded(path, workspace, *one) or _made(path, workspace, *one) for one in trainings]


def sweep_file(results: str | Path, name: str) -> Path:
    """Return where a sweep's rows are; ``results`` is the dataset's."""
    return Path(results) / FOLDER / f"{name}.csv"


def read_sweep(results: str | Path, name: str) -> list[Point]:
    """Return the rows of a sweep, by run and seed; none where it was not begun.

    Raises:
        XmrError: its columns are not those of this version, or it is damaged.
    """
    return _read(sweep_file(results, name))


def add_points(path: str | Path, points: Sequence[Point]) -> None:
    """Add rows to the file of a sweep; other processes may do so at the same time."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(str(path) + ".lock"):
        merged = sorted([*_read(path), *points], key=lambda own: (own.run, own.seed))
        with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(Point)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(map(asdict, merged))


def _read(path: Path) -> list[Point]:
    kinds = {field.name: field.type for field in fields(Point)}
    remedy = "delete it and run the sweep again"
    rows = csv_rows(path, [tuple(kinds)], [name for name, kind in kinds.items() if kind is str], remedy)
    with reading(path, "a sweep as it was written", remedy):
        return [Point(**{name: kinds[name](row[name]) for name in kinds}) for row in rows]


def _recorded(path: Path, workspace: Workspace, config: RunConfig, seed: int) -> Point | None:
    for point in _read(path):
        if (point.run, point.seed) == (config.name, seed):
            if point.made_by != _made_by(workspace, config):
                raise XmrError(f"{path}: {config.name!r}, seed {seed}, is there with other settings or data; delete it")
            return point
    return None


def _made(path: Path, workspace: Workspace, config: RunConfig, seed: int) -> Point:
    method = config.method
    if not isinstance(method, DualEncoderConfig) or method.teacher:
        raise XmrError(f"config {config.name!r}: a sweep is of dual encoders without a teacher")
    fitted = fit(workspace, config, seed, _no_member)
    losses, validation = fitted.history["loss"], fitted.history["val_rsum"]
    best = fitted.history["best_epoch"]
    pairs = min(method.optimiser.batch, len(workspace.pairs(config, "train", seed).image_of_caption))
    point = Point(
        config.name,
        seed,
        round(validation[best], 2),
        best + 1,
        len(losses),
        round(losses[-1], 5),
        round(blind_loss(method.loss.build(), pairs), 5),
        round(fitted.cpu_seconds / 60, 2),
        _made_by(workspace, config),
    )
    add_points(path, [point])
    checkpoint_of(workspace, config, seed).unlink(missing_ok=True)
    return point


def _made_by(workspace: Workspace, config: RunConfig) -> str:
    facts = {"config": config.to_dict(), "data": workspace.facts(config)}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _no_member(config: RunConfig, seed: int):
    raise AssertionError(f"{config.name} has no members")
