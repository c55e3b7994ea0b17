"""What is recorded of a dataset: the only source of numbers; a row that its runs don't confirm is refused."""

import csv
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..csv_rows import csv_rows
from ..errors import XmrError
from ..metrics import Ranks, summarise
from ..paths import reference_root, runs_root
from ..records import RANKS, Result, read_ranks, read_result, recorded_seeds, run_folder, summary_row
from ..study.among_images import COLUMNS
from ..study.names import NAMES
from ..study.table_rows import Line
from ..summary_csv import COLUMNS_2, read_summary
from .tex import is_number

TOLERANCE = 1e-3
"""Points by which a row may differ from its runs: it is written with four places."""
IMAGE_RETRIEVAL = "image_retrieval.csv"
IMAGE_TEXTS = COLUMNS[: COLUMNS.index("seeds")]
"""Its columns that hold no numbers."""


class Missing(XmrError):
    """Something is not recorded (not: it is wrong): documents are built without it, unless they are to be strict.

    Args:
        message: for a build that stops.
        what: its name, for one that goes on.
    """

    def __init__(self, message: str, what: str):
        super().__init__(message)
        self.what = what


@dataclass(frozen=True)
class RecordedResults:
    """The facts of one dataset, read when they are asked for; each that was asked for is in ``used``."""

    folder: Path
    """``<results>/<dataset>``."""
    rows: dict[str, dict[str, str]]
    """``summary.csv`` by run."""
    used: dict[str, str] = field(default_factory=dict)
    """Hash of each fact that was asked for."""
    results_read: dict[str, list[Result]] = field(default_factory=dict)
    ranks_read: dict[str, list[Ranks]] = field(default_factory=dict)
    strict: bool = True
    """Whether what is not recorded stops the build, instead of leaving a gap."""
    gaps: set[str] = field(default_factory=set)
    """What was asked for and is not recorded."""

    @classmethod
    def read(cls, folder: str | Path, strict: bool = True) -> "RecordedResults":
        """Read the table of record of a dataset.

        Raises:
            XmrError: there is none.
        """
        folder = Path(folder)
        rows = {row["run"]: row for row in read_summary(folder / "summary.csv")}
        if not rows:
            raise XmrError(f"{folder / 'summary.csv'}: no results here; 'xmr run --dataset {folder.name}' makes them")
        return cls(folder, rows, strict=strict)

    @property
    def dataset(self) -> str:
        return self.folder.name

    def apart(self) -> "RecordedResults":
        """Return the same facts with a list of its own of what was asked for."""
        return replace(self, used={})

    def digest(self) -> str:
        """Return a hash of all facts that were asked for."""
        return hashlib.sha256(json.dumps(sorted(self.used.items())).encode()).hexdigest()[:16]

    def note(self, key: str, content: bytes) -> None:
        """Count something among the facts that were asked for."""
        self.used[key] = hashlib.sha256(content).hexdigest()

    def has(self, line: Line) -> bool:
        """Return whether a table's line has numbers: it is recorded; where strict: it has to be, or it is."""
        return self.wanted(line.run) and (line.needed or line.run in self.rows)

    def wanted(self, run: str) -> bool:
        """Return whether a run is read: always where strict, else only where it is recorded, and a gap where not."""
        if self.strict or run in self.rows:
            return True
        self.gaps.add(run)
        return False

    def row(self, run: str) -> dict[str, str]:
        """Return a run's row of ``summary.csv``, checked against its runs.

        Raises:
            XmrError: there is none, or it is older than its runs.
        """
        if run not in self.rows:
            said = f"{self.folder / 'summary.csv'}: no row of the run {run!r}; '{self.command(run)}' makes it"
            # What is no model of the study is a slip of the pen, and never a gap.
            raise Missing(said, run) if run in NAMES else XmrError(said)
        self.results(run)
        return self.rows[run]

    def results(self, run: str) -> list[Result]:
        """Return the results that a row of ``summary.csv`` is the mean of, one per seed.

        Raises:
            XmrError: the row or a result is missing, or they don't agree.
        """
        if run not in self.rows:
            return [self.row(run)]  # raises
        if run not in self.results_read:
            self.results_read[run] = self._checked(run)
        # A column that came later and is empty is no fact: documents of before are not older for it.
        row = {column: value for column, value in self.rows[run].items() if value or column in COLUMNS_2}
        self.note(f"row {run}", json.dumps(row, sort_keys=True).encode())
        for result in self.results_read[run]:
            path = run_folder(self.folder, run, result.seed) / "result.json"
            self.note(f"result {run} {result.seed}", path.read_text("utf-8").encode())
        return self.results_read[run]

    def ranks(self, run: str) -> list[Ranks]:
        """Return the ranks of a run's test split, one per seed of its row.

        Raises:
            XmrError: they are missing, or not those of the results.
        """
        for result in self.results(run):
            path = run_folder(self.folder, run, result.seed) / RANKS
            if not path.is_file():
                raise XmrError(f"{path}: the ranks of {run!r} are missing; '{self.command(run)}' makes them")
            self.note(f"ranks {run} {result.seed}", path.read_bytes())
        if run not in self.ranks_read:
            self.ranks_read[run] = [self._ranks(run, result) for result in self.results(run)]
        return self.ranks_read[run]

    def image_rows(self) -> dict[str, dict[str, str]]:
        """Return ``image_retrieval.csv`` by run.

        Raises:
            XmrError: there is none, or it isn't what the notebook writes.
        """
        path = self.folder / IMAGE_RETRIEVAL
        if not path.is_file():
            said = f"{path}: no image retrieval; 'xmr run --dataset {self.dataset} --only 07' makes it"
            raise Missing(said, "image retrieval")
        text = path.read_text("utf-8")
        self.note("image retrieval", text.encode())
        rows = {row.get("run", ""): row for row in csv.DictReader(text.splitlines())}
        faults = (_image_fault(run, row) for run, row in rows.items()) if rows else ["no row"]
        if fault := next(filter(None, faults), ""):
            raise XmrError(f"{path}: {fault}; 'xmr run --dataset {self.dataset} --only 07' makes it anew")
        return rows

    def of_software(
        self, what: str, file: str, columns: Sequence[str], words: Sequence[str], command: str
    ) -> list[dict[str, str]]:
        """Return the rows of a measurement of the software itself, whatever the dataset.

        Args:
            what: its name among the facts.
            file: below the reference results.
            columns: that it has to have.
            words: columns that hold no numbers.
            command: what makes it.

        Raises:
            XmrError: it is missing or damaged.
        """
        path = reference_root() / file
        rows = csv_rows(path, [tuple(columns)], tuple(words), f"'{command}' makes it anew")
        if not rows:
            raise Missing(f"{path}: not there; '{command}' makes it", what)
        self.note(what, path.read_bytes())
        return rows

    def origin(self, run: str) -> str:
        """Return run, dataset and seeds, for the comment beside a number."""
        return f"{run}, {self.dataset}, seeds {', '.join(str(result.seed) for result in self.results(run))}"

    @property
    def profile(self) -> str:
        """Sizes that the results were made with."""
        first = next((self.folder / "runs").glob("*/seed*/result.json"), None)
        return read_result(first).data["profile"] if first else "demo"

    def command(self, run: str) -> str:
        """Return the command that makes a run, or only its row where the run is there already."""
        seeds = self.seeds_found(run)
        of_seeds = f" --seeds {','.join(map(str, seeds))}" if seeds else ""
        own = {place.resolve() for place in (runs_root(), reference_root())}
        elsewhere = "" if self.folder.parent.resolve() in own else f" --results {self.folder.parent}"
        return f"xmr train {run} --dataset {self.dataset} --profile {self.profile}{of_seeds}{elsewhere}"

    def seeds_found(self, run: str) -> list[int]:
        """Return the seeds of a run that its row is of: those with ranks, or all where none has any."""
        found = (self.folder / "runs" / run).glob("seed*/result.json")
        return recorded_seeds(self.folder, run) or sorted(int(path.parent.name.removeprefix("seed")) for path in found)

    def _checked(self, run: str) -> list[Result]:
        row, seeds = self.rows[run], self.seeds_found(run)
        found = [read_result(run_folder(self.folder, run, seed) / "result.json") for seed in seeds]
        if len(found) < int(row["seeds"]):
            raise XmrError(
                f"{self.folder}: the row of {run!r} in summary.csv is of {row['seeds']} seed(s), but "
                f"{len(found)} result.json are there; '{self.command(run)}' makes it anew"
            )
        if difference := _difference(row, found):
            raise XmrError(
                f"{self.folder}: the row of {run!r} in summary.csv is not what its runs say ({difference}): it is "
                f"older than they are; '{self.command(run)}' makes it anew"
            )
        return found

    def _ranks(self, run: str, result: Result) -> Ranks:
        ranks = read_ranks(self.folder, run, result.seed)
        if abs((rsum := summarise(ranks)["rsum"]) - result.test["rsum"]) > TOLERANCE:
            folder = run_folder(self.folder, run, result.seed)
            raise XmrError(
                f"{folder}: ranks.npz gives rSum {rsum:.2f}, result.json says {result.test['rsum']:.2f}: they are of "
                f"two runs; delete the folder and '{self.command(run)}'"
            )
        return ranks


def _image_fault(run: str, row: dict[str, str]) -> str:
    """Return what is wrong with a row of image retrieval: it is printed as it stands, with no run to confirm it."""
    for column in COLUMNS:
        text = row.get(column)
        if not text or (column not in IMAGE_TEXTS and not is_number(text)):
            return f"{run!r} has no number as its {column!r}" if text else f"{run!r} has no {column!r}"
    return ""


def _difference(row: dict[str, str], results: Sequence[Result]) -> str:
    """Return where a row differs from the mean of results, in words, or nothing."""
    # The interval is not in result.json: it stands as it is.
    made = summary_row(results, (float(row["rsum_low"]), float(row["rsum_high"])))
    for column, value in made.items():
        said = row[column]
        if not said:
            continue  # version 1 did not record it
        try:
            same = abs(float(said) - float(value)) <= TOLERANCE
        except ValueError:
            same = said == str(value)
        if not same:
            return f"{column} {said} against {value}"
    return ""
