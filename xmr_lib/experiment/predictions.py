"""What a recorded run finds, in files that other programs read: CSV, Parquet, and TREC's run and qrels."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float
from tqdm import tqdm

from ..data.ids import caption_names, image_names
from ..errors import XmrError
from ..metrics.recall import CUTOFFS
from ..metrics.top_lists import DIRECTIONS, TopLists, top_lists
from ..paths import atomic_write, reference_root
from ..records import Result
from .run import embed, open_run

COLUMNS = ("query", "query_kind", "rank", "item", "score", "relevant")
SCHEMA = pa.schema(
    zip(COLUMNS, (pa.string(), pa.string(), pa.int32(), pa.string(), pa.float32(), pa.int8()), strict=True)
)
SPLITS = ("test", "val")
BLOCK = 4096
"""Embeddings in one row group of a Parquet file."""


@dataclass(frozen=True)
class Asked:
    """One direction: who asks, who answers, and which pairs are right, by name."""

    direction: str
    kind: str
    queries: Sequence[str]
    items: Sequence[str]
    right: Sequence[tuple[str, str]]


def predict(
    run_folder: str | Path,
    data: str | Path | None = None,
    split: str = "test",
    directions: Sequence[str] = DIRECTIONS,
    top: int = 10,
    out: str | Path | None = None,
    embeddings: bool = False,
) -> Iterator[str]:
    """Write what a run finds for each query of a split; yield what to print, a line per file.

    Args:
        run_folder: ``runs/<dataset>/runs/<model>/seed<k>``.
        data: see ``Workspace``.
        split: ``test`` or ``val``.
        directions: ``i2t``, images search captions, and ``t2i``.
        top: items per query; at most all.
        out: folder to write to, over what is there; empty: ``predictions/`` in the run's.
        embeddings: also write the vectors of the split's images and captions.

    Raises:
        XmrError: there is no run, its data are others now, ``top`` is below 1, or the recalls of the lists are not
            those recorded.
    """
    if top < 1:
        raise XmrError(f"top {top}: a list has at least 1 item")
    if split not in SPLITS:
        raise XmrError(f"split {split!r} is unknown; there are {', '.join(SPLITS)}")
    if unknown := [name for name in directions if name not in DIRECTIONS]:
        raise XmrError(f"direction {unknown[0]!r} is unknown; there are {', '.join(DIRECTIONS)}")
    if not out and Path(run_folder).resolve().is_relative_to(reference_root().resolve()):
        raise XmrError(f"{run_folder}: this run is of the reference, which is in git; name another folder with --out")
    folder = Path(out).expanduser() if out else Path(run_folder) / "predictions"
    return _predict(run_folder, data, split, directions, top, folder, embeddings)


def _predict(
    run_folder: str | Path,
    data: str | Path | None,
    split: str,
    directions: Sequence[str],
    top: int,
    folder: Path,
    embeddings: bool,
) -> Iterator[str]:
    workspace, result = open_run(run_folder, data)
    part = workspace.usable(result.config).split(split)
    images, captions = image_names(part), caption_names(part)
    vectors = embed(workspace, result, split)
    if embeddings:
        for kind, names, own in zip(("images", "captions"), (images, captions), vectors, strict=True):
            yield from write_embeddings(folder / f"{split}.{kind}", names, own)
    owners = [images[image] for image in part.image_of_caption]
    for direction in directions:
        by_image = direction == "i2t"
        asked = Asked(
            direction,
            "image" if by_image else "caption",
            *((images, captions) if by_image else (captions, images)),
            list(zip(owners, captions, strict=True) if by_image else zip(captions, owners, strict=True)),
        )
        lists = top_lists(*vectors, part.image_of_caption, direction, top, result.config.distance)
        yield from _write_lists(folder / f"{split}.{direction}", asked, lists, top, result, split == "test")
        yield _write_qrels(folder / f"{split}.{direction}.qrels", asked)


def write_embeddings(stem: str | Path, names: Sequence[str], vectors: Float[np.ndarray, "items embed"]) -> list[str]:
    """Write vectors as ``.npy`` with ``.ids.txt``, a name a line, and as ``.parquet`` (id, vector); return lines."""
    stem = str(stem)
    size = f"{len(vectors):,} × {vectors.shape[1]:,}"
    with atomic_write(f"{stem}.npy") as path, path.open("wb") as file:
        np.save(file, vectors)
    with atomic_write(f"{stem}.ids.txt") as path:
        path.write_text("".join(f"{name}\n" for name in names), "utf-8")
    schema = pa.schema([("id", pa.string()), ("vector", pa.list_(pa.float32(), vectors.shape[1]))])
    with atomic_write(f"{stem}.parquet") as path, pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(vectors), BLOCK):
            part = slice(start, start + BLOCK)
            flat = pa.array(vectors[part].astype(np.float32).reshape(-1))
            rows = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
            writer.write_table(pa.table([pa.array(names[part], pa.string()), rows], schema=schema))
    return [f"{stem}.npy: {size}", f"{stem}.ids.txt: {len(names):,} names", f"{stem}.parquet: {size}"]


def _write_lists(
    stem: Path, asked: Asked, lists: Iterator[TopLists], top: int, result: Result, recorded: bool
) -> list[str]:
    """Write the lists of one direction; ``recorded``: whether the run recorded their recalls."""
    paths = [Path(f"{stem}.{ending}") for ending in ("csv", "parquet", "run")]
    tag = f"xmr-{result.model}-seed{result.seed}"
    hits = dict.fromkeys((k for k in CUTOFFS if k <= top), 0)
    with ExitStack() as stack:
        table, columns, trec = (stack.enter_context(atomic_write(path)) for path in paths)
        rows = csv.writer(stack.enter_context(table.open("w", newline="", encoding="utf-8")), lineterminator="\n")
        groups = stack.enter_context(pq.ParquetWriter(columns, SCHEMA))
        lines = stack.enter_context(trec.open("w", encoding="utf-8"))
        bar = stack.enter_context(tqdm(total=len(asked.queries), desc=asked.direction, unit="query", leave=False))
        rows.writerow(COLUMNS)
        for found in lists:
            queries, width = asked.queries[found.queries], found.items.shape[1]
            names = [name for name in queries for _ in range(width)]
            ranks = np.tile(np.arange(1, width + 1, dtype=np.int32), len(queries))
            items = [asked.items[item] for item in found.items.flat]
            relevant = found.relevant.reshape(-1).astype(np.int8)
            own = (names, [asked.kind] * len(names), ranks, items, found.scores.reshape(-1), relevant)
            groups.write_table(pa.table(list(own), schema=SCHEMA))
            for name, rank, item, score, right in zip(names, ranks, items, own[4], relevant, strict=True):
                rows.writerow((name, asked.kind, rank, item, f"{score:.9g}", right))
            below = strictly_falling(found.scores).reshape(-1)
            lines.writelines(
                f"{name} Q0 {item} {rank} {score:.9g} {tag}\n"
                for name, item, rank, score in zip(names, items, ranks, below, strict=True)
            )
            for k in hits:
                hits[k] += int(found.relevant[:, :k].any(1).sum())
            bar.update(len(queries))
        recalls = {f"{asked.direction}_r{k}": 100 * own / len(asked.queries) for k, own in hits.items()}
        same = _check(result, recalls) if recorded else ""
    told = [f"{path}: {len(asked.queries):,} queries, {width} items each" for path in paths]
    return [*told, f"{asked.direction}: {_listed(recalls)}{same}"]


def _write_qrels(path: Path, asked: Asked) -> str:
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(f"{query} 0 {item} 1\n" for query, item in asked.right)
    return f"{path}: {len(asked.right):,} right pairs"


def strictly_falling(scores: Float[np.ndarray, "queries top"]) -> Float[np.ndarray, "queries top"]:
    """Return scores, best first, none equal to the one before it: a tie becomes the next smaller number.

    ``trec_eval`` sorts a run by its scores alone, in single precision, and ties by the names of the items.
    """
    falling = scores.copy()
    for place in range(1, falling.shape[1]):
        below = np.nextafter(falling[:, place - 1], np.float32(-np.inf))
        falling[:, place] = np.minimum(falling[:, place], below)
    return falling


def _check(result: Result, recalls: dict[str, float]) -> str:
    """Compare with what is recorded; an image's worth of difference can come from another machine's arithmetic."""
    recorded = {name: result.test[name] for name in recalls}
    images = result.data["images"]["test"]
    for name, value in recalls.items():
        if abs(value - recorded[name]) > 100 / images + 1e-9:
            raise XmrError(f"{result.model}: {name} of the lists is {value:.2f}, recorded is {recorded[name]:.2f}")
    close = all(abs(value - recorded[name]) < 1e-9 for name, value in recalls.items())
    return ", as recorded" if close else f"; recorded: {_listed(recorded)}"


def _listed(recalls: dict[str, float]) -> str:
    return "  ".join(f"R@{name[5:]} {value:.2f}" for name, value in recalls.items())
