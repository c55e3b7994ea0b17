"""Which of two models is better, by the paired test; what sentences say follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..metrics import difference_interval, holm, paired_test
from ..study.names import readable
from ..summary_csv import RECALLS
from .facts import RecordedResults

LEVEL, FIRM = 0.05, 0.005
"""Below the first a comparison is decided; a p that is not above the second is not printed, the text says so once."""


@dataclass(frozen=True)
class Comparison:
    """Two runs, each the mean of all its seeds."""

    difference: float
    """rSum (or one direction's part of it) of the first less that of the second, in points."""
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
    pairs: tuple[tuple[str, str, str], ...]
    """Two runs and the direction whose recalls are compared (``i2t``, ``t2i``); empty: rSum."""

    @classmethod
    def of(cls, facts: RecordedResults, pairs: Sequence[tuple[str, str, str]]) -> "Comparisons":
        """Take pairs in either order and any number of times; a run compared with itself is none."""
        return cls(facts, tuple(sorted({_key(*pair) for pair in pairs if pair[0] != pair[1]})))

    @cached_property
    def p_values(self) -> dict[tuple[str, str, str], float]:
        raw = [
            paired_test(self.facts.ranks(first), self.facts.ranks(second), directions=(own,) if own else ("i2t", "t2i"))
            for first, second, own in self.pairs
        ]
        return dict(zip(self.pairs, holm(raw), strict=True))

    def between(self, first: str, second: str, direction: str = "") -> Comparison:
        """Compare two runs, by rSum or by the recalls of one direction.

        Raises:
            XmrError: a run or its ranks are missing.
        """
        # First: it says which run is missing.
        points = difference(self.facts, first, second, direction)
        return Comparison(points, 1.0 if first == second else self.p_values[_key(first, second, direction)])

    def sentence(self, first: str, second: str, direction: str = "") -> str:
        """Return a verb phrase with the first as its subject; of rSum that is undecided, with its 95 % interval."""
        if first == second:
            return f"is the very model called {readable(second)}"
        found, name = self.between(first, second, direction), readable(second)
        if not found.verdict:
            interval = "" if direction else f" [{self._interval(first, second)}]"
            points = f"{signed(found.difference)}{interval}"
            return f"cannot be told apart from {name} (difference {points}, {p_text(found.p)})"
        way = "higher" if found.verdict > 0 else "lower"
        doubt = f" ({p_text(found.p)})" if found.p > FIRM else ""
        return f"scores {abs(found.difference):.1f} {way} than {name}{doubt}"

    def _interval(self, first: str, second: str) -> str:
        low, high = difference_interval(self.facts.ranks(second), self.facts.ranks(first))
        return f"{signed(low)}, {signed(high)}"

    def note_facts(self) -> None:
        """Count the ranks of all pairs among the facts that were asked for, without testing them."""
        for run in {run for pair in self.pairs for run in pair[:2]}:
            self.facts.ranks(run)


def difference(facts: RecordedResults, first: str, second: str, direction: str = "") -> float:
    """Return by how much the first has the higher rSum, each the mean of its seeds: what the tables' rows differ by.

    Args:
        direction: ``i2t`` or ``t2i``: the sum of its recalls alone; empty: rSum.
    """
    metrics = [name for name in RECALLS[:-1] if name.startswith(direction)]
    means = [
        np.mean([sum(result.test[name] for name in metrics) for result in facts.results(run)])
        for run in (first, second)
    ]
    return float(means[0] - means[1])


def _key(first: str, second: str, direction: str) -> tuple[str, str, str]:
    return min(first, second), max(first, second), direction


def signed(value: float) -> str:
    """Return a difference with its sign, as TeX: a true minus."""
    return f"{value:+.1f}".replace("-", "$-$").replace("+", "$+$") if round(value, 1) else "0.0"


def p_text(p: float) -> str:
    """Return ``$p=0.012$`` or ``$p<0.001$``; a p that would round to the level says on which side it is."""
    if p < 0.001:
        return "$p<0.001$"
    return f"$p={p:.4f}$" if round(p, 3) == LEVEL and p != LEVEL else f"$p={p:.3f}$"
