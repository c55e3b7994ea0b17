"""How long the notebooks will train, from what the same models took on the reference, before anything starts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..config import EnsembleConfig, RunConfig
from ..experiment.run import seeds_of
from ..experiment.sweep import read_sweep
from ..experiment.workspace import Workspace
from ..paths import reference_root
from ..records import read_result, recorded_seeds
from ..summary_csv import read_summary
from . import batch_size, detector_quality, schedule
from .models import get_configs
from .rows import BY_COMMAND, MODELS

NOTEBOOK = {"baseline": "00", "a": "01", "b": "02", "c": "03", "d": "04", "e": "05", "images": "07"}
"""Task → number of its notebook; all other tasks: 06."""
RECIPES = ("ab-recipe", "ab-recipe-cosine")
"""Trained by notebook 10, whatever their task."""
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
    recorded = _recorded(workspace)
    found: dict[str, Estimate] = {}

    def add(notebook: str, trainings: int, minutes: float) -> None:
        before = found.get(notebook, Estimate(notebook, 0, 0.0))
        found[notebook] = Estimate(notebook, before.trainings + trainings, before.cpu_minutes + minutes)

    for config in models_of_notebooks(workspace):
        # What late fusion takes is what its members take, and they are counted.
        if config.name not in recorded or isinstance(config.method, EnsembleConfig) or workspace.missing(config):
            continue
        own = notebook_of(config)
        missing = len(set(seeds) - set(recorded_seeds(workspace.results, config.name)))
        add(own, missing, missing * _minutes(workspace, recorded[config.name]))
    for own, name, swept in _sweeps(workspace) if recorded else ():
        tried = {(point.run, point.seed) for point in read_sweep(workspace.results, name)}
        took = {point.run: point.cpu_minutes for point in read_sweep(_reference(workspace), name)}
        for config, model in swept:
            missing = sum((config.name, seed) not in tried for seed in seeds)
            minutes = took.get(config.name, float(recorded[model]["cpu_minutes"]))
            add(own, missing, missing * minutes * _share(workspace, recorded[model]))
    return [found[number] for number in sorted(found)]


def notebook_of(config: RunConfig) -> str:
    """Return the number of the notebook that a model belongs to."""
    return "10" if config.name in RECIPES else NOTEBOOK.get(config.task, "06")


def models_of_notebooks(workspace: Workspace, notebooks: Collection[str] = ()) -> list[RunConfig]:
    """Return the models that the notebooks of these numbers train; without numbers, that any of them does."""
    configs = get_configs(workspace, *(model for model in MODELS if not model.startswith(BY_COMMAND)))
    return [config for config in configs if not notebooks or notebook_of(config) in notebooks]


def seed_lines(workspace: Workspace, seeds: Sequence[int], notebooks: Collection[str]) -> list[str]:
    """Return, as lines to print, which models of some notebooks have other seeds than those asked for, and why."""
    fixed = [own for own in models_of_notebooks(workspace, notebooks) if list(seeds_of(own, seeds)) != list(seeds)]
    return [
        f"{config.name}: run once; it is late fusion of the seeds {', '.join(map(str, config.method.seeds))} of "
        f"{', '.join(member.name for member in config.method.members)}, whatever --seeds says"
        for config in fixed
    ]


def training_line(workspace: Workspace, config: RunConfig, seeds: Sequence[int]) -> str:
    """Return what training one model will take, in a line to print; empty where nothing tells, or all is there."""
    recorded = _recorded(workspace)
    missing = {
        name: wanted - set(recorded_seeds(workspace.results, name)) for name, wanted in _trainings(config, set(seeds))
    }
    due = [name for name in missing if missing[name]]
    if not due or not all(name in recorded for name in due):
        return ""
    minutes = sum(len(missing[name]) * _minutes(workspace, recorded[name]) for name in due)
    return (
        f"{config.name}: {', '.join(due)} to be trained, {_duration(minutes)} of processor time by what it took on "
        f"{_reference(workspace).name}, and features on top"
    )


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


def _trainings(config: RunConfig, seeds: set[int]) -> Iterator[tuple[str, set[int]]]:
    """Yield the models that are trained for one, its members or its teacher among them, and their seeds."""
    if isinstance(config.method, EnsembleConfig):
        for member in config.method.members:
            yield from _trainings(member, set(config.method.seeds) or seeds)
        return
    if teacher := getattr(config.method, "teacher", None):
        yield from _trainings(teacher.model, seeds)
    yield config.name, seeds


def _sweeps(workspace: Workspace) -> list[tuple[str, str, list[tuple[RunConfig, str]]]]:
    """Return the sweeps: notebook, name, and the configs, each with the model that it varies."""
    batches = [(config, config.name.partition("-batch")[0]) for config in batch_size.batch_configs(workspace)]
    settings = [(config, schedule.BASE) for config in schedule.put_back(workspace).values()]
    quality = [(config, detector_quality.MODEL) for config in detector_quality.noisy_configs(workspace).values()]
    return [
        ("02", batch_size.SWEEP, batches),
        ("03", detector_quality.SWEEP, quality),
        ("10", schedule.SWEEP, settings),
    ]


def _reference(workspace: Workspace) -> Path:
    return reference_root() / REFERENCE.get(workspace.profile.name, "none")


def _recorded(workspace: Workspace) -> dict[str, dict[str, str]]:
    return {row["run"]: row for row in read_summary(_reference(workspace) / "summary.csv")}


def _minutes(workspace: Workspace, row: dict[str, str]) -> float:
    """Return the minutes of the reference, scaled by the number of training captions."""
    return float(row["cpu_minutes"]) * _share(workspace, row)


def _share(workspace: Workspace, row: dict[str, str]) -> float:
    """Return how many training captions there are here for each one that a run of the reference had."""
    there = next((_reference(workspace) / "runs" / row["run"]).glob("seed*/result.json"))
    captions = read_result(there).data["captions"]["train"]
    return workspace.dataset.split("train").caption_count / captions


def _duration(minutes: float) -> str:
    return f"about {minutes:.0f} min" if minutes < 90 else f"about {minutes / 60:.1f} h"
