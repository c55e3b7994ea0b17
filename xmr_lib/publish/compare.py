"""Which of two models is better, by the paired test; what sentences say follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..metrics import holm, paired_test
from ..study.names import readable
from .facts import RecordedResults

LEVEL, FIRM = 0.05, 0.005
"""Below the first a comparison is decided; a p that is not above the second is not printed, the text says so once."""


@dataclass(frozen=True)
class Comparison:
    """Two runs, each the mean of all its seeds."""

    difference: float
    """rSum of the first less that of the second, in points."""
    p: float
    """Of the paired randomisation test, adjusted for all comparisons of the documents (Holm)."""

    @property
    def verdict(self) -> int:
        """1: the first is higher, −1: lower, 0: undecided."""
        return int(np.sign(self.difference)) if self.p < LEVEL else 0


@dataclass(frozen=True)
class Comparisons:
    """All pairs of runs that the documents compare: their number decides how sure one has to be."""

    facts: RecordedResults
    pairs: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, facts: RecordedResults, pairs: Sequence[tuple[str, str]]) -> "Comparisons":
        """Take pairs in either order and any number of times; a run compared with itself is none."""
        return cls(facts, tuple(sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})))

    @cached_property
    def p_values(self) -> dict[tuple[str, str], float]:
        raw = [paired_test(self.facts.ranks(first), self.facts.ranks(second)) for first, second in self.pairs]
        return dict(zip(self.pairs, holm(raw), strict=True))

    def between(self, first: str, second: str) -> Comparison:
        """Compare two runs.

        Raises:
            XmrError: a run or its ranks are missing.
        """
        # First: it says which run is missing.
        points = difference(self.facts, first, second)
        return Comparison(points, 1.0 if first == second else self.p_values[min(first, second), max(first, second)])

    def sentence(self, first: str, second: str) -> str:
        """Return a verb phrase with the first as its subject."""
        if first == second:
            return f"is the very model called {readable(second)}"
        found, name = self.between(first, second), readable(second)
        if not found.verdict:
            return f"cannot be told apart from {name} (difference {signed(found.difference)}, {p_text(found.p)})"
        way = "higher" if found.verdict > 0 else "lower"
        doubt = f" ({p_text(found.p)})" if found.p > FIRM else ""
        return f"scores {abs(found.difference):.1f} {way} than {name}{doubt}"

    def note_facts(self) -> None:
        """Count the ranks of all pairs among the facts that were asked for, without testing them."""
        for run in {run for pair in self.pairs for run in pair}:
            self.facts.ranks(run)


def difference(facts: RecordedResults, first: str, second: str) -> float:
    """Return by how much the first has the higher rSum, each the mean of its seeds: what the tables' rows differ by."""
    means = [np.mean([result.test["rsum"] for result in facts.results(run)]) for run in (first, second)]
    return float(means[0] - means[1])


def signed(value: float) -> str:
    """Return a difference with its sign, as TeX: a true minus."""
    return f"{value:+.1f}".replace("-", "$-$").replace("+", "$+$") if round(value, 1) else "0.0"


def p_text(p: float) -> str:
    """Return ``$p=0.012$`` or ``$p<0.001$``; a p that would round to the level says on which side it is."""
    if p < 0.001:
        return "$p<0.001$"
    return f"$p={p:.4f}$" if round(p, 3) == LEVEL and p != LEVEL else f"$p={p:.3f}$"
