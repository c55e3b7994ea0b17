"""What far more pairs would take, from what was measured on this machine: nothing of it was run."""

from pathlib import Path

from ..csv_rows import csv_rows
from ..paths import reference_root
from ..study.rows import STUDY
from .facts import Missing, RecordedResults
from .tabular import Cell, Column, Row, tabular
from .tex import count

SIZES = (10**6, 10**8)
"""Pairs: as many images, with one caption each."""
IMAGE_BYTES, EMBED_BYTES = 4 * 1280, 4 * 512
"""Of a stored feature of EfficientNet-Lite0, and of an embedding, in single precision."""
MEASURED = 10**6
"""Vectors that the engines were measured with."""
ENGINES = ("exact float16", "faiss")
_ENGINE_NUMBERS = (
    *("vectors", "recall_at_10", "queries_per_second", "batch_queries_per_second", "build_seconds", "open_seconds"),
    *("search_private_mb", "build_private_mb", "disk_mb"),
)


def scale_tex(facts: RecordedResults) -> str:
    """Return the table: times and sizes grow with the number of pairs, but for a query of a graph, which is left out.

    Raises:
        XmrError: a measurement is missing or damaged.
    """
    rates = _read(facts, "rates", ("name", "value", "unit"), ("name", "unit"), "benchmarks/rates.py")
    rate = {row["name"]: float(row["value"]) for row in rates}
    columns = ("engine", *_ENGINE_NUMBERS, "note")
    measured = _read(facts, "engines", columns, ("engine", "note"), "make bench LONG=1")
    exact, graph = (
        next(row for row in measured if (row["engine"], int(row["vectors"])) == (engine, MEASURED))
        for engine in ENGINES
    )
    rows: list[tuple[str, str, float]] = [
        ("features of the images", "h", 1 / rate["pictures"] / 3600),
        ("MiniLM over the captions", "h", 1 / rate["captions"] / 3600),
        ("features of the images, stored", "GB", IMAGE_BYTES / 1e9),
        (f"training, {STUDY['epochs']} epochs", "h", STUDY["epochs"] / rate["pairs"] / 3600),
        ("embeddings of one side", "GB", EMBED_BYTES / 1e9),
        ("exact search: index, half precision", "GB", float(exact["disk_mb"]) / 1e3 / MEASURED),
        ("exact search: a query", "s", 1 / float(exact["queries_per_second"]) / MEASURED),
        ("graph (HNSW): to build", "h", float(graph["build_seconds"]) / 3600 / MEASURED),
        ("graph: memory while it is built", "GB", float(graph["build_private_mb"]) / 1e3 / MEASURED),
    ]
    headings = [Column("", "l", best="none"), Column("", "l", best="none")]
    headings += [Column(f"{_power(size)} pairs", best="none") for size in SIZES]
    lines = [
        Row([Cell(name), Cell(unit), *(Cell(_shown(per_pair * size)) for size in SIZES)])
        for name, unit, per_pair in rows
    ]
    return tabular(headings, [("", lines)])


def _read(facts: RecordedResults, name: str, columns: tuple, words: tuple, command: str) -> list[dict[str, str]]:
    path: Path = reference_root() / "bench" / f"{name}.csv"
    rows = csv_rows(path, [columns], words, f"'{command}' makes it anew")
    if not rows:
        raise Missing(f"{path}: not there; '{command}' makes it", f"bench {name}")
    facts.note(f"bench {name}", path.read_bytes())
    return rows


def _power(size: int) -> str:
    return f"$10^{{{len(str(size)) - 1}}}$"


def _shown(value: float) -> str:
    """Return a number with two digits that count, or whole."""
    return count(round(value)) if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"
