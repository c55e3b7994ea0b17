"""Fills or asks one engine, in a process of its own; prints what it measured as JSON. ``engines.py`` calls it."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from xmr_lib.index.engine import Engine
from xmr_lib.index.exact import ExactEngine
from xmr_lib.index.hnsw import HnswEngine
from xmr_lib.index.milvus import MilvusEngine

TOP, BATCH, BLOCK, THREADS = 10, 100, 10_000, 2
SEARCH_SECONDS = 20
"""For queries one at a time; a slow engine answers fewer than all of them."""


def open_engine(kind: str, folder: Path, dim: int) -> Engine:
    if kind.startswith("exact"):
        return ExactEngine(folder, dim, dtype=kind.split()[1])
    return {"faiss": HnswEngine, "milvus-lite": MilvusEngine}[kind](folder, dim)


def build(kind: str, folder: Path, gallery: Path, limit: float) -> dict:
    """Fill an engine in this process, until the time limit."""
    vectors = np.load(gallery, mmap_mode="r")
    engine = open_engine(kind, folder, vectors.shape[1])
    before, started, done = _private_mb(), time.perf_counter(), 0
    for done in range(0, len(vectors), BLOCK):
        if time.perf_counter() - started > limit:
            return {"note": f"stopped after {limit:.0f} s: {done:,} of {len(vectors):,} vectors were in"}
        block = np.array(vectors[done : done + BLOCK])
        engine.add(np.arange(done, done + len(block)), block)
    engine.save()
    seconds, private = time.perf_counter() - started, _private_mb()
    engine.close()
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return {
        "build_seconds": seconds,
        "build_private_mb": private - before if private is not None else None,
        "disk_mb": disk / 2**20,
    }


def search(kind: str, folder: Path, queries: Path, found: Path) -> dict:
    """Ask an engine that was filled before, in this process; write what it finds to ``found``."""
    asked = np.load(queries)
    before, started = _private_mb(), time.perf_counter()
    engine = open_engine(kind, folder, asked.shape[1])
    opened = time.perf_counter() - started
    engine.search(asked[:3], TOP)  # files are read in
    started, turns, answers = time.perf_counter(), 0, []
    while turns < len(asked) and time.perf_counter() - started < SEARCH_SECONDS:
        answers.append(engine.search(asked[turns : turns + 1], TOP)[0])
        turns += 1
    one = turns / (time.perf_counter() - started)
    started = time.perf_counter()
    engine.search(asked[:BATCH], TOP)
    many = BATCH / (time.perf_counter() - started)
    private = _private_mb()
    engine.close()
    np.save(found, np.concatenate(answers))
    return {
        "queries_per_second": one,
        "batch_queries_per_second": many,
        "open_seconds": opened,
        "search_private_mb": private - before if private is not None else None,
    }


def _private_mb() -> float | None:
    """Return the memory that is this process's own, in MiB; None where the system does not say (not Linux)."""
    try:
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))


if __name__ == "__main__":
    torch.set_num_threads(THREADS)
    job, kind, folder, file, last = sys.argv[1:]
    if job == "build":
        print(json.dumps(build(kind, Path(folder), Path(file), float(last))))
    else:
        print(json.dumps(search(kind, Path(folder), Path(file), Path(last))))
