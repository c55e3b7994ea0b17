"""Side by side in one run: ours and a peer take turns, so that what else the machine does falls on both."""

import csv
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from xmr_lib.paths import atomic_write

HIGHEST = """
import pathlib, re

def highest():
    return int(re.search(r"VmHWM:\\s*(\\d+)", pathlib.Path("/proc/self/status").read_text())[1])
"""
"""Begins a program that asks Linux for the most memory that it held, in KiB; ``ru_maxrss`` is inherited by a child."""


@dataclass(frozen=True)
class Measurement:
    """One line of ``runs/bench/summary.csv``."""

    name: str
    value: float
    unit: str
    goal: str
    """As a reader would say it, e.g. ``>= 1``; empty: no goal."""
    met: str
    """``yes``, ``no`` or, without a goal, nothing."""
    peer: str
    """What it was measured against."""


def seconds(job: Callable[[], object]) -> float:
    """Return the wall-clock seconds of one call."""
    started = time.perf_counter()
    job()
    return time.perf_counter() - started


def times_as_fast(ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> float:
    """Return how many times as fast as the peer we are: the median over rounds, each of which runs both."""
    ours(), peer()  # caches and just-in-time compilation are warmed up
    ratios = []
    for turn in range(rounds):
        # Who goes first changes places: the second finds a warmer machine.
        first, second = (ours, peer) if turn % 2 == 0 else (peer, ours)
        times = {first: seconds(first), second: seconds(second)}
        ratios.append(times[peer] / times[ours])
    return statistics.median(ratios)


def at_least(name: str, value: float, goal: float, peer: str) -> Measurement:
    """Return a measurement in times as fast, with a goal that it reaches or does not."""
    return Measurement(name, value, "times as fast", f">= {goal:g}", "yes" if value >= goal else "no", peer)


def at_most(name: str, value: float, goal: float, peer: str) -> Measurement:
    """Return a measurement in times the peer's time, with a goal that it keeps or does not."""
    return Measurement(name, value, "times the time", f"<= {goal:g}", "yes" if value <= goal else "no", peer)


def write(path: Path, measurements: list[Measurement]) -> None:
    """Write all lines, whole or not at all."""
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Measurement)], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**asdict(one), "value": f"{one.value:.3g}"} for one in measurements)
