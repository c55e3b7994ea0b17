"""The keys of ``\\fact``: data, protocol, machine."""

import inspect
import json
import re
from collections.abc import Callable

import numpy as np

from ..errors import XmrError
from ..experiment.sweep import sweep_file
from ..metrics import bootstrap_interval, paired_test
from ..records import DETECTOR
from ..study.batch_size import LOSSES
from ..study.names import readable
from ..study.schedule import SETTINGS, differences
from ..study.schedule import SWEEP as SCHEDULE
from ..summary_csv import RECALLS
from .compare import FIRM, LEVEL
from .dataset import words_of
from .facts import Missing, RecordedResults
from .plot_facts import batch_points, box_points, plot_facts
from .tex import count, escape, one_place

SHARED = "ab-infonce"
"""The run whose record tells the facts that all runs share: data, machine, width of the common space."""


def fact_value(facts: RecordedResults, key: str, comparisons: int) -> str:
    """Return the text of a fact; ``comparisons``: how many pairs the documents test.

    Raises:
        XmrError: there is no such fact, or it is not recorded.
    """
    if key in _SIMPLE:
        return _SIMPLE[key](facts)
    if key == "comparisons":
        return count(comparisons)
    if key in _OF_DATA:
        part, split = _OF_DATA[key]
        numbers = facts.results(SHARED)[0].data[part]
        return count(sum(numbers.values()) if split == "all" else numbers[split])
    if key in _OF_MACHINE:
        return escape(str(facts.results(SHARED)[0].machine[key]))
    if key in _OF_BOXES:
        return _of_boxes(facts, *_OF_BOXES[key])
    if setting := _SCHEDULE.fullmatch(key):
        return _of_schedule(facts, *setting.groups())
    if batch := _BATCH.fullmatch(key):
        return _of_batch(facts, *batch.groups())
    raise XmrError(
        f"fact {key!r} is unknown; there are {', '.join([*_SIMPLE, 'comparisons', *_OF_DATA, *_OF_MACHINE])}"
    )


def _default(function: Callable, name: str) -> str:
    return count(inspect.signature(function).parameters[name].default)


def _detector_map(facts: RecordedResults) -> str:
    if "frcnn-lite0-roi" not in facts.results("c-roi-attention")[0].config.image_features:
        return "--"  # COCO's detector, which nothing here has measured
    path = facts.folder / DETECTOR
    if not path.is_file():
        raise Missing(
            f"{path}: the history of the light detector is not recorded; 'xmr detector train --dataset "
            f"{facts.dataset}' records it",
            "detector",
        )
    text = path.read_text("utf-8")
    facts.note("detector", text.encode())
    return one_place(100 * json.loads(text)["map50"][-1])


def _siamese_epochs(facts: RecordedResults) -> str:
    """Return after how many epochs validation keeps the Siamese encoder, at most of its seeds."""
    paths = sorted((facts.folder / "runs" / "i-siamese").glob("seed*/image_retrieval.json"))
    if not paths:
        raise Missing(f"{facts.folder}: no training of i-siamese; notebook 07 makes it", "i-siamese")
    facts.note("siamese", b"".join(path.read_bytes() for path in paths))
    return count(max(json.loads(path.read_text("utf-8"))["history"]["best_epoch"] for path in paths) + 1)


def _of_batch(facts: RecordedResults, loss: str, which: str, column: str | None) -> str:
    """Return rSum on validation, or the share of the loss that is left, at the smallest or the largest batch."""
    points = batch_points(facts)
    points = points[points["warmup"] == (column != "-cold")]
    if points.empty:
        return "--"
    batch = points["batch"].min() if which == "smallest" else points["batch"].max()
    if loss == "batch":
        return count(int(batch))
    names = {model.rsplit("-", 1)[-1]: name for name, model in LOSSES.items()}
    if loss not in names:
        raise XmrError(f"fact: the study over batch sizes has no loss {loss!r}; it has {', '.join(names)}")
    own = points[(points["batch"] == batch) & (points["loss"] == names[loss])]
    if own.empty:
        raise Missing(f"{facts.folder}: {names[loss]!r} is not recorded with batches of {batch}", "batch sizes")
    return f"{own['share'].mean():.2f}" if column == "-share" else one_place(own["val_rsum"].mean())


def _of_boxes(facts: RecordedResults, column: str, worst: bool) -> str:
    """Return a mean over the seeds at the boxes as they were given, or at the worst; ``--`` where none are recorded."""
    points = box_points(facts)
    noisy = points[points["regions"].str.startswith("noise")]
    if noisy.empty:
        return "--"
    at = noisy.groupby("map50")[column].mean()
    return one_place(float(at.loc[at.index.min() if worst else at.index.max()]))


def _of_schedule(facts: RecordedResults, setting: str, spread: str | None) -> str:
    """Return what putting one setting of the schedule back does to rSum on validation: mean, or least to most."""
    path = sweep_file(facts.folder, SCHEDULE)
    if not (own := differences(facts.folder).get(setting)):
        return "--"
    facts.note("schedule", path.read_bytes())
    values = (min(own), max(own)) if spread else (np.mean(own),)
    return " to ".join(f"${value:+.1f}$" for value in values)


def _single(facts: RecordedResults) -> str:
    """Count the models that rest on one seed: late fusion of several does not."""
    alone = [run for run in facts.rows if facts.row(run)["seeds"] == "1"]
    return count(sum(not getattr(facts.results(run)[0].config.method, "seeds", ()) for run in alone))


def _trained(facts: RecordedResults) -> list[dict[str, str]]:
    """Return the rows without late fusion: what it takes is what its members take, and they are rows of their own."""
    return [row for row in map(facts.row, facts.rows) if row["loss"] != "scores averaged"]


def _trainings(facts: RecordedResults) -> str:
    return count(sum(int(row["seeds"]) for row in _trained(facts)))


def _cpu_hours(facts: RecordedResults) -> str:
    return one_place(sum(float(row["cpu_minutes"]) * int(row["seeds"]) for row in _trained(facts)) / 60)


_SIMPLE: dict[str, Callable[[RecordedResults], str]] = {
    "dataset": lambda facts: words_of(facts.dataset).name,
    "slug": lambda facts: escape(facts.dataset),
    "chance_rsum": lambda facts: one_place(facts.row(SHARED)["chance_rsum"]),
    "seeds": lambda facts: facts.row(SHARED)["seeds"],
    "draws": lambda facts: _default(bootstrap_interval, "draws"),
    "test_draws": lambda facts: _default(paired_test, "draws"),
    "alpha": lambda facts: f"{LEVEL:g}",
    "firm": lambda facts: f"{FIRM:g}",
    "rsum_most": lambda facts: count(100 * RECALLS.index("rsum")),
    "detector_map": _detector_map,
    "siamese_epochs": _siamese_epochs,
    "space_model": lambda facts: readable(str(plot_facts(facts, "shared_space")["model"].iloc[0])),
    "single_seed": _single,
    "models": lambda facts: count(len(facts.rows)),
    "trainings": _trainings,
    "cpu_hours": _cpu_hours,
    "embed": lambda facts: str(facts.results(SHARED)[0].config.method.embed_dim),
    "profile": lambda facts: escape(facts.results(SHARED)[0].data["profile"]),
    "left_out": lambda facts: count(len(facts.results(SHARED)[0].data["left_out"])),
}
_OF_DATA = {
    **{f"{split}_{part}": (part, split) for split in ("train", "val", "test") for part in ("images", "captions")},
    "images": ("images", "all"),
    "captions": ("captions", "all"),
}
_OF_BOXES = {
    "boxes_given": ("val_rsum", False),
    "boxes_worst": ("val_rsum", True),
    "boxes_worst_map": ("map50", True),
}
"""What the study over boxes found: rSum on validation at the boxes that lie beside the captions, and at the worst."""
_SCHEDULE = re.compile(f"schedule-({'|'.join(SETTINGS)})(-spread)?")
"""What the schedule of the studies is made of: ``schedule-dropout``, ``schedule-dropout-spread`` …"""
_BATCH = re.compile(r"(\w+)-(smallest|largest)(-share|-cold)?")
"""What the study over batch sizes found: ``hardest-smallest``, ``infonce-largest-share``, ``batch-largest`` …; without
warm-up, where that was tried (else ``--``): ``hardest-largest-cold``."""
_OF_MACHINE = ("processor", "threads", "system", "python", "torch", "numpy", "scipy", "gensim")
