"""From a macro's names to the text it prints, and to where that comes from."""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import XmrError
from ..records import flat
from ..study.names import readable
from ..summary_csv import RECALLS, SUMMARY_COLUMNS, TEXT_COLUMNS
from .compare import Comparisons, difference, signed
from .fact_values import fact_value
from .facts import Missing, RecordedResults
from .groups import resolve
from .sources import Use
from .tex import escape, is_number, one_place, scientific

PUBLISHED = "published.csv"
DIRECTIONS = {"itot": "i2t", "ttoi": "t2i"}
"""By the names that sources have for them: a digit in a source would be a number that somebody typed."""
NEEDED = ("slug", "source", "dataset", "method")
"""Columns without which a published number says nothing."""


@dataclass(frozen=True)
class Value:
    """What a macro prints, and run, dataset and seeds that it comes from."""

    text: str
    origin: str


@dataclass(frozen=True)
class Values:
    """What each macro of the sources prints."""

    facts: RecordedResults
    published: dict[str, dict[str, str]]
    """Published numbers by slug."""
    comparisons: Comparisons

    @classmethod
    def of(cls, facts: RecordedResults, sources: str | Path, uses: list[Use]) -> "Values":
        """Take all uses at once: how many comparisons there are decides how sure each has to be."""
        sources = Path(sources)
        pairs = []
        for use in uses:
            if use.macro in ("compare", "comparein", "ifbetter"):
                with _at(use), _gap_in(facts):
                    runs = [resolve(facts, name) for name in use.names[-2:]]
                    if all([facts.wanted(run) for run in runs]):
                        pairs.append((*runs, _direction(use.names[0]) if use.macro == "comparein" else ""))
        return cls(facts, read_published(sources / PUBLISHED), Comparisons.of(facts, pairs))

    def value(self, use: Use) -> Value:
        """Return what a macro prints; of what is not recorded a gap, unless that stops the build.

        Raises:
            XmrError: what it names is missing, stale or unknown; the message begins with the place in the sources.
        """
        with _at(use), _gap_in(self.facts):
            return getattr(self, f"_{use.macro}")(*use.names)
        gap = {"ifbetter": "3", "ifrecorded": "0"}.get(use.macro, f"[{escape(use.names[0])}?]")
        return Value(gap, "not recorded")

    def _val(self, run: str, column: str) -> Value:
        run = resolve(self.facts, run)
        row = self.facts.row(run)
        if column not in SUMMARY_COLUMNS:
            raise XmrError(f"summary.csv has no column {column!r}; it has {', '.join(SUMMARY_COLUMNS)}")
        if column in TEXT_COLUMNS:
            return Value(escape(row[column]), self.facts.origin(run))
        if not row[column]:  # an earlier version did not record it
            return Value("--", self.facts.origin(run))
        return Value(row[column] if column == "seeds" else one_place(row[column]), self.facts.origin(run))

    def _ci(self, run: str) -> Value:
        run = resolve(self.facts, run)
        return Value(interval_text(self.facts.row(run)), self.facts.origin(run))

    def _rsum(self, run: str) -> Value:
        run = resolve(self.facts, run)
        row = self.facts.row(run)
        return Value(f"{one_place(row['rsum'])} [{interval_text(row)}]", self.facts.origin(run))

    def _name(self, run: str) -> Value:
        chosen = resolve(self.facts, run)
        return Value(readable(chosen), chosen if chosen == run else f"{chosen}, {self._chosen_from(run)}")

    def _chosen(self, group: str) -> Value:
        return self._name("@" + group)

    def _compare(self, first: str, second: str) -> Value:
        runs = self._resolved(first, second)
        return Value(self.comparisons.sentence(*runs), self._of_both(*runs))

    def _comparein(self, direction: str, first: str, second: str) -> Value:
        runs = self._resolved(first, second)
        return Value(self.comparisons.sentence(*runs, _direction(direction)), self._of_both(*runs))

    def _difference(self, first: str, second: str) -> Value:
        runs = self._resolved(first, second)
        return Value(signed(difference(self.facts, *runs)), self._of_both(*runs))

    def _points(self, first: str, second: str) -> Value:
        runs = self._resolved(first, second)
        return Value(f"{abs(difference(self.facts, *runs)):.1f}", self._of_both(*runs))

    def _ifbetter(self, first: str, second: str) -> Value:
        runs = self._resolved(first, second)
        verdict = self.comparisons.between(*runs).verdict
        return Value({1: "0", -1: "1", 0: "2"}[verdict], self._of_both(*runs))

    def _ifrecorded(self, run: str) -> Value:
        run = resolve(self.facts, run)
        self.facts.row(run)  # raises
        return Value("1", self.facts.origin(run))

    def _fact(self, key: str) -> Value:
        return Value(fact_value(self.facts, key, len(self.comparisons.pairs)), self.facts.dataset)

    def _cfg(self, run: str, field: str) -> Value:
        run = resolve(self.facts, run)
        config = self.facts.results(run)[0].config
        value = config.get(field)
        if value is None:
            raise XmrError(f"the config of {run!r} has no field {field!r}; it has {', '.join(flat(config.to_dict()))}")
        return Value(config_text(value), self.facts.origin(run))

    def _published(self, key: str, column: str) -> Value:
        if key not in self.published:
            raise XmrError(f"{PUBLISHED} has no row {key!r}; it has {', '.join(self.published)}")
        row = self.published[key]
        if column not in row or not row[column]:
            raise XmrError(f"{PUBLISHED}: {key!r} has nothing in a column {column!r}")
        self.facts.note(f"published {key} {column}", row[column].encode())
        return Value(escape(row[column]), f"{PUBLISHED}, {row['source']}")

    def _imagerow(self, run: str, column: str) -> Value:
        rows = self.facts.image_rows()
        if run not in rows or column not in rows[run]:
            said = (
                f"image_retrieval.csv has no {column!r} of {run!r}; runs: {', '.join(rows)}; columns: "
                f"{', '.join(next(iter(rows.values())))}"
            )
            raise XmrError(said) if run in rows else Missing(said, run)
        text = rows[run][column]
        number = is_number(text) and column not in ("seeds", "queries")
        return Value(one_place(text) if number else escape(text), f"{run}, {self.facts.dataset}, image_retrieval.csv")

    def _resolved(self, first: str, second: str) -> tuple[str, str]:
        return resolve(self.facts, first), resolve(self.facts, second)

    def _of_both(self, first: str, second: str) -> str:
        return f"{self.facts.origin(first)}; {self.facts.origin(second)}"

    def _chosen_from(self, group: str) -> str:
        return f"{self.facts.dataset}, the highest val_rsum of the group {group[1:]}"


def _direction(name: str) -> str:
    if name not in DIRECTIONS:
        raise XmrError(f"no direction is called {name!r}; there are {', '.join(DIRECTIONS)}")
    return DIRECTIONS[name]


@contextmanager
def _gap_in(facts: RecordedResults) -> Iterator[None]:
    """Go on without what is not recorded, unless that stops the build."""
    try:
        yield
    except Missing as error:
        if facts.strict:
            raise
        facts.gaps.add(error.what)


@contextmanager
def _at(use: Use) -> Iterator[None]:
    """Say where in the sources a thing is named that can't be had."""
    try:
        yield
    except XmrError as error:
        raise XmrError(f"{use.place}: \\{use.macro}: {error}") from None


def interval_text(row: dict[str, str]) -> str:
    """Return the 95 % interval of rSum as TeX."""
    return f"{one_place(row['rsum_low'])}--{one_place(row['rsum_high'])}"


def config_text(value: object) -> str:
    """Return a field of a config as TeX."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return scientific(value) if 0 < value < 0.01 else f"{value:g}"
    if isinstance(value, list):
        return ", ".join(config_text(item) for item in value)
    return escape(str(value))


def read_published(path: str | Path) -> dict[str, dict[str, str]]:
    """Read published numbers by slug.

    Raises:
        XmrError: the file is missing, a row lacks one of ``NEEDED``, a slug stands twice, or a recall is no number.
    """
    path = Path(path)
    if not path.is_file():
        raise XmrError(f"{path}: the published numbers are missing")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    slugs = [row.get("slug") for row in rows]
    if not rows or not all(row.get(column) for row in rows for column in NEEDED) or len(set(slugs)) < len(slugs):
        raise XmrError(f"{path}: each row needs a 'slug' of its own and {', '.join(map(repr, NEEDED[1:]))}")
    for row in rows:
        if None in row or None in row.values():
            raise XmrError(f"{path}: {row['slug']!r} has more or fewer cells than the first line has columns")
        for column in RECALLS:
            if row.get(column) and not is_number(row[column]):
                raise XmrError(f"{path}: {row['slug']!r}: {column} is {row[column]!r}; write a number such as 45.2")
        if row.get("cite") and not re.fullmatch(r"[\w:.+/,-]+", row["cite"], re.ASCII):
            raise XmrError(f"{path}: {row['slug']!r}: cite is {row['cite']!r}; write a key of main.bib, or keys: a,b")
    return {row["slug"]: row for row in rows}
