"""``make bench``: search engines side by side, at 10,000 and 100,000 vectors; ``make bench LONG=1``: at a million, too.

Vectors are real embeddings, jittered: each is that of a picture, plus Gaussian noise, brought back to length 1. Queries
are embeddings of captions of the test split, jittered likewise. Filling and searching run in processes of their own, so
that memory is that of one engine.
"""

import argparse
import csv
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
import torch
from engine_job import BLOCK, THREADS, TOP
from engines_figure import engines_figure

from xmr_lib.experiment import Workspace, run
from xmr_lib.experiment.machine import machine
from xmr_lib.experiment.run import embed
from xmr_lib.figures.style import save_figure
from xmr_lib.paths import atomic_write, runs_root
from xmr_lib.runtime import Runtime
from xmr_lib.study import get_configs

KINDS = ("exact float32", "exact float16", "faiss", "milvus-lite")
QUERIES = 200


@dataclass(frozen=True)
class Row:
    """One line of ``engines.csv``; what was not measured is empty."""

    engine: str
    vectors: int
    recall_at_10: float | None = None
    """Against the exact engine in single precision."""
    queries_per_second: float | None = None
    """One at a time."""
    batch_queries_per_second: float | None = None
    """A hundred at once."""
    build_seconds: float | None = None
    """Adding in blocks of 10,000, and saving."""
    open_seconds: float | None = None
    search_private_mb: float | None = None
    """Memory of its own (RssAnon) that opening and searching add; mapped files can be dropped by the system."""
    build_private_mb: float | None = None
    """The same when all is in."""
    disk_mb: float | None = None
    note: str = ""


def measure(kind: str, size: int, files: Path, limit: float) -> Row:
    """Build and ask one engine, each in a process of its own."""
    folder, gallery, queries = files / kind.replace(" ", "-"), files / "gallery.npy", files / "queries.npy"
    found = files / f"found-{kind.replace(' ', '-')}.npy"
    facts = _apart("build", kind, folder, gallery, limit)
    if "note" not in facts:
        facts |= _apart("search", kind, folder, queries, found)
        answers, truth = np.load(found), np.load(files / "truth.npy")
        same = [len(set(a) & set(b)) / TOP for a, b in zip(answers.tolist(), truth.tolist(), strict=False)]
        facts["recall_at_10"] = float(np.mean(same))
    shutil.rmtree(folder, ignore_errors=True)
    return Row(kind, size, **facts)


def nearest_distances(queries: np.ndarray, gallery: np.ndarray, itself: bool) -> float:
    """Return the median Euclidean distance of (at most 1,000) vectors to the nearest other one of a gallery."""
    best = []
    for start in range(0, min(len(queries), 1000), 100):
        scores = queries[start : start + 100] @ gallery.T
        if itself:
            scores[np.arange(len(scores)), np.arange(start, start + len(scores))] = -np.inf
        best.append(scores.max(1))
    return float(np.median(np.sqrt(np.maximum(2 - 2 * np.concatenate(best), 0))))


def jittered(real: np.ndarray, count: int, sigma: float, seed: int) -> Iterator[np.ndarray]:
    """Yield blocks of vectors: each one of the real ones, plus noise of ``sigma`` a coordinate, of length 1."""
    rng = np.random.default_rng(seed)
    for start in range(0, count, BLOCK):
        rows = min(BLOCK, count - start)
        # In order first, so that as many as there are come in once.
        own = np.arange(start, start + rows) % len(real)
        yield unit(real[own] + sigma * rng.standard_normal((rows, real.shape[1]), np.float32))


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def write_files(files: Path, pictures: np.ndarray, captions: np.ndarray, size: int, sigma: float) -> dict:
    """Write gallery, queries and the exact answers; return how far apart the jittered vectors are."""
    gallery = np.lib.format.open_memmap(files / "gallery.npy", "w+", np.float32, (size, pictures.shape[1]))
    for number, block in enumerate(jittered(pictures, size, sigma, seed=0)):
        gallery[number * BLOCK : number * BLOCK + len(block)] = block
    chosen = np.random.default_rng(1).permutation(len(captions))[:QUERIES]
    queries = next(jittered(captions[chosen], QUERIES, sigma, seed=2))
    best = [torch.empty(len(queries), 0), torch.empty(len(queries), 0, dtype=torch.int64)]
    for start in range(0, size, BLOCK):
        scores = torch.from_numpy(queries) @ torch.from_numpy(gallery[start : start + BLOCK]).T
        top = scores.topk(TOP, 1)
        values, rows = torch.cat([best[0], top.values], 1), torch.cat([best[1], top.indices + start], 1)
        order = values.topk(TOP, 1)
        best = [order.values, rows.gather(1, order.indices)]
    np.save(files / "queries.npy", queries)
    np.save(files / "truth.npy", best[1].numpy())
    part = np.random.default_rng(3).permutation(size)[: min(size, 50_000)]
    apart = nearest_distances(gallery[part], gallery[part], itself=True)
    return {
        "picture_to_picture_of_50000_at_most": apart,
        "caption_to_picture": float(np.median(np.sqrt(2 - 2 * best[0][:, 0].numpy()))),
    }


def from_scenes() -> tuple[np.ndarray, np.ndarray]:
    """Embed pictures of all splits and captions of the test split with a model trained on the drawn dataset."""
    workspace = Workspace("scenes", profile_name="demo")
    [config] = get_configs(workspace, "ab-infonce")
    [result] = run(workspace, config, seeds=[0])
    splits = [embed(workspace, result, split) for split in ("train", "val", "test")]
    return np.concatenate([pictures for pictures, _ in splits]), splits[-1][1]


def _apart(job: str, *arguments: object) -> dict:
    command = [sys.executable, str(Path(__file__).with_name("engine_job.py")), job, *map(str, arguments)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def write(path: Path, rows: Sequence) -> None:
    """Write rows of one dataclass as a table."""
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(rows[0])], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in asdict(row).items()})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vectors", type=Path, help=".npy of pictures' embeddings; without it, those of scenes")
    parser.add_argument("--queries", type=Path, help=".npy of captions' embeddings by the same model")
    parser.add_argument("--about", default="given", help="what these are, for the record")
    parser.add_argument("--long", action="store_true", help="a million vectors, too")
    parser.add_argument("--sizes", type=int, nargs="+", help="these numbers of vectors instead")
    parser.add_argument("--limit", type=float, default=600, help="seconds that filling an engine may take")
    parser.add_argument("--scratch", type=Path, help="folder for 10 GB; without it, the system's temporary one")
    asked = parser.parse_args()
    torch.set_num_threads(THREADS)
    if (asked.vectors is None) != (asked.queries is None):
        parser.error("--vectors and --queries belong together")
    pictures, captions = (np.load(asked.vectors), np.load(asked.queries)) if asked.vectors else from_scenes()
    pictures, captions = unit(pictures), unit(captions)
    apart = nearest_distances(pictures, pictures, itself=True)
    # Half as long as the way to the nearest neighbour: neighbours mix, and what is far stays far.
    sigma = apart / 2 / pictures.shape[1] ** 0.5
    facts = {
        "machine": machine(Runtime.of("cpu")) | {"cores": os.cpu_count(), "load_before": os.getloadavg()[0]},
        "packages": {name: importlib.metadata.version(name) for name in ("faiss-cpu", "pymilvus", "milvus-lite")},
        "vectors": asked.about if asked.vectors else "scenes, ab-infonce",
        "pictures": len(pictures),
        "captions": len(captions),
        "dim": pictures.shape[1],
        "sigma": sigma,
        "median_distance_to_the_nearest": {
            "before": {
                "picture_to_picture": apart,
                "caption_to_picture": nearest_distances(captions, pictures, itself=False),
            },
            "after": {},
        },
    }
    rows: list[Row] = []
    folder = runs_root() / "bench"
    for size in asked.sizes or ((10**4, 10**5, 10**6) if asked.long else (10**4, 10**5)):
        with tempfile.TemporaryDirectory(dir=asked.scratch) as files:
            after = write_files(Path(files), pictures, captions, size, sigma)
            facts["median_distance_to_the_nearest"]["after"][str(size)] = after
            for kind in KINDS:
                filled = [row for row in rows if row.engine == kind and row.build_seconds]
                expected = filled[-1].build_seconds * size / filled[-1].vectors if filled else 0
                if expected > asked.limit:
                    rows.append(Row(kind, size, note=f"not tried: filling it would take about {expected:.0f} s"))
                else:
                    rows.append(measure(kind, size, Path(files), asked.limit))
                print(rows[-1], flush=True)
                write(folder / "engines.csv", rows)
    with atomic_write(folder / "engines.json") as path:
        path.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    print(save_figure(engines_figure(folder / "engines.csv"), folder, "engines"))


if __name__ == "__main__":
    main()
