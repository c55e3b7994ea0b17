"""Groups of runs, and the one of each that validation prefers: test scores choose nothing."""

from ..errors import XmrError
from ..study.names import NAMES
from .facts import Missing, RecordedResults

EARLY = ("concat", "sum", "average", "gate", "attention")
GROUPS: dict[str, tuple[str, ...]] = {
    "cca": ("cca-mean", "cca-sum", "cca-max", "cca-meanmax", "cca-idf"),
    "losses": ("ab-infonce", *(f"ab-triplet-{negatives}" for negatives in ("random", "semihard", "hardest", "all"))),
    "aggregations": ("ab-infonce", "ab-infonce-meanmax", "ab-infonce-idf"),
    "regions": tuple(f"c-roi-{how}" for how in ("mean", "max", "score", "attention", "selfattention", "gpo")),
    "bert-frozen": tuple(run for run in NAMES if run.startswith("d-") and run != "d-meanmax-tuned"),
    "representations": ("r-onehot", "r-phoc", "r-glove", "r-fasttext"),
    "recurrent": ("e-lstm", "e-bilstm", "e-gru", "e-bigru"),
    "recurrent-trained": ("e-lstm-trained", "e-bigru-trained", "e-bigru-meanmax-trained"),
    "words-frozen": ("e-mean", "e-meanmax", "e-attention"),
    "words-trained": (
        *("e-mean-trained", "e-meanmax-trained", "e-attention-trained"),
        *("r-onehot-trained", "r-onehot-glove-trained"),
    ),
    "early-image": tuple(f"f-image-{how}" for how in EARLY),
    "early-text": tuple(f"f-text-{how}" for how in EARLY),
}


def _clean(row: dict[str, str]) -> bool:
    return row["track"] == "clean"


def _single(row: dict[str, str]) -> bool:
    return _clean(row) and row["loss"] != "scores averaged"


OPEN_GROUPS = {
    "clean": lambda row: _single(row) and row["task"] != "best",
    "single": _single,
    "best": _clean,
    "all": lambda row: True,
}
"""Groups of what is recorded: the clean single models of the study, and with those of the way to the best model; all
clean models; every model."""


def members(facts: RecordedResults, group: str) -> list[str]:
    """Return the runs of a group.

    Raises:
        XmrError: there is no such group.
    """
    if group in GROUPS:
        return list(GROUPS[group])
    if group in OPEN_GROUPS:
        return [run for run in NAMES if run in facts.rows and OPEN_GROUPS[group](facts.rows[run])]
    raise XmrError(f"group {group!r} is unknown; there are {', '.join([*GROUPS, *OPEN_GROUPS])}")


def chosen(facts: RecordedResults, group: str) -> str:
    """Return the run of a group with the highest rSum on validation.

    Raises:
        XmrError: there is no such group, or a run of it is missing.
    """
    there = list(filter(facts.wanted, members(facts, group)))
    if not there:
        raise Missing(f"no run of the group {group!r} is recorded", f"@{group}")
    return max(there, key=lambda run: float(facts.row(run)["val_rsum"]))


def resolve(facts: RecordedResults, run: str) -> str:
    """Return a run's name: itself, or what validation chooses for ``@GROUP``."""
    return chosen(facts, run[1:]) if run.startswith("@") else run
