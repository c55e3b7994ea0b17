"""Killed at any moment, or done twice at once, work ends as if nothing had been; `make torture` does it for longer."""

import csv
import multiprocessing
import os
import random
import shutil
import time
from collections import Counter
from multiprocessing import forkserver
from pathlib import Path

import pytest
from killed_jobs import JOBS, do, looked_at

TIMES = float(os.environ.get("XMR_TORTURE", "1"))
KILLS, PAIRS = max(2, round(3 * TIMES)), max(1, round(TIMES / 2))
LEFT = (".lock", ".tmp")
"""Ends of files that kills may leave: 'xmr cache prune' takes them away."""
LONGEST = 120


@pytest.fixture(scope="module")
def processes():
    """Processes that have imported everything already: a start takes no seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["killed_jobs"])
    with pytest.MonkeyPatch.context() as patch:
        # The server looks for what it is to import along this path alone.
        here = [str(Path(__file__).parent), str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(here))
        forkserver.ensure_running()
    return context


@pytest.fixture(params=JOBS)
def job(request, processes, tmp_path):
    """The name of a job, a folder made ready anew, what the job leaves undisturbed, and how many seconds it takes."""
    ready, folder = tmp_path / "ready", tmp_path / "it"
    ready.mkdir()
    JOBS[request.param].prepare(ready)

    def anew() -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ready, folder)
        return folder

    # The first time much is read from disk, and takes several times as long: hardly a kill would come in time.
    done(processes, request.param, anew())
    folder = anew()
    started = time.perf_counter()
    done(processes, request.param, folder)
    seconds = time.perf_counter() - started
    return request.param, anew, found(processes, request.param, folder), seconds


def started(processes, name, folder, said="said"):
    process = processes.Process(target=do, args=(name, str(folder), str(folder.parent / said)))
    process.start()
    return process


def ended(process, folder, said="said"):
    process.join(LONGEST)
    assert process.exitcode == 0, f"exit code {process.exitcode}: {(folder.parent / said).read_text()[-2000:]}"


def done(processes, name, folder):
    ended(started(processes, name, folder), folder)


def found(processes, name, folder):
    """Return the digest of what is there, looked at by a process that knows nothing yet."""
    to = folder.parent / "digest"
    process = processes.Process(target=looked_at, args=(name, str(folder), str(to)))
    process.start()
    process.join(LONGEST)
    assert process.exitcode == 0
    return to.read_text()


def write_tally(what: str, name: str, tally: Counter) -> None:
    if place := os.environ.get("XMR_TORTURE_TABLE"):
        with (Path(place) / f"{os.getpid()}.csv").open("a", newline="") as file:
            csv.writer(file).writerow([name, what, dict(tally)])


def test_a_kill_at_any_moment(job, processes):
    name, anew, right, seconds = job
    tally = Counter()
    for number in range(KILLS):
        rng = random.Random(f"{name} kill {number}")
        folder = anew()
        for _ in range(rng.choice((1, 1, 2))):
            process = started(processes, name, folder)
            process.join(rng.uniform(0, seconds))
            process.kill()
            process.join()
            # One that was done before the kill reached it is no trial.
            tally["the same"] += process.exitcode != 0
        done(processes, name, folder)
        assert found(processes, name, folder) == right, f"{name}, kill {number}"
        unfinished = [path.name for path in folder.rglob("*") if ".partial" in path.name or ".before" in path.name]
        assert not unfinished, f"{name}, kill {number}: {unfinished}"
        hidden = [path for path in folder.rglob(".*") if path.suffix not in LEFT]
        assert not hidden, f"{name}, kill {number}: {hidden}"
    # Of a few, chance may let none come in time.
    assert KILLS < 20 or tally["the same"] >= KILLS / 2, f"{name}: {tally['the same']} kills came before the end"
    write_tally("killed", name, tally)


def test_twice_at_once(job, processes):
    name, anew, right, seconds = job
    for number in range(PAIRS):
        folder = anew()
        first = started(processes, name, folder, "said")
        time.sleep(random.Random(f"{name} pair {number}").uniform(0, seconds / 2))
        second = started(processes, name, folder, "said again")
        ended(first, folder)
        ended(second, folder, "said again")
        assert found(processes, name, folder) == right, f"{name}, pair {number}"
    write_tally("twice at once", name, Counter({"the same": PAIRS}))
