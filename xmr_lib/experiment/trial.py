"""Settings tried out: a model is fitted and looked at on validation alone, so that the test split stays unseen.

What was tried is kept beside the runs, in ``trials/<model>/seed<k>`` and, a row each, in ``trials.csv``.
"""

import csv
import json
import shutil
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ..config import EnsembleConfig, RunConfig, read_config
from ..errors import XmrError, reading
from ..model import RetrievalModel
from ..model.folder import IN_RUN, MODEL
from ..paths import atomic_write
from ..records import flat
from .fit import Fitted, checkpoint_of, fit
from .machine import machine
from .query_bank import fit_bank
from .workspace import Workspace

FOLDER, FILE, TABLE = "trials", "trial.json", "trials.csv"


@dataclass(frozen=True)
class Trial:
    """One row of ``trials.csv``."""

    run: str
    seed: int
    track: str
    image_features: str
    text_features: str
    aggregation: str
    val_rsum: float
    """Of the best epoch, the one that is kept."""
    val_rsum_bank: float
    """The same, normalised by the query bank whose β this very validation split chose."""
    best_epoch: int | None
    """From 1 on."""
    cpu_minutes: float
    """Of fitting, all threads together."""
    wall_minutes: float


A_TRIAL = ("a trial as it was written", "delete its folder and try again")
"""What its file is called where it can't be read, and what to do then."""


def try_out(workspace: Workspace, config: RunConfig, seed: int = 0) -> Trial:
    """Fit a model and score it on validation; one that was tried before is read. Test is not looked at.

    Raises:
        XmrError: a trial of this name was made with another config or other data; the training collapsed; data are
            missing.
    """
    _fitted(workspace, config, seed)
    return _read(workspace, config, seed)


def trials_of(results: str | Path) -> list[Trial]:
    """Return what was tried, the best on validation first; ``results`` is the dataset's."""
    found = []
    for file in (Path(results) / FOLDER).glob(f"*/seed*/{FILE}"):
        with reading(file, *A_TRIAL):
            found.append(Trial(**json.loads(file.read_text("utf-8"))["trial"]))
    return sorted(found, key=lambda trial: (-trial.val_rsum, trial.run, trial.seed))


def _fitted(workspace: Workspace, config: RunConfig, seed: int) -> Fitted:
    folder = _folder(workspace, config, seed)
    if (trial := _read(workspace, config, seed)) is not None:
        model = RetrievalModel.load(folder / IN_RUN, workspace.runtime)
        return Fitted(model, {}, 60 * trial.cpu_minutes, 60 * trial.wall_minutes)
    fitted = fit(workspace, config, seed, lambda own, part: _fitted(workspace, own, part))
    fitted.model.bank, chosen = fit_bank(workspace, fitted.model, seed)
    rsum = chosen["val_rsum"]["without"]
    best = fitted.history.get("best_epoch")
    trial = Trial(
        config.name,
        seed,
        config.track,
        config.image_features,
        config.text_features,
        config.text_pooling,
        round(rsum, 2),
        round(chosen["val_rsum"]["with"], 2),
        None if best is None else best + 1,
        round(fitted.cpu_seconds / 60, 2),
        round(fitted.wall_seconds / 60, 2),
    )
    data = workspace.facts(config)
    fitted.model.facts = {
        "track": config.track,
        "data": data,
        "seed": seed,
        "val_rsum": rsum,
        "query_bank": chosen,
    }
    shutil.rmtree(folder, ignore_errors=True)
    # The model first, the facts last: a trial that has them is whole.
    fitted.model.save(folder / IN_RUN)
    facts = {
        "trial": asdict(trial),
        "config": config.to_dict(),
        "data": data,
        "history": fitted.history,
        "query_bank": chosen,
        "machine": machine(workspace.runtime),
    }
    with atomic_write(folder / FILE) as path:
        path.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    if not isinstance(config.method, EnsembleConfig):
        checkpoint_of(workspace, config, seed).unlink(missing_ok=True)
    _write_table(workspace.results)
    return fitted


def _folder(workspace: Workspace, config: RunConfig, seed: int) -> Path:
    return Path(workspace.results) / FOLDER / config.name / f"seed{seed}"


def _read(workspace: Workspace, config: RunConfig, seed: int) -> Trial | None:
    folder = _folder(workspace, config, seed)
    if not (folder / FILE).is_file() or not (folder / IN_RUN / MODEL).is_file():
        return None
    with reading(folder / FILE, *A_TRIAL):
        facts = json.loads((folder / FILE).read_text("utf-8"))
        found, trial = read_config(facts["config"]).to_dict(), Trial(**facts["trial"])
        there = {**flat(found), "fingerprint": facts["data"]["fingerprint"]}
    pairs = {**flat(config.to_dict()), "fingerprint": workspace.facts(config)["fingerprint"]}
    for key in sorted({*pairs, *there}):
        if pairs.get(key) != there.get(key):
            raise XmrError(
                f"{folder}: the trial {config.name!r} is there with {key.removeprefix('method.')} = "
                f"{there.get(key)!r}, not {pairs.get(key)!r}; give the model another name, or delete {folder.parent}"
            )
    return trial


def _write_table(results: str | Path) -> None:
    with atomic_write(Path(results) / TABLE) as path, path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Trial)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(trial) for trial in trials_of(results))
