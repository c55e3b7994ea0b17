"""What a run leaves behind: a folder of facts, and its row in the table of record of its dataset."""

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from .config import DualEncoderConfig, RunConfig, read_config
from .errors import XmrError, reading
from .metrics import Ranks
from .paths import atomic_write
from .provenance import TRACKS, worst_track
from .summary_csv import SUMMARY_COLUMNS

RANKS = "ranks.npz"
WITH_BANK = "bank_"
"""Before the names of those arrays in it that a query bank changes."""
DETECTOR = "detector.json"
"""History of the light detector, beside ``summary.csv``."""
VERSION = 2


@dataclass(frozen=True)
class Result:
    """One model, one seed, scored once on the test split."""

    config: RunConfig
    seed: int
    data: dict
    """Facts of the data: name, fingerprint, splits and where they come from, images that were left out."""
    test: dict[str, float]
    """Metrics on the test split (see ``metrics.summarise``)."""
    val_rsum: float
    chance: dict[str, float]
    """The same metrics for a random order."""
    cpu_seconds: float
    """Processor time of training and scoring, all threads together; reading features is not in it."""
    history: dict
    """Epoch by epoch, or for CCA what validation chose."""
    machine: dict
    """Processor, threads and versions of the libraries that decide numbers."""
    wall_seconds: float | None = None
    """Time on the clock of training and scoring; version 1 did not record it."""
    five_folds: dict[str, float] | None = None
    """Of a test split of 5,000 images or more: recalls by the 5 × 1K protocol."""
    with_bank: dict[str, dict[str, float]] | None = None
    """The order normalised by the model's query bank: ``test``, the same metrics; ``val``, its rSum."""
    found_track: str | None = None
    """``clean`` or ``open``, as it was found where the model was trained; earlier versions did not record it."""

    @property
    def model(self) -> str:
        return self.config.name

    @property
    def track(self) -> str:
        """``clean`` or ``open``: elsewhere, what a file of vectors learned from can't be looked at again."""
        return self.found_track or self.config.track


def run_folder(results: str | Path, model: str, seed: int) -> Path:
    """Return the folder of one run; ``results`` is the dataset's."""
    results = Path(results)
    return results / "runs" / model / f"seed{seed}"


def write_run(
    results: str | Path,
    result: Result,
    ranks: Ranks,
    with_bank: Ranks | None = None,
) -> None:
    """Write ``result.json`` and ``ranks.npz``, each whole or not at all.

    Args:
        with_bank: the ranks once more, normalised by the model's query bank.
    """
    results = Path(results)
    folder = run_folder(results, result.model, result.seed)
    arrays = asdict(ranks)
    if with_bank:
        own = asdict(with_bank).items()
        arrays |= {f"{WITH_BANK}{name}": one for name, one in own if not np.array_equal(one, arrays[name])}
    with atomic_write(folder / RANKS) as path, path.open("wb") as file:
        np.savez_compressed(file, **{name: _small(values) for name, values in arrays.items()})
    with atomic_write(folder / "result.json") as path:
        path.write_text(json.dumps(_plain(result), indent=1, ensure_ascii=False) + "\n", "utf-8")


def read_run(results: str | Path, config: RunConfig, seed: int, data: dict) -> Result | None:
    """Return the result of a run that was made before, or None.

    A result without its ranks counts as not made: no test can be made with it.

    Raises:
        XmrError: a run of that name was made with another config or other data; nothing is overwritten.
    """
    results = Path(results)
    folder = run_folder(results, config.name, seed)
    if not (folder / "result.json").is_file():
        return None
    result = read_result(folder / "result.json")
    made_here = (folder / RANKS).is_file()
    wanted, found = flat(config.to_dict()), flat(result.config.to_dict())
    # A fact of the data that was not recorded then tells nothing.
    known = {key: value for key, value in data.items() if made_here and key in result.data}
    for what, mine, theirs in (("", wanted, found), ("data: ", known, result.data if made_here else {})):
        for key in sorted(set(mine) | (set(theirs) if not what else set(mine))):
            if mine.get(key) != theirs.get(key):
                name = key.removeprefix("method.")
                raise XmrError(
                    f"{folder}: the run {config.name!r} is there with {what}{name} = {theirs.get(key)!r}, not "
                    f"{mine.get(key)!r}; give the model another name, or delete {folder.parent} to run it anew"
                )
    return result if made_here else None


def flat(values: dict, prefix: str = "") -> dict[str, object]:
    """Name the values within dictionaries and lists like ``loss.margin``: one that differs can be told alone."""
    found: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            value = {str(place): item for place, item in enumerate(value)}
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def recorded_seeds(results: str | Path, model: str) -> list[int]:
    """Return the seeds of which a model has a result and its ranks."""
    results = Path(results)
    folders = (path.parent for path in (results / "runs" / model).glob(f"seed*/{RANKS}"))
    numbers = ((folder, folder.name.removeprefix("seed")) for folder in folders)
    return sorted(int(n) for folder, n in numbers if n.isdecimal() and (folder / "result.json").is_file())


def read_result(path: str | Path) -> Result:
    """Read one ``result.json``.

    Raises:
        XmrError: there is none, or it is no result.
    """
    path = Path(path)

    def member(name: str) -> RunConfig:
        # Version 1 names the members of late fusion only; their own results tell the rest.
        beside = sorted((path.parent.parent.parent / name).glob("seed*/result.json"))
        return read_result(beside[0] if beside else path.parent.parent.parent / name / "seed0" / "result.json").config

    if not path.is_file():
        raise XmrError(f"{path}: no result here; 'xmr train' or 'xmr run' makes it")
    with reading(path, "a result of this version", "delete its folder and run again"):
        values = json.loads(path.read_text("utf-8"))
        values.pop("version", None)
        try:
            config = read_config(values["config"], member)
        except XmrError as error:
            # It does not know where it stands.
            raise XmrError(f"{path}: {error}") from None
        return _checked(Result(**{**values, "config": config}))


def read_ranks(results: str | Path, model: str, seed: int, with_bank: bool = False) -> Ranks:
    """Return the ranks that ``write_run`` wrote for the test split.

    Args:
        with_bank: those normalised by the query bank; see ``Result.with_bank`` for whether there are any.

    Raises:
        XmrError: there are none, or they are damaged.
    """
    results = Path(results)
    path = run_folder(results, model, seed) / RANKS
    if not path.is_file():
        raise XmrError(f"{path}: no ranks here; run the model again (xmr train {model})")
    remedy = f"delete {path.parent} and run the model again (xmr train {model})"
    with reading(path, "ranks as they were written", remedy), np.load(path) as arrays:
        # Of a list of contents that is damaged, zipfile reads what it can: how many there are stands behind it.
        if len(arrays.files) != struct.unpack("<H", path.read_bytes()[-12:-10])[0]:
            raise ValueError(f"{len(arrays.files)} arrays are left")
        found = {name: arrays[name].astype(np.int64) for name in arrays.files}
        plain = {name: found.pop(name) for name in (field.name for field in fields(Ranks))}
        normalised = {name.removeprefix(WITH_BANK): values for name, values in found.items()}
        if unknown := normalised.keys() - plain.keys():
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}")
    return Ranks(**(plain | normalised if with_bank else plain))


def summary_row(results: Sequence[Result], interval: tuple[float, float]) -> dict[str, object]:
    """Return one row of ``summary.csv``: means over seeds; ``interval`` is that of rSum, in points."""
    first = results[0]
    config = first.config
    loss = config.loss_name
    direction = config.method.loss.settings.get("direction") if isinstance(config.method, DualEncoderConfig) else None
    walls = [result.wall_seconds for result in results]
    row: dict[str, object] = {
        "run": config.name,
        "task": config.task,
        "track": worst_track(result.track for result in results),
        "image_features": config.image_features,
        "text_features": config.text_features,
        "aggregation": config.text_pooling,
        "image_aggregation": config.image_pooling,
        "bank": "",
        "device": ", ".join(dict.fromkeys(r.machine["device"] for r in results if "device" in r.machine)),
        "loss": f"{loss} {direction}" if direction else loss,
        "seeds": len(results),
        "rsum_low": interval[0],
        "rsum_high": interval[1],
        "cpu_minutes": float(np.mean([result.cpu_seconds for result in results])) / 60,
        "wall_minutes": _mean([wall and wall / 60 for wall in walls]),
        "val_rsum": float(np.mean([result.val_rsum for result in results])),
        "chance_rsum": first.chance["rsum"],
        "val_rsum_bank": _mean([result.with_bank and result.with_bank["val"]["rsum"] for result in results]),
        "rsum_bank": _mean([result.with_bank and result.with_bank["test"]["rsum"] for result in results]),
    }
    for column in SUMMARY_COLUMNS:
        if column not in row:
            row[column] = float(np.mean([result.test[column] for result in results]))
    return {column: _rounded(row[column]) for column in SUMMARY_COLUMNS}


def _checked(result: Result) -> Result:
    """Return a result whose numbers are numbers.

    Raises:
        ValueError: one is not.
    """
    numbers = {"seed": result.seed, "val_rsum": result.val_rsum, "cpu_seconds": result.cpu_seconds}
    numbers |= {f"test.{key}": value for key, value in result.test.items()}
    numbers |= {f"chance.{key}": value for key, value in result.chance.items()}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ValueError(f"{name} is {value!r}")
    if result.found_track not in (None, *TRACKS):
        raise ValueError(f"found_track is {result.found_track!r}")
    for name in ("data", "history", "machine"):
        if not isinstance(getattr(result, name), dict):
            raise ValueError(f"{name} is {getattr(result, name)!r}")
    return result


def _plain(result: Result) -> dict:
    """Return what ``result.json`` holds; what was not measured is left out."""
    values = {field.name: getattr(result, field.name) for field in fields(result)}
    values = {name: value for name, value in values.items() if value is not None}
    return {"version": VERSION, **values, "config": result.config.to_dict()}


def _small(values: np.ndarray) -> np.ndarray:
    """Use uint16 where it holds the values: a gallery of the field's datasets has at most 31,783 × 5 captions."""
    return values.astype(np.uint16 if values.size == 0 or values.max() <= 65_535 else np.uint32)


def _mean(values: Sequence[float | None]) -> float | str:
    """Return the mean over seeds; nothing where one did not record it."""
    return "" if None in values else float(np.mean(values))


def _rounded(value: object) -> object:
    # More places than anyone prints, so that rounding to one place later gives what the run itself would print.
    return f"{value:.4f}" if isinstance(value, float) else value
