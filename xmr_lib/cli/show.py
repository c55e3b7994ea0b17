"""What commands print: rows of ``summary.csv``, and what something took."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..usage import Usage


NUMBERS = ("rsum", "rsum_low", "rsum_high", "cpu_minutes")
"""Columns of ``summary.csv`` that the list of models shows."""


def summary_text(path: Path, models: list[str] | None = None) -> str:
    """Return the recalls of all models of a ``summary.csv``, or of those named, in columns."""
    from ..summary_csv import RECALLS, read_summary

    columns = ("run", *RECALLS, "rsum_low", "rsum_high", "chance_rsum", "rsum_bank")
    found = [row for row in read_summary(path) if models is None or row["run"] in models]
    columns = [column for column in columns if any(row[column] for row in found)]
    rows = [{column: _shown(column, row[column]) for column in columns} for row in found]
    widths = [max(len(column), *(len(row[column]) for row in rows)) for column in columns]
    lines = [columns, *([row[column] for column in columns] for row in rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def _shown(column: str, value: str) -> str:
    return value if column == "run" or not value else f"{float(value):.1f}"


def models_text(path: str | Path, width: int | None = None) -> str:
    """Return all models of the study in columns, with what a ``summary.csv`` says of those that are recorded there.

    Args:
        path: the table of record.
        width: characters of a line, at which what a model changes of the default config is cut off.
    """
    from ..study.rows import ALIASES, MODELS
    from ..summary_csv import read_summary

    recorded = {row["run"]: row for row in read_summary(path)}
    lines = [("model", "rSum", "95 %", "min", "seeds", "what it changes of the default config")]
    for name, fields in MODELS.items():
        changes, row = ", ".join(f"{key}={value}" for key, value in fields.items()), recorded.get(name)
        if row is None:
            lines.append((name, "-", "", "", "", changes))
            continue
        score, low, high, minutes = (_shown(own, row[own]) for own in NUMBERS)
        lines.append((name, score, f"{low}-{high}", minutes, row["seeds"], changes))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)][:-1]
    shown = [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:-1], widths[1:]), line[-1]]).rstrip()
        for line in lines
    ]
    shown = [line if width is None or len(line) <= width else f"{line[: width - 1]}…" for line in shown]
    missing = [name for name in MODELS if name not in recorded]
    told = f"\nnot recorded there: {', '.join(missing)}" if missing else ""
    also = "; ".join(f"{alias} is {name}" for alias, name in ALIASES.items())
    return "\n".join(shown) + f"\n\ntest rSum, processor minutes per seed: {path}{told}\n{also}"


def agreement_text(path: str | Path, reference: str | Path) -> str:
    """Return in a line how far rSums agree with those in git; another number of threads gives others."""
    from ..summary_csv import read_summary

    theirs = {row["run"]: row for row in read_summary(reference)}
    both = [(row, theirs[row["run"]]) for row in read_summary(path) if row["run"] in theirs]
    if not both:
        return f"nothing to compare with in {reference}"
    same = sum(f"{float(own['rsum']):.1f}" == f"{float(other['rsum']):.1f}" for own, other in both)
    outside = [
        own["run"]
        for own, other in both
        if not float(other["rsum_low"]) <= float(own["rsum"]) <= float(other["rsum_high"])
    ]
    within = f"{same} have the same rSum, {len(both) - len(outside)} lie in its interval"
    told = f"; outside: {', '.join(outside)}" if outside else ""
    return f"{len(both)} rows beside those in git: {within}{told}"


def usage_text(took: "dict[str, Usage]") -> str:
    """Return how long what took and how much memory, a line each, and all together."""
    rows = [(name, own.seconds, own.peak_bytes) for name, own in took.items()]
    rows.append(("all", sum(own.seconds for own in took.values()), max(own.peak_bytes for own in took.values())))
    return "\n".join(f"{name:28} {seconds:7.1f} s   {peak / 2**30:5.1f} GiB at most" for name, seconds, peak in rows)
