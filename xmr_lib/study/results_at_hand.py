"""What earlier runs left behind, read without training anything."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..analysis import chance_shares, rank_grid, rank_shares
from ..config import RunConfig
from ..errors import XmrError
from ..experiment.run import ranks_of, recorded_results, run
from ..experiment.workspace import Workspace
from ..plotdata import write_plotdata
from ..records import RANKS, Result, read_result, recorded_seeds, run_folder
from ..summary_csv import SUMMARY_COLUMNS, TEXT_COLUMNS, read_summary
from .models import get_configs
from .rows import FAST

DIRECTIONS = ("i2t", "t2i")


def at_hand(workspace: Workspace, config: RunConfig, seeds: Sequence[int] = (0,)) -> list[Result]:
    """Return what is recorded of a model, whichever its seeds; where nothing is, run it.

    Raises:
        XmrError: see ``run``.
    """
    return recorded_results(workspace, config) or run(workspace, config, seeds)


def best_recorded(workspace: Workspace, seeds: Sequence[int] = (0,)) -> Result:
    """Return the recorded clean model with the highest validation rSum, its first seed; where none is, run ``fast``.

    Raises:
        XmrError: it was made on other data; see ``run``.
    """
    folder = best_run(workspace.results)
    if folder is None:
        [config] = get_configs(workspace, FAST)
        return run(workspace, config, seeds)[0]
    return recorded_results(workspace, read_result(folder / "result.json").config)[0]


def best_run(results: str | Path) -> Path | None:
    """Return the run folder of the recorded clean model with the highest validation rSum, of its first seed.

    None: none is recorded.
    """
    results = Path(results)
    clean = [row for row in read_summary(results / "summary.csv") if row["track"] == "clean"]
    found = [row for row in clean if recorded_seeds(results, row["run"])]
    if not found:
        return None
    name = max(found, key=lambda row: float(row["val_rsum"]))["run"]
    return run_folder(results, name, recorded_seeds(results, name)[0])


def recorded(workspace: Workspace) -> list[list[Result]]:
    """Return all models that are recorded with their ranks, by name; of each its results, one per seed.

    Raises:
        XmrError: a run was made on other data.
    """
    groups: dict[str, list[Result]] = {}
    for path in sorted((workspace.results / "runs").glob(f"*/seed*/{RANKS}")):
        result = read_result(path.parent / "result.json")
        if result.data["fingerprint"] != workspace.dataset.fingerprint:
            raise XmrError(
                f"{path.parent}: this run was made on other data (fingerprint {result.data['fingerprint']}); "
                "give other results their own --results"
            )
        groups.setdefault(result.model, []).append(result)
    return [sorted(group, key=lambda result: result.seed) for group in groups.values()]


def summary_numbers(workspace: Workspace, models: Sequence[str]) -> pd.DataFrame:
    """Return the rows of ``summary.csv`` of these models, in this order, its numbers as numbers.

    Raises:
        XmrError: a model that is not recorded.
    """
    rows = {row["run"]: row for row in read_summary(workspace.results / "summary.csv")}
    if missing := [model for model in models if model not in rows]:
        raise XmrError(f"{workspace.results / 'summary.csv'}: has no {', '.join(missing)}; xmr train makes it")
    table = pd.DataFrame([rows[model] for model in models])
    numbers = [column for column in SUMMARY_COLUMNS if column not in TEXT_COLUMNS and table[column].ne("").all()]
    return table.astype(dict.fromkeys(numbers, float))


def write_rank_distribution(workspace: Workspace) -> pd.DataFrame:
    """Write ``plotdata/rank_distribution.csv``: of each recorded model (mean of its seeds), and of a random order."""
    rows = []
    for group in recorded(workspace):
        ranks = [ranks_of(workspace, result) for result in group]
        owner = ranks[0].image_of_caption
        for direction, items in zip(DIRECTIONS, (len(owner), ranks[0].images), strict=True):
            places = rank_grid(items)
            shares = np.mean([rank_shares(getattr(own, direction), places) for own in ranks], axis=0)
            rows += _curve(group[0].model, direction, places, shares)
    for direction, items in zip(DIRECTIONS, (len(owner), ranks[0].images), strict=True):
        places = rank_grid(items)
        rows += _curve("chance", direction, places, chance_shares(owner, direction, places))
    table = pd.DataFrame(rows)
    write_plotdata(workspace.results, "rank_distribution", table)
    return table


def write_training_curves(workspace: Workspace) -> pd.DataFrame:
    """Write ``plotdata/training_curves.csv``: loss and validation rSum, epoch by epoch, of each recorded training."""
    rows = []
    for result in (result for group in recorded(workspace) for result in group):
        curves = zip(result.history.get("loss", ()), result.history.get("val_rsum", ()), strict=True)
        for epoch, (loss, val_rsum) in enumerate(curves, start=1):
            rows.append({"run": result.model, "seed": result.seed, "epoch": epoch, "loss": loss, "val_rsum": val_rsum})
    table = pd.DataFrame(rows)
    write_plotdata(workspace.results, "training_curves", table)
    return table


def _curve(run_name: str, direction: str, places: np.ndarray, shares: np.ndarray) -> list[dict[str, object]]:
    return [
        {"run": run_name, "direction": direction, "rank": int(place), "share": float(share)}
        for place, share in zip(places, shares, strict=True)
    ]
