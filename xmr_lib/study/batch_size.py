"""How many negatives a loss wants: four losses at batches of 32 to 2,048 pairs, on validation."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from ..config import RunConfig
from ..experiment.sweep import read_sweep, sweep
from ..experiment.workspace import Workspace
from ..records import read_result, recorded_seeds, run_folder
from ..training.collapse import blind_loss
from .models import get_configs

SWEEP = "batch_size"
LOSSES = {
    "InfoNCE": "ab-infonce",
    "semi-hard": "ab-triplet-semihard",
    "sum of hinges": "ab-triplet-all",
    "hardest": "ab-triplet-hardest",
}
"""What they are called → the model of the study whose batch is changed, and nothing else of it."""
BATCHES = {"smoke": (16,), "demo": (64,), "full": (32, 128, 512, 2048)}
"""Pairs per step, by profile, beside those of the study's own models."""
WARMUPS = {"smoke": (0.05,), "demo": (0.05,), "full": (0.05, 0.0)}
"""Shares of the steps in which the learning rate rises, by profile; the study's models have the first."""


def batch_configs(workspace: Workspace) -> list[RunConfig]:
    """Return the configs of the study that are no models of their own."""
    profile = workspace.profile.name
    return [
        base.replace(
            name=f"{base.name}-batch{batch}" + ("" if warmup else "-cold"),
            **{"optimiser.batch": batch, "optimiser.warmup": warmup},
        )
        for warmup in WARMUPS[profile]
        for batch in BATCHES[profile]
        for base in get_configs(workspace, *LOSSES.values())
    ]


def run_batch_sizes(workspace: Workspace, seeds: Sequence[int]) -> None:
    """Train what is not recorded yet, one seed after the other."""
    sweep(workspace, SWEEP, [(config, seed) for seed in seeds for config in batch_configs(workspace)])


def batch_sizes(results: str | Path) -> pd.DataFrame:
    """Return what is recorded of the study, the study's own models with it; a row per training.

    Columns: ``loss``, its name; ``batch``, pairs per step; ``warmup``, whether the learning rate rises before it falls;
    ``seed``; ``val_rsum``, rSum on validation, of the best epoch; ``share``, the loss of the last epoch, as a share of
    what it would be if all similarities were the same: from 1 on, nothing is learned.

    Args:
        results: of the dataset.
    """
    rows = []
    for name, model in LOSSES.items():
        for seed in recorded_seeds(results, model):
            result = read_result(run_folder(results, model, seed) / "result.json")
            method, pairs = result.config.method, result.data["captions"]["train"]
            batch = min(method.optimiser.batch, pairs)
            share = result.history["loss"][-1] / blind_loss(method.loss.build(), batch)
            rows.append((name, batch, method.optimiser.warmup > 0, seed, result.val_rsum, share))
    names = {model: name for name, model in LOSSES.items()}
    for point in read_sweep(results, SWEEP):
        model, _, setting = point.run.partition("-batch")
        batch, _, cold = setting.partition("-")
        rows.append((names[model], int(batch), not cold, point.seed, point.val_rsum, point.loss / point.blind_loss))
    order = {name: place for place, name in enumerate(LOSSES)}
    rows.sort(key=lambda row: (order[row[0]], row[1:4]))
    return pd.DataFrame(rows, columns=["loss", "batch", "warmup", "seed", "val_rsum", "share"])


def batch_table(points: pd.DataFrame) -> pd.DataFrame:
    """Return rSum on validation of each loss (rows) at each batch (columns), mean of the seeds, with warm-up.

    In brackets the loss at the end, as a share of that of equal similarities.
    """
    means = points[points["warmup"]].groupby(["loss", "batch"])[["val_rsum", "share"]].mean()
    shown = means.apply(lambda row: f"{row['val_rsum']:.1f} ({row['share']:.2f})", axis=1).unstack("batch")
    return shown.loc[[name for name in LOSSES if name in shown.index]].fillna("").rename_axis(columns=None)
