"""``summary.csv``: the table of record of a dataset, one row per model; read without torch."""

import csv
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from .csv_rows import csv_rows
from .paths import atomic_write

FACTS = ("task", "track", "image_features", "text_features", "aggregation")
FACTS_2 = ("image_aggregation", "bank", "device")
RECALLS = ("i2t_r1", "i2t_r5", "i2t_r10", "t2i_r1", "t2i_r5", "t2i_r10", "rsum")
REST = ("rsum_low", "rsum_high", "cpu_minutes", "val_rsum", "i2t_medr", "t2i_medr", "chance_rsum")
COLUMNS_1 = ("run", *FACTS, "loss", "seeds", *RECALLS, *REST)
"""Of ``summary.csv``, version 1."""
COLUMNS_2 = (*COLUMNS_1, "image_aggregation", "bank", "wall_minutes", "device")
"""Of version 2 before scores with the query bank were recorded."""
SUMMARY_COLUMNS = (*COLUMNS_2, "val_rsum_bank", "rsum_bank")
"""Of ``summary.csv``: what an earlier version did not record is empty. ``bank``: queries that all scores of the row are
normalised by; ``…_bank``: rSum of the same model with the order normalised by its own bank of training queries, whose β
this very validation split chose."""
TEXT_COLUMNS = ("run", *FACTS, "loss", *FACTS_2)
"""Columns that hold no number."""


def update_summary(results: str | Path, rows: Sequence[dict[str, object]]) -> Path:
    """Put rows into ``summary.csv``, in place of those of the same run; the order is by name."""
    results = Path(results)
    path = results / "summary.csv"
    results.mkdir(parents=True, exist_ok=True)
    with FileLock(str(path) + ".lock"):
        merged = {row["run"]: row for row in (*read_summary(path), *rows)}
        with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, SUMMARY_COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(merged[name] for name in sorted(merged, key=str))
    return path


def read_summary(path: str | Path) -> list[dict[str, str]]:
    """Read ``summary.csv``; what an earlier version did not record is empty, and an absent file has no rows.

    Raises:
        XmrError: its columns are not those of this version, or it is damaged.
    """
    headers = (SUMMARY_COLUMNS, COLUMNS_2, COLUMNS_1)
    rows = csv_rows(path, headers, ("run", *TEXT_COLUMNS), "move it away: 'xmr run' makes it anew from the runs")
    return [dict.fromkeys(SUMMARY_COLUMNS, "") | row for row in rows]
