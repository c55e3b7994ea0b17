"""How long the notebooks will train, from what the same models took on the reference, before anything starts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from ..config import EnsembleConfig
from ..experiment.workspace import Workspace
from ..paths import reference_root
from ..records import read_result, read_summary, recorded_seeds
from .models import MODELS, get_configs

NOTEBOOK = {"baseline": "00", "a": "01", "b": "02", "c": "03", "d": "04", "e": "05"}
"""Task → number of its notebook; all other tasks: 06."""
REFERENCE = {"demo": "scenes", "full": "flickr8k"}
"""Profile → the dataset whose committed runs are of it."""


@dataclass(frozen=True)
class Estimate:
    """What is still to be trained for one notebook."""

    notebook: str
    trainings: int
    cpu_minutes: float


def estimate(workspace: Workspace, seeds: Sequence[int]) -> list[Estimate]:
    """Return what training will take, by the notebook of its task (the models of others may be trained on the way).

    The minutes of the reference are scaled by the number of training captions. Features, pictures and metric learning
    are not in them. Empty: there is no reference of this profile.
    """
    reference = reference_root() / REFERENCE.get(workspace.profile.name, "none")
    recorded = {row["run"]: row for row in read_summary(reference / "summary.csv")}
    found: dict[str, Estimate] = {}
    for config in get_configs(workspace, *(model for model in MODELS if model in recorded)):
        # What late fusion takes is what its members take, and they are counted.
        if isinstance(config.method, EnsembleConfig) or workspace.missing(config):
            continue
        row, own = recorded[config.name], NOTEBOOK.get(config.task, "06")
        # What the reference has several seeds of is trained with all, everything else with the first.
        wanted = set(seeds if int(row["seeds"]) > 1 else seeds[:1])
        missing = len(wanted - set(recorded_seeds(workspace.results, config.name)))
        there = next((reference / "runs" / config.name).glob("seed*/result.json"))
        captions = read_result(there).data["captions"]["train"]
        minutes = missing * float(row["cpu_minutes"]) * workspace.dataset.split("train").caption_count / captions
        before = found.get(own, Estimate(own, 0, 0.0))
        found[own] = Estimate(own, before.trainings + missing, before.cpu_minutes + minutes)
    return [found[number] for number in sorted(found)]


def estimate_lines(workspace: Workspace, seeds: Sequence[int], notebooks: Collection[str]) -> list[str]:
    """Return the estimate of some notebooks, by their numbers, in lines to print; none if nothing is to be trained."""
    rows = [row for row in estimate(workspace, seeds) if row.trainings and row.notebook in notebooks]
    if not rows:
        return []
    total = sum(row.cpu_minutes for row in rows)
    return [
        f"to be trained, by what the same models took on {REFERENCE[workspace.profile.name]} (processor time; a slower "
        "or busy machine takes twice as long, two cores half):",
        *(f"  {row.notebook}  {row.trainings:3} trainings  {_duration(row.cpu_minutes)}" for row in rows),
        f"  all {sum(row.trainings for row in rows):3} trainings  {_duration(total)}, and features and pictures on top",
    ]


def _duration(minutes: float) -> str:
    return f"about {minutes:.0f} min" if minutes < 90 else f"about {minutes / 60:.1f} h"
