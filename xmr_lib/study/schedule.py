"""What the schedule of the studies is made of: from their base, each of its settings put back, one at a time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..config import RunConfig
from ..experiment.sweep import read_sweep, sweep
from ..experiment.workspace import Workspace
from ..records import read_result, recorded_seeds, run_folder
from .models import get_configs
from .results_at_hand import at_hand

SWEEP = "schedule"
BASE, BEFORE = "r-fasttext", "ab-infonce-meanmax"
"""The reference of the studies (c), (d), (e), representations and fusion; the same model without their schedule."""
SETTINGS = {
    "scaling": ("image.scaling",),
    "projection": ("image.projection", "text.projection"),
    "dropout": ("image.dropout", "text.dropout"),
    "batch": ("optimiser.batch",),
    "learning-rate": ("optimiser.learning_rate",),
    "epochs": ("optimiser.epochs",),
}
"""What the schedule is made of, and its fields of the config."""


def put_back(workspace: Workspace) -> dict[str, RunConfig]:
    """Return ``BASE`` with one setting as ``BEFORE`` has it, by setting; one that the profile gives to both is none."""
    base, before = get_configs(workspace, BASE, BEFORE)
    found = {}
    for setting, paths in SETTINGS.items():
        if changes := {path: before.get(path) for path in paths if before.get(path) != base.get(path)}:
            found[setting] = base.replace(name=f"{BASE}-{setting}", **changes)
    return found


def schedule_table(workspace: Workspace, seeds: Sequence[int]) -> pd.DataFrame:
    """Train ``BASE`` with each setting put back, and return what that costs on validation; what is recorded is read.

    ``difference``: to the base with the same seeds, their mean, and the least and the most of them. The rows don't add
    up to what all settings are worth together: they depend on each other.
    """
    base, before = (at_hand(workspace, config, seeds) for config in get_configs(workspace, BASE, BEFORE))
    of_base = {result.seed: result.val_rsum for result in base}
    rows = [_row("the base", "", of_base, of_base)]
    for setting, config in put_back(workspace).items():
        points = sweep(workspace, SWEEP, [(config, seed) for seed in seeds])
        values = [str(own.get(SETTINGS[setting][0])) for own in (base[0].config, config)]
        rows.append(_row(setting, " → ".join(values), {point.seed: point.val_rsum for point in points}, of_base))
    rows.append(_row("all together", BEFORE, {result.seed: result.val_rsum for result in before}, of_base))
    return pd.DataFrame(rows).set_index("put back")


def differences(results: str | Path) -> dict[str, list[float]]:
    """Return what is recorded of it: by setting, the differences to the base with the same seeds.

    Args:
        results: of the dataset.
    """
    base = {
        seed: read_result(run_folder(results, BASE, seed) / "result.json").val_rsum
        for seed in recorded_seeds(results, BASE)
    }
    found: dict[str, list[float]] = {}
    for point in read_sweep(results, SWEEP):
        if point.seed in base:
            found.setdefault(point.run.removeprefix(f"{BASE}-"), []).append(point.val_rsum - base[point.seed])
    return found


def _row(setting: str, change: str, rsums: dict[int, float], base: dict[int, float]) -> dict[str, object]:
    differences = [rsum - base[seed] for seed, rsum in rsums.items() if seed in base]
    spread = f"{min(differences):+.1f} … {max(differences):+.1f}" if rsums is not base and differences else ""
    return {
        "put back": setting,
        "from → to": change,
        "val rSum": float(np.mean(list(rsums.values()))),
        "difference": float(np.mean(differences)) if spread else "",
        "of the seeds": spread,
        "seeds": str(len(rsums)),
    }
