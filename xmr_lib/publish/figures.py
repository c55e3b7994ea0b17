"""The figures of the documents: which facts each takes, and which function draws it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from ..errors import XmrError
from ..figures import paper, save_vector
from .facts import Facts
from .table_rows import HEADLINE, TABLES, Line

TRACKS = {"clean": "clean", "open": "open: its BERT knows Flickr"}
LEARNING = TABLES["losses"][0]
"""Runs whose training is drawn."""


@dataclass(frozen=True)
class Drawn:
    """A figure that is drawn from facts."""

    gather: Callable[[Facts], tuple]
    """Reads the facts; what it reads decides whether the figure is drawn again."""
    draw: Callable[..., Figure]


def _labels(lines: tuple[Line, ...]) -> list[str]:
    return [line.label for line in lines]


def _recalls(facts: Facts) -> tuple:
    return _labels(HEADLINE), [facts.ranks(line.run) for line in HEADLINE], facts.results(HEADLINE[0].run)[0].chance


def _rsums(facts: Facts) -> tuple:
    rows = [facts.row(line.run) for line in HEADLINE]
    intervals = [(float(row["rsum_low"]), float(row["rsum_high"])) for row in rows]
    return _labels(HEADLINE), [float(row["rsum"]) for row in rows], intervals, [TRACKS[row["track"]] for row in rows]


def _learning(facts: Facts) -> tuple:
    return _labels(LEARNING), [facts.results(line.run) for line in LEARNING]


FIGURES: dict[str, Drawn] = {
    "recall_bars": Drawn(_recalls, paper.recall_lines),
    "rsum_all": Drawn(_rsums, paper.rsum_lines),
    "training_curves": Drawn(_learning, paper.learning_lines),
}


def gather(facts: Facts, name: str) -> tuple:
    """Read the facts of a figure.

    Raises:
        XmrError: there is no figure of that name, or a fact is missing or stale.
    """
    if name not in FIGURES:
        raise XmrError(f"figure {name}: there is none of this name; there are {', '.join(FIGURES)} and the galleries")
    try:
        return FIGURES[name].gather(facts)
    except XmrError as error:
        raise XmrError(f"figure {name}: {error}") from None


def draw(name: str, gathered: tuple, path: Path) -> None:
    """Draw a figure into a PDF with vector graphics, at the size that it has."""
    figure = FIGURES[name].draw(*gathered)
    save_vector(figure, path)
    plt.close(figure)
