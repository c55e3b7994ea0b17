"""From the assignment's recipe to the best model: one change a step, and what each is worth."""

import itertools
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..experiment.comparison import Recorded
from ..metrics import bootstrap_interval, difference_interval, holm, paired_test
from ..records import recorded_seeds
from ..summary_csv import read_summary
from .tables import shown_p


@dataclass(frozen=True)
class Step:
    """A recorded model, and in what it differs from the one of the step before."""

    run: str
    change: str
    with_bank: bool = False
    """Whether what it finds is normalised by its query bank."""


STEPS = (
    Step("ab-recipe", "the assignment's recipe"),
    Step("ab-recipe-cosine", "embeddings of length 1"),
    Step("ab-triplet-random", "MLP beside the linear layer"),
    Step("ab-infonce", "InfoNCE"),
    Step("ab-infonce-meanmax", "mean ‖ maximum of words"),
    Step("r-fasttext", "schedule of the studies"),
    Step("e-meanmax-trained", "word vectors trained"),
    Step("r-onehot-glove-trained", "… from GloVe ‖ random"),
    Step("s-views", "two views of each image"),
    Step("s-lite2", "a second image network"),
    Step("s-spacy", "spaCy's vectors for GloVe's"),
    Step("s-gru", "bidirectional GRU beside it"),
    Step("s-gru", "its query bank", with_bank=True),
    Step("s-gru-late", "five seeds, late fusion", with_bank=True),
    Step("s-late", "five bags without GRU as well", with_bank=True),
)
"""The list of what is scored on test: it was written down before any of the last rows was."""
OPEN_STEPS = (
    Step("s-spacy", "the best bag of the clean track"),
    Step("o-minilm", "MiniLM's tokens beside the words"),
    Step("o-mpnet", "MPNet's in their place"),
    Step("o-mpnet", "its query bank", with_bank=True),
    Step("o-mpnet-late", "five seeds, late fusion", with_bank=True),
    Step("o-late", "five of both clean models beside them", with_bank=True),
)
"""The same on the open track."""


def waterfall(results: str | Path, steps: Sequence[Step] = STEPS) -> pd.DataFrame:
    """Return a row per step that is recorded: the model's score, and what it gains over the step before.

    ``gain`` is the difference of test rSum to the row above, ``gain_low`` and ``gain_high`` its 95 % interval (paired
    bootstrap over test images), ``p`` that of the paired randomisation test, adjusted by
    Holm within the table; ``spread`` is the standard deviation of rSum over the seeds. What a step that is not recorded
    would have changed is told, and gained, by the next.

    Args:
        results: folder of the dataset's results.
    """
    found = recorded_steps(results, steps)
    rows = []
    for step, own in found:
        low, high = bootstrap_interval(own.ranks)
        row = {"run": step.run, "change": step.change, "bank": step.with_bank, "track": own.results[0].track}
        row |= {"seeds": len(own.results), "val_rsum": _val_rsum(own, step.with_bank), "rsum": own.mean("rsum")}
        row |= {"rsum_low": low, "rsum_high": high, "spread": _spread(own, step.with_bank)}
        row["cpu_minutes"] = float(np.mean([result.cpu_seconds for result in own.results])) / 60
        rows.append(row | dict.fromkeys(("gain", "gain_low", "gain_high", "p"), float("nan")))
    pairs = list(itertools.pairwise(own for _, own in found))
    ps = holm([paired_test(after.ranks, before.ranks) for before, after in pairs])
    for row, (before, after), p in zip(rows[1:], pairs, ps, strict=True):
        low, high = difference_interval(before.ranks, after.ranks)
        row |= {"gain": after.mean("rsum") - before.mean("rsum"), "gain_low": low, "gain_high": high, "p": p}
    return pd.DataFrame(rows)


def recorded_steps(results: str | Path, steps: Sequence[Step] = STEPS) -> list[tuple[Step, Recorded]]:
    """Return the steps that are recorded, each with its model; what the others would have changed is the next's.

    A step with a query bank is recorded where every seed's scores with it are; that they are not is told.
    """
    found: list[tuple[Step, Recorded]] = []
    left_out: list[str] = []
    for step in steps:
        if model := _recorded(Path(results), step):
            found.append((replace(step, change="; ".join((*left_out, step.change))), model))
            left_out = []
        elif found:
            left_out.append(step.change)
    return found


def _recorded(results: Path, step: Step) -> Recorded | None:
    if not recorded_seeds(results, step.run):
        return None
    folder = results / "runs" / step.run
    model = Recorded.read(folder)
    if not step.with_bank:
        return model
    if all(result.with_bank for result in model.results):
        return Recorded.read(folder, True)
    print(
        f"left out: {step.change!r} ({folder} was recorded before scores with a query bank were; delete it and train "
        "again)",
        file=sys.stderr,
    )
    return None


def _val_rsum(model: Recorded, with_bank: bool) -> float:
    return float(np.mean([own.with_bank["val"]["rsum"] if with_bank else own.val_rsum for own in model.results]))


def _spread(model: Recorded, with_bank: bool) -> float:
    rsums = [(own.with_bank["test"] if with_bank else own.test)["rsum"] for own in model.results]
    return float(np.std(rsums, ddof=1)) if len(rsums) > 1 else float("nan")


def waterfall_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of ``waterfall`` that a reader wants, by their readable names."""
    shown = pd.DataFrame(
        {
            "step": table["change"],
            "model": table["run"],
            "val rSum": table["val_rsum"],
            "rSum": table["rsum"],
            "95 % interval": [
                f"{low:.1f}–{high:.1f}" for low, high in zip(table["rsum_low"], table["rsum_high"], strict=True)
            ],
        }
    )
    gains = zip(table["gain"], table["gain_low"], table["gain_high"], strict=True)
    shown["gain"] = ["" if np.isnan(gain) else f"{gain:+.1f} [{low:+.1f}, {high:+.1f}]" for gain, low, high in gains]
    shown["p"] = ["" if np.isnan(p) else shown_p(p) for p in table["p"]]
    shown["minutes"] = table["cpu_minutes"]
    shown["seeds"] = table["seeds"].astype(str)
    shown["spread of seeds"] = ["" if np.isnan(spread) else f"{spread:.1f}" for spread in table["spread"]]
    return shown.set_index("step")


def reached(results: str | Path) -> pd.DataFrame:
    """Return the recorded model that validation prefers, of each track and of single models and late fusion.

    Args:
        results: folder of the dataset's results.
    """
    rows = pd.DataFrame(read_summary(Path(results) / "summary.csv"))
    rows["kind"] = np.where(rows["loss"] == "scores averaged", "late fusion", "single")
    found = []
    for (track, kind), own in rows.groupby(["track", "kind"]):
        best = own.loc[own["val_rsum"].astype(float).idxmax()]
        bank = best["rsum_bank"]
        found.append(
            {
                "": f"{kind}, {track}",
                "model": best["run"],
                "rSum": float(best["rsum"]),
                "95 % interval": f"{float(best['rsum_low']):.1f}–{float(best['rsum_high']):.1f}",
                "with its query bank": float(bank) if bank else "",
                "minutes": float(best["cpu_minutes"]),
                "seeds": best["seeds"],
            }
        )
    return pd.DataFrame(found).set_index("")
