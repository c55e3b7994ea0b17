"""Two recorded models beside each other, query by query; neither model nor data are needed."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..config import profile
from ..data.captioned import CaptionedImages
from ..data.ids import caption_names, image_names
from ..data.locate import find_dataset, open_dataset
from ..errors import XmrError
from ..metrics import Ranks, difference_interval, paired_test
from ..metrics.recall import summarise
from ..records import Result, read_ranks, read_result, recorded_seeds
from ..summary_csv import RECALLS

DIRECTIONS = (("i2t", "images that search captions"), ("t2i", "captions that search images"))


@dataclass(frozen=True)
class Recorded:
    """A model, or one seed of it, as it was scored on the test split."""

    folder: str
    results: list[Result]
    """One per seed."""
    ranks: list[Ranks]

    @classmethod
    def read(cls, folder: str | Path, with_bank: bool = False) -> "Recorded":
        """Read a run's folder, ``…/seed<k>``, or a model's, with all its seeds.

        Args:
            with_bank: the ranks normalised by the model's query bank.

        Raises:
            XmrError: there is no run, or none that has its ranks.
        """
        folder = Path(folder).expanduser()
        one = re.fullmatch(r"seed\d+", folder.resolve().name)
        model = folder.resolve().parent if one else folder.resolve()
        dataset = model.parent.parent
        seeds = [folder.resolve().name.removeprefix("seed")] if one else recorded_seeds(dataset, model.name)
        if not seeds:
            raise XmrError(
                f"{folder}: no run with ranks here; give a run's folder, …/runs/MODEL/seed0, or a model's, …/runs/MODEL"
            )
        results = [read_result(model / f"seed{seed}" / "result.json") for seed in seeds]
        if with_bank and not all(result.with_bank for result in results):
            raise XmrError(f"{folder}: recorded before scores with a query bank were; delete it and train again")
        return cls(str(folder), results, [read_ranks(dataset, model.name, int(seed), with_bank) for seed in seeds])

    def mean(self, metric: str) -> float:
        """Return a metric, mean over seeds."""
        return float(np.mean([summarise(one)[metric] for one in self.ranks]))

    def places(self, direction: str) -> Float[np.ndarray, " queries"]:
        """Return the rank of each query's first right item, mean over seeds."""
        return np.mean([getattr(one, direction) for one in self.ranks], axis=0)


def compare_runs(a: str | Path, b: str | Path, changed: int = 10, data: str | Path | None = None) -> list[str]:
    """Return what to print about two recorded models: rSums, how they differ, and the queries that moved most.

    A query moves by the ratio of its ranks, so that 1 → 10 counts as much as 100 → 1000. Images go by their file names
    where the data are at hand, else by their numbers in the test split.

    Args:
        a, b: folders of runs, or of models (then means over all their seeds).
        changed: queries to list per direction, for the better and for the worse.
        data: folder or file of the dataset; empty: see ``data.locate``.

    Raises:
        XmrError: a folder has no ranks, the test sets are different, or ``data`` are others.
    """
    if changed < 0:
        raise XmrError(f"changed {changed}: give 0 or more")
    first, second = Recorded.read(a), Recorded.read(b)
    for key in ("name", "fingerprint", "split_fingerprint"):
        mine, theirs = (own.results[0].data.get(key) for own in (first, second))
        if None not in (mine, theirs) and mine != theirs:
            raise XmrError(f"{b}: scored on other data than {a} ({key} {theirs}, not {mine})")
    low, high = difference_interval(first.ranks, second.ranks)
    p = paired_test(first.ranks, second.ranks)
    width = max(len(own.folder) for own in (first, second))
    lines = [
        f"{letter}  {own.folder:{width}}  rSum {own.mean('rsum'):6.2f}  {_seeds(own)}"
        for letter, own in (("A", first), ("B", second))
    ]
    lines += [
        f"B − A  {second.mean('rsum') - first.mean('rsum'):+.2f}  (95 % paired bootstrap over test images "
        f"{low:+.2f} to {high:+.2f}; paired randomisation test p = {p:.4f})",
        "",
        f"{'':8} {'A':>7} {'B':>7} {'B − A':>7}  95 %",
    ]
    for metric in RECALLS[:-1]:
        low, high = difference_interval(first.ranks, second.ranks, metric)
        mine, theirs = first.mean(metric), second.mean(metric)
        lines.append(f"{metric:8} {mine:7.2f} {theirs:7.2f} {theirs - mine:+7.2f}  {low:+.2f} to {high:+.2f}")
    return lines + (_moved(first, second, changed, data) if changed else [])


def _moved(first: Recorded, second: Recorded, changed: int, data: str | Path | None) -> list[str]:
    part = _test_split(first, data)
    lines = []
    for direction, what in DIRECTIONS:
        before, after = first.places(direction), second.places(direction)
        names = _names(first.ranks[0], part, direction)
        ratios = np.log(after / before)
        for title, worse in (("for the better", ratios), ("for the worse", -ratios)):
            found = [query for query in np.argsort(worse, kind="stable")[:changed] if worse[query] < 0]
            lines += ["", f"{what}, rank A → B, {title}:{'' if found else ' none'}"]
            lines += [f"  {_place(before[query]):>6} → {_place(after[query]):6} {names[query]}" for query in found]
    return lines


def _test_split(recorded: Recorded, data: str | Path | None) -> CaptionedImages | None:
    """Return the test split that a run was scored on, where the data are at hand."""
    facts = recorded.results[0].data
    scenes = profile(facts["profile"]).scenes
    dataset = open_dataset(facts["name"], data, scenes) if data else find_dataset(facts["name"], scenes)
    if dataset is None:
        return None
    left_out = set(facts.get("left_out", ()))
    part = dataset.split("test")
    part = part.subset(np.array([i for i, name in enumerate(part.filenames) if name not in left_out]))
    same = np.array_equal(part.image_of_caption, recorded.ranks[0].image_of_caption)
    if dataset.fingerprint == facts["fingerprint"] and same:
        return part
    if data:
        raise XmrError(f"{data}: {recorded.folder} was made on other data (fingerprint {facts['fingerprint']})")
    return None


def _names(ranks: Ranks, part: CaptionedImages | None, direction: str) -> list[str]:
    """Return what each query is called on the screen; a caption with its text, where that is at hand."""
    if part is not None and direction == "i2t":
        return image_names(part)
    if part is not None:
        return [f"{name}  {text}" for name, text in zip(caption_names(part), part.raw, strict=True)]
    if direction == "i2t":
        return [f"image {image}" for image in range(ranks.images)]
    # Captions of one image are contiguous.
    owner = ranks.image_of_caption
    return [
        f"image {image}#{k}"
        for image, k in zip(owner, np.arange(len(owner)) - np.searchsorted(owner, owner), strict=True)
    ]


def _place(rank: float) -> str:
    """Return a rank; a mean over seeds with one decimal."""
    return f"{rank:.0f}" if rank == int(rank) else f"{rank:.1f}"


def _seeds(recorded: Recorded) -> str:
    seeds = ", ".join(str(result.seed) for result in recorded.results)
    return f"seed {seeds}" if len(recorded.results) == 1 else f"mean of seeds {seeds}"
