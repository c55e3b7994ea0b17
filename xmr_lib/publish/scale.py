"""What far more pairs would take, from what was measured on this machine: nothing of it was run."""

from collections.abc import Mapping, Sequence

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
RATES = ("pictures", "captions", "pairs")
_ENGINE_NUMBERS = (
    *("vectors", "recall_at_10", "queries_per_second", "batch_queries_per_second", "build_seconds", "open_seconds"),
    *("search_private_mb", "build_private_mb", "disk_mb"),
)


def scale_tex(facts: RecordedResults) -> str:
    """Return the table: times and sizes grow with the number of pairs, but for a query of a graph, which is left out.

    Raises:
        XmrError: a measurement is missing or damaged.
    """
    command, columns = "benchmarks/rates.py", ("name", "value", "unit")
    measured = facts.of_software("bench rates", "bench/rates.csv", columns, ("name", "unit"), command)
    rate = {row["name"]: float(row["value"]) for row in measured}
    _need(RATES, rate, "bench rates", command)
    command, columns = "make bench LONG=1", ("engine", *_ENGINE_NUMBERS, "note")
    measured = facts.of_software("bench engines", "bench/engines.csv", columns, ("engine", "note"), command)
    engines = {row["engine"]: row for row in measured if int(row["vectors"]) == MEASURED}
    _need(ENGINES, engines, "bench engines", command)
    exact, graph = (engines[engine] for engine in ENGINES)
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


def _need(names: Sequence[str], rows: Mapping[str, object], what: str, command: str) -> None:
    if missing := [name for name in names if name not in rows]:
        raise Missing(f"{what}: nothing measured of {', '.join(missing)}; '{command}' makes it", what)


def _power(size: int) -> str:
    return f"$10^{{{len(str(size)) - 1}}}$"


def _shown(value: float) -> str:
    """Return a number with two digits that count, or whole."""
    return count(round(value)) if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"
