"""The figures of the documents: which facts each takes, and which function draws it."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from .. import figures
from ..errors import XmrError
from ..figures import COLUMN, save_figure
from ..figures.style import use_style
from ..metrics import Ranks, difference_interval
from ..study.names import NAMES
from ..study.table_rows import HEADLINE, TABLES, Line
from ..study.waterfall import STEPS, recorded_steps
from .facts import Missing, RecordedResults
from .plot_facts import batch_points, box_points, gaps, plot_facts, rank_shares

LEARNING = TABLES["losses"][0]
"""Runs whose training is drawn."""
SPREAD = ("cca-mean", "a-recipe", "ab-infonce-meanmax", "f-words-late")
"""Runs whose ranks are drawn one beside the other."""
LOSSES = {line.run: line.label for line in LEARNING}
LABELS = NAMES | LOSSES | {line.run: line.label for line in HEADLINE}


@dataclass(frozen=True)
class Drawn:
    """A figure that is drawn from facts."""

    gather: Callable[[RecordedResults], tuple]
    """Reads the facts; what it reads decides whether the figure is drawn again."""
    draw: Callable[..., Figure]


def _headline(facts: RecordedResults) -> list[Line]:
    return [line for line in HEADLINE if facts.has(line)]


def _recalls(facts: RecordedResults) -> tuple:
    runs = [line.run for line in _headline(facts)]
    return [facts.results(run) for run in runs], [facts.ranks(run) for run in runs]


def _rsums(facts: RecordedResults) -> tuple:
    lines = _headline(facts)
    rows = [facts.row(line.run) for line in lines]
    intervals = [(float(row["rsum_low"]), float(row["rsum_high"])) for row in rows]
    kinds = [int(row["track"] != "clean") for row in rows]
    return [line.label for line in lines], [float(row["rsum"]) for row in rows], intervals, kinds


def _learning(facts: RecordedResults) -> tuple:
    return ([facts.results(line.run) for line in LEARNING if facts.wanted(line.run)],)


def _times(facts: RecordedResults) -> tuple:
    rows = pd.DataFrame([facts.row(line.run) for line in _headline(facts)])
    numbers = ["cpu_minutes", "rsum", "rsum_low", "rsum_high"]
    return (rows[["run", "task"]].join(rows[numbers].astype(float)),)


def _steps(facts: RecordedResults) -> tuple:
    recorded = [step for step in STEPS if step.run in facts.rows]
    if len(recorded) < 2:
        raise Missing(f"{facts.folder}: the steps to the best model are not recorded", "waterfall")
    for step in recorded:
        facts.ranks(step.run)
    steps, models = zip(*recorded_steps(facts.folder), strict=True)
    return [step.change for step in steps], [own.mean("rsum") for own in models], [own.ranks for own in models]


def _draw_steps(changes: list[str], scores: list[float], ranks: list[Sequence[Ranks]]) -> Figure:
    intervals = [difference_interval(before, after) for before, after in itertools.pairwise(ranks)]
    return figures.waterfall_figure(changes, scores, intervals, width=COLUMN)


def _draw_space(points: pd.DataFrame) -> Figure:
    return figures.shared_space(points[points["model"] == points["model"].iloc[0]], width=COLUMN)


FIGURES: dict[str, Drawn] = {
    "recall_bars": Drawn(_recalls, partial(figures.recall_bars, cutoffs=(1,), width=COLUMN, names=LABELS)),
    "rsum_all": Drawn(_rsums, partial(figures.interval_figure, label="rSum on test, 95 % interval", width=COLUMN)),
    "batch_size": Drawn(lambda facts: (batch_points(facts),), partial(figures.batch_size_figure, width=COLUMN)),
    "detector_quality": Drawn(
        lambda facts: (box_points(facts),), partial(figures.detector_quality_figure, width=COLUMN)
    ),
    "training_curves": Drawn(_learning, partial(figures.training_curves, width=COLUMN, names=LOSSES)),
    "rank_distribution": Drawn(
        lambda facts: (rank_shares(facts, runs := list(filter(facts.wanted, SPREAD))), runs),
        partial(figures.rank_distribution, width=COLUMN, names=LABELS),
    ),
    "shared_space": Drawn(lambda facts: (plot_facts(facts, "shared_space"),), _draw_space),
    "waterfall": Drawn(_steps, _draw_steps),
    "modality_gap": Drawn(gaps, partial(figures.modality_gap, width=COLUMN, names=LABELS)),
    "time_accuracy": Drawn(_times, partial(figures.time_accuracy, width=COLUMN, names=LABELS)),
}


def gather(facts: RecordedResults, name: str) -> tuple:
    """Read the facts of a figure.

    Raises:
        XmrError: there is no figure of that name, or a fact is missing or stale.
    """
    if name not in FIGURES:
        raise XmrError(f"figure {name}: there is none of this name; there are {', '.join(FIGURES)} and the galleries")
    try:
        return FIGURES[name].gather(facts)
    except Missing as error:
        raise Missing(f"figure {name}: {error}", error.what) from None
    except XmrError as error:
        raise XmrError(f"figure {name}: {error}") from None


def draw(name: str, gathered: tuple, folder: str | Path) -> Path:
    """Draw a figure into ``<folder>/<name>.pdf``, as vectors at the size that it is printed in."""
    figure = FIGURES[name].draw(*gathered)
    path = save_figure(figure, folder, name, "pdf")
    plt.close(figure)
    return path


def draw_gap(path: str | Path) -> None:
    """Draw a frame that stands for a figure whose facts are not recorded."""
    path = Path(path)
    use_style(COLUMN)
    figure, axes = plt.subplots(figsize=(COLUMN, COLUMN / 3))
    axes.set(xticks=[], yticks=[])
    axes.text(0.5, 0.5, f"{path.stem}: not recorded", ha="center", va="center", transform=axes.transAxes)
    save_figure(figure, path.parent, path.stem, "pdf")
    plt.close(figure)
