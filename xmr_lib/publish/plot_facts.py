"""``plotdata/*.csv`` of notebook 08: refused where it is older than the runs that it was made from."""

import pandas as pd

from ..errors import XmrError
from ..plotdata import read_plotdata
from .facts import RecordedResults

SAME = 0.02
"""Points by which a recall may differ: shares are written with four places."""


def plot_facts(facts: RecordedResults, name: str) -> pd.DataFrame:
    """Return one table, counted among the facts that were asked for.

    Raises:
        XmrError: it is missing.
    """
    table = read_plotdata(facts.folder, name)
    facts.note(f"plotdata {name}", (facts.folder / "plotdata" / f"{name}.csv").read_text("utf-8").encode())
    return table


def rank_shares(facts: RecordedResults, runs: tuple[str, ...]) -> pd.DataFrame:
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
