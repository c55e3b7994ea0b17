"""What figures are drawn from: refused where it is older than the runs that it was made from."""

import csv
from collections.abc import Sequence

import pandas as pd

from ..errors import XmrError
from ..experiment.sweep import sweep_file
from ..plotdata import COLUMNS, read_plotdata
from ..study.batch_size import LOSSES, SWEEP, batch_sizes
from ..study.detector_quality import DETECTED, MODEL, WHOLE, WHOLE_IMAGE
from ..study.detector_quality import SWEEP as BOXES
from .facts import Missing, RecordedResults

SAME = 0.02
"""Points by which a recall may differ: shares are written with four places."""


def plot_facts(facts: RecordedResults, name: str) -> pd.DataFrame:
    """Return one table, counted among the facts that were asked for.

    Raises:
        XmrError: it is missing.
    """
    path = facts.folder / "plotdata" / f"{name}.csv"
    if not path.is_file():
        command = f"xmr run --dataset {facts.dataset} --profile {facts.profile} --only 08"
        raise Missing(f"{path}: not there; '{command}' makes it", name)
    table = read_plotdata(facts.folder, name)
    facts.note(f"plotdata {name}", path.read_text("utf-8").encode())
    return table


def rank_shares(facts: RecordedResults, runs: Sequence[str]) -> pd.DataFrame:
    """Return the share of queries answered within each rank, of these runs and of a random order.

    Raises:
        XmrError: a run is not among them, or its shares are not its recalls.
    """
    shares = plot_facts(facts, "rank_distribution")
    for run in runs:
        own = shares[shares["run"] == run]
        for direction in ("i2t", "t2i"):
            first = own.loc[(own["direction"] == direction) & (own["rank"] == 1), "share"]
            said = float(facts.row(run)[f"{direction}_r1"])
            if first.empty or abs(100 * first.item() - said) > SAME:
                found = "nothing" if first.empty else f"{100 * first.item():.2f}"
                _refuse(
                    facts, "rank_distribution", f"{direction} R@1 of {run!r}: {found}, in summary.csv {said:.2f}", run
                )
    return shares


def batch_points(facts: RecordedResults) -> pd.DataFrame:
    """Return the trainings of the study over batch sizes.

    Raises:
        XmrError: none are recorded, but for the study's own models.
    """
    path = sweep_file(facts.folder, SWEEP)
    if not path.is_file():
        raise Missing(
            f"{path}: the study over batch sizes is not recorded; 'xmr run --dataset {facts.dataset} --profile "
            f"{facts.profile} --only 02' makes it",
            "batch sizes",
        )
    facts.note("batch sizes", path.read_text("utf-8").encode())
    for model in LOSSES.values():
        facts.results(model)
    return batch_sizes(facts.folder)


def box_points(facts: RecordedResults) -> pd.DataFrame:
    """Return the trainings of the study over boxes; none where no light detector is trained, or it was not done.

    Raises:
        XmrError: it is of other runs than are recorded.
    """
    if not (facts.folder / "plotdata" / f"{BOXES}.csv").is_file():
        facts.note(f"plotdata {BOXES}", b"")
        return pd.DataFrame(columns=list(COLUMNS[BOXES]))
    points = plot_facts(facts, BOXES)
    for regions, model in ((DETECTED, MODEL), (WHOLE_IMAGE, WHOLE)):
        said = {round(result.val_rsum, 2) for result in facts.results(model)}
        found = set(points.loc[points["regions"] == regions, "val_rsum"].round(2))
        if not found or found - said:
            path = facts.folder / "plotdata" / f"{BOXES}.csv"
            raise XmrError(
                f"{path} is not of the recorded runs ({regions}: {sorted(found)}, of {model} {sorted(said)}); 'xmr run "
                f"--dataset {facts.dataset} --profile {facts.profile} --only 03' makes it anew"
            )
    return points


def judged(facts: RecordedResults) -> list[dict[str, str]]:
    """Return the rows of notebook 11's table of false negatives.

    Raises:
        XmrError: it is missing, or older than the runs that it is of.
    """
    path = facts.folder / "tables" / "11_false_negatives.csv"
    if not path.is_file():
        raise Missing(
            f"{path}: not there; 'xmr run --dataset {facts.dataset} --profile {facts.profile} --only 11' makes it",
            "false negatives",
        )
    text = path.read_text("utf-8")
    facts.note("false negatives", text.encode())
    rows = list(csv.DictReader(text.splitlines()))
    for row in rows:
        direction = "i2t" if row["query"].startswith("image") else "t2i"
        said = facts.results(row["model"])[0].test[f"{direction}_r1"]
        # A model that was fitted again for the table may find a query or two that the recorded one did not.
        if abs(float(row["R@1 (%)"]) - said) > 0.5:
            raise XmrError(
                f"{path} is not of the recorded runs (R@1 of {row['model']!r}: {row['R@1 (%)']}, recorded {said:.1f}); "
                f"'xmr run --dataset {facts.dataset} --profile {facts.profile} --only 11' makes it anew"
            )
    return rows


def gaps(facts: RecordedResults) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the modality gap of some runs, and what closing it does to one of them.

    Raises:
        XmrError: one of the runs was made anew since.
    """
    table, closing = plot_facts(facts, "modality_gap"), plot_facts(facts, "gap_closing")
    for own in table[table["stage"] == "after"].itertuples():
        of_seeds = [result.test["rsum"] for result in facts.results(own.run)]
        if not any(abs(own.rsum - rsum) <= SAME for rsum in of_seeds):
            _refuse(facts, "modality_gap", f"rSum of {own.run!r}: {own.rsum:.2f}, of its runs {of_seeds}", own.run)
    return table, closing


def _refuse(facts: RecordedResults, name: str, difference: str, run: str) -> None:
    raise XmrError(
        f"{facts.folder / 'plotdata' / name}.csv is not of the recorded runs ({difference}); 'xmr run --dataset "
        f"{facts.dataset} --profile {facts.profile} --only 08' makes it anew (and '{facts.command(run)}' the row)"
    )
