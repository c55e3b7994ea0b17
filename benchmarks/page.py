"""``make bench``: ``xmr serve`` in a real browser, with the pictures that there are; with LONG=1 with a million, too.

Sentences are typed one after the other; measured, by the browser itself, is the time from the moment that typing counts
as ended until the answer is drawn, and until its pictures are loaded. Beyond the pictures that there are, further ones
are jittered copies of them (see ``engines.py``).
"""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from engines import jittered, nearest_distances, unit, write
from playwright.sync_api import Page, sync_playwright

from xmr_lib.experiment import Workspace, run
from xmr_lib.experiment.machine import machine
from xmr_lib.experiment.run import model_folder
from xmr_lib.index import Index, Pictures, update
from xmr_lib.paths import atomic_write, runs_root
from xmr_lib.runtime import Runtime
from xmr_lib.study import get_configs

MODEL = "ab-infonce-meanmax"
QUERIES, PATIENCE = 50, 120
"""Sentences; seconds until the page answers at all."""
MEASURED = """async (number) => {
  while (performance.getEntriesByName("xmr-search").length < number) await new Promise((next) => setTimeout(next, 5));
  const measure = performance.getEntriesByName("xmr-search").at(-1);
  const pictures = [...document.querySelectorAll("#columns img")];
  await Promise.all(pictures.map((one) => one.decode().catch(() => null)));
  return [measure.duration, performance.now() - measure.startTime, pictures.length];
}"""


@dataclass(frozen=True)
class Row:
    """One line of ``page.csv``; milliseconds."""

    pictures: int
    engine: str
    answer_median_ms: float
    """From the end of typing to the answer drawn."""
    answer_p95_ms: float
    pictures_median_ms: float
    """The same until its pictures are there, whose thumbnails may have to be made."""
    pictures_p95_ms: float
    first_ms: float
    """The first answer of all, drawn."""


def fill(index: Index, size: int) -> dict:
    """Put jittered copies of an index's pictures into it, up to ``size``; return how far they lie from each other."""
    shelf, catalogue = index.shelves["image"], index.catalogue
    items = list(catalogue.items(catalogue.ids("image")).values())
    real = unit(shelf.exact.take(np.array([own.id for own in items]))[:, : index.model.encode_texts(["a"]).shape[1]])
    apart = nearest_distances(real, real, itself=True)
    sigma, first, [(source, *_)] = apart / 2 / real.shape[1] ** 0.5, catalogue.last_id() + 1, catalogue.sources()
    done = 0
    for block in jittered(real, size - len(items), sigma, seed=0):
        ids = list(range(first + done, first + done + len(block)))
        shelf.add(ids, block, index.model.bank)
        own = [items[(done + place) % len(items)] for place in range(len(block))]
        catalogue.replace(
            source,
            [replace(one, id=number, key=f"{one.key} {number}") for one, number in zip(own, ids, strict=True)],
        )
        done += len(block)
    shelf.settle(index.model.bank)
    return {"sigma": sigma, "median_distance_to_the_nearest_before": apart}


def measure(folder: Path, sentences: Sequence[str]) -> list[tuple[float, float]]:
    """Serve an index, type sentences into its page, and return the times of each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "xmr_lib", "serve", str(folder), "--port", str(port), "--no-browser"]
    server = subprocess.Popen(command)
    try:
        _wait_for(f"http://127.0.0.1:{port}/", server)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--headless=new"]
            )
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}/")
            page.wait_for_selector("body[data-ready]")
            found = [_type(page, sentence, number) for number, sentence in enumerate(sentences, 1)]
            browser.close()
            return found
    finally:
        server.terminate()
        server.wait(30)


def _type(page: Page, sentence: str, number: int) -> tuple[float, float]:
    page.fill("#sentence", sentence)
    drawn, loaded, pictures = page.evaluate(MEASURED, number)
    assert pictures, f"no picture on the page for {sentence!r}"
    return drawn, loaded


def _wait_for(address: str, server: subprocess.Popen) -> None:
    for _ in range(2 * PATIENCE):
        if server.poll() is not None:
            raise SystemExit("xmr serve ended before it answered")
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"xmr serve did not answer within {PATIENCE} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", help="folder of a model; without it, one is trained on scenes")
    parser.add_argument("--pictures", type=Path, help="folder of pictures; without it, those of scenes")
    parser.add_argument("--about", default="given", help="what these are, for the record")
    parser.add_argument("--long", action="store_true", help="a million pictures, too")
    asked = parser.parse_args()
    drawn = Workspace("scenes", profile_name="demo")
    if not (model := asked.model):
        [config] = get_configs(drawn, MODEL)
        run(drawn, config, seeds=[0])
        model = model_folder(drawn, config, 0)
    test = drawn.dataset.split("test")
    sentences = list(dict.fromkeys(test.raw))[:: max(len(test.raw) // QUERIES // 2, 1)][:QUERIES]
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as place:
        index = Index.create(Path(place) / "index", model)
        update(index, [Pictures(asked.pictures or test.path(0).parent)])
        facts = {
            "machine": machine(Runtime.of("cpu")) | {"cores": os.cpu_count(), "load_before": os.getloadavg()[0]},
            "model": index.facts["model"],
            "bank": index.facts["bank"],
            "pictures": asked.about if asked.pictures else "scenes",
            "sentences": len(sentences),
        }
        for size in (index.counts["image"], *([10**6] if asked.long else [])):
            if size > index.counts["image"]:
                facts |= fill(index, size)
            times = np.array(measure(index.folder, sentences))
            (median, pictures), (late, pictures_late) = np.median(times[1:], 0), np.percentile(times[1:], 95, 0)
            engine = index.facts["engines"]["image"]
            rows.append(Row(size, engine, median, late, pictures, pictures_late, times[0, 0]))
            print(rows[-1], flush=True)
        index.close()
    write(runs_root() / "bench" / "page.csv", rows)
    with atomic_write(runs_root() / "bench" / "page.json") as path:
        path.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
