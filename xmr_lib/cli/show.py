"""What commands print: rows of ``summary.csv``, and times."""

from pathlib import Path


def summary_text(path: Path, models: list[str] | None = None) -> str:
    """Return the recalls of all models of a ``summary.csv``, or of those named, in columns."""
    from ..records import RECALLS, read_summary

    columns = ("run", *RECALLS, "rsum_low", "rsum_high", "chance_rsum")
    rows = [
        {column: row[column] if column == "run" else f"{float(row[column]):.1f}" for column in columns}
        for row in read_summary(path)
        if models is None or row["run"] in models
    ]
    widths = [max(len(column), *(len(row[column]) for row in rows)) for column in columns]
    lines = [columns, *([row[column] for column in columns] for row in rows)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def times_text(seconds: dict[str, float]) -> str:
    """Return what took how long, a line each, and all together."""
    rows = [*seconds.items(), ("all", sum(seconds.values()))]
    return "\n".join(f"{name:28} {value:7.1f} s" for name, value in rows)
