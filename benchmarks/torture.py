"""``make torture``: changed files, flipped bits, kills and two at once, many times. Writes runs/torture/summary.csv."""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from ast import literal_eval
from collections import Counter
from pathlib import Path

from xmr_lib.paths import atomic_write, runs_root

TESTS = Path(__file__).parent.parent / "tests"
TRIALS = {
    "test_a_changed_file_is_read_or_told": "changed at random",
    "test_a_flipped_bit_is_never_believed": "one bit flipped",
}
COLUMNS = ("trial", "what", "tried", "told", "read", "same")
"""How often it was tried, and what came of it: told in one line; read, with other values (of files without checksums,
which may hold anything); the same as if nothing had been. Whatever else comes of it stops the run: no row has it."""


def tallies(folder: Path) -> dict[tuple[str, str], Counter]:
    """Return what came of the trials, by kind and by what was tried."""
    found: dict[tuple[str, str], Counter] = {}
    for path in folder.glob("*.csv"):
        with path.open(newline="") as file:
            for what, trial, counts in csv.reader(file):
                found.setdefault((TRIALS.get(trial, trial), what), Counter()).update(literal_eval(counts))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=float, default=20, help="as often as the tests do it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"XMR_TORTURE": str(given.times), "XMR_TORTURE_TABLE": folder}
        files = sorted(map(str, TESTS.glob("test_torture*.py")))
        command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "load", "--no-cov", "-q", *files]
        if subprocess.run(command, env=environment, cwd=TESTS.parent, check=False).returncode:
            sys.exit("torture: something gave way (see above); nothing is written")
        rows = [
            {
                "trial": trial,
                "what": what,
                "tried": sum(counts.values()),
                "told": counts["told"],
                "read": counts["read"],
            }
            for (trial, what), counts in sorted(tallies(Path(folder)).items())
        ]
    for row in rows:
        row["same"] = row["tried"] - row["told"] - row["read"]
    path = runs_root() / "torture" / "summary.csv"
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(
            "  ".join(
                f"{column} {row[column]}" if column not in COLUMNS[:2] else f"{row[column]:24}" for column in COLUMNS
            )
        )
    print(path)


if __name__ == "__main__":
    main()
