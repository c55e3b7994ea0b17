"""Facts that figures are drawn from, beside the tables: ids and numbers in ``<results>/<dataset>/plotdata/*.csv``."""

from pathlib import Path

import pandas as pd

from .errors import XmrError, reading
from .paths import atomic_write

COLUMNS = {
    "shared_space": ("model", "method", "stage", "modality", "image", "x", "y", "topic"),
    "modality_gap": (
        *("run", "stage", "temperature", "gap", "pair_distance", "other_distance", "share", "rsum", "rsum_closed"),
    ),
    "gap_closing": ("run", "temperature", "closed", "loss", "rsum"),
    "rank_distribution": ("run", "direction", "rank", "share"),
    "detector_quality": ("regions", "map50", "seed", "val_rsum"),
    "training_curves": ("run", "seed", "epoch", "loss", "val_rsum"),
}
"""File → columns. No file holds a caption: images are named by their ids, topics by one word."""


def write_plotdata(results: str | Path, name: str, table: pd.DataFrame) -> Path:
    """Write one file, whole or not at all; ``results`` is the dataset's folder. Numbers get four decimals.

    Raises:
        XmrError: an unknown file, or other columns than its own.
    """
    results = Path(results)
    path = _path(results, name)
    if tuple(table.columns) != COLUMNS[name]:
        raise XmrError(f"{path}: has the columns {', '.join(COLUMNS[name])}, not {', '.join(map(str, table.columns))}")
    with atomic_write(path) as temporary:
        table.to_csv(temporary, index=False, lineterminator="\n", float_format="%.4f")
    return path


def read_plotdata(results: str | Path, name: str) -> pd.DataFrame:
    """Read one file; an empty cell is NaN.

    Raises:
        XmrError: an unknown file, none there, or other columns than its own.
    """
    results = Path(results)
    path = _path(results, name)
    if not path.is_file():
        raise XmrError(f"{path}: not there; notebook 08 writes it (xmr run --only 08)")
    # A topic may be called "none" or "nan": words stay words, and only an empty cell is missing.
    with reading(path, "data of a figure as they were written", "run notebook 08 again (xmr run --only 08)"):
        table = pd.read_csv(path, keep_default_na=False, na_values={column: [""] for column in COLUMNS[name]})
    if tuple(table.columns) != COLUMNS[name]:
        raise XmrError(f"{path}: its columns are not those of this version; run notebook 08 again")
    return table


def _path(results: Path, name: str) -> Path:
    if name not in COLUMNS:
        raise XmrError(f"plotdata {name!r} is unknown; there are {', '.join(COLUMNS)}")
    return results / "plotdata" / f"{name}.csv"
