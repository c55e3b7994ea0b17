"""Whatever becomes of a file, reading it gives its values or one line; `make torture` does the same for longer.

``XMR_TORTURE`` multiplies how often; ``XMR_TORTURE_TABLE`` names a folder for what was tried and what came of it.
"""

import csv
import json
import os
import random
import shutil
import signal
import warnings
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

import pytest
from mutants import flipped, mutant
from torture_cases import CASES, Case, digest

from xmr_lib.errors import XmrError
from xmr_lib.experiment import run
from xmr_lib.experiment.run import model_folder
from xmr_lib.model.folder import load_model
from xmr_lib.study import get_configs

TIMES = float(os.environ.get("XMR_TORTURE", "1"))
MUTANTS, FLIPS = round(40 * TIMES), round(40 * TIMES)
LONGEST, SECONDS = 2000, 30


@pytest.fixture
def tally(request):
    """Counts of what came of each trial; written to the table, if one is asked for."""
    found = Counter()
    yield found
    if place := os.environ.get("XMR_TORTURE_TABLE"):
        with (Path(place) / f"{os.getpid()}.csv").open("a", newline="") as file:
            csv.writer(file).writerow([*request.node.callspec.params.values(), request.node.originalname, dict(found)])


@contextmanager
def in_time(what: str):
    """Fail where something takes far too long."""

    def late(*_):
        pytest.fail(f"{what}: still not read after {SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def tried(case: Case, folder: Path, what: str) -> str | None:
    """Read what is in a folder; return the values' digest, or None where it was told in one line."""
    try:
        with warnings.catch_warnings(), in_time(what):
            warnings.simplefilter("ignore")
            return digest(case.read(folder))
    except XmrError as error:
        assert "\n" not in str(error) and len(str(error)) < LONGEST, f"{what}: {error}"
        return None
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error


@pytest.fixture
def made(request, tmp_path):
    """A good one, the file to change next, and a way to put all back."""
    case = CASES[request.param]
    good, folder = tmp_path / "good", tmp_path / "it"
    good.mkdir()
    case.make(good)
    files = [path.relative_to(good) for path in sorted(good.rglob(case.files)) if path.is_file()]
    files = [path for path in files if not any(part.startswith(".") for part in path.parts) and path.suffix != ".lock"]
    assert files, "nothing to change"

    def anew() -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(good, folder)
        return folder

    return request.param, case, files, anew


def trials(made, kind: str, change, times: int):
    """Change a file in one way after the other; yield what it is and what came of reading it."""
    name, case, files, anew = made
    right = tried(case, anew(), name)
    assert right is not None
    for number in range(times):
        rng = random.Random(f"{name} {kind}{number}")
        folder, file = anew(), rng.choice(files)
        path = folder / file
        path.write_bytes(change(path.read_bytes(), rng))
        what = f"{name}, {kind or 'mutant '}{number} of {file}"
        found = tried(case, folder, what)
        yield what, "told" if found is None else "the same values" if found == right else "read"


@pytest.mark.parametrize("made", CASES, indirect=True)
def test_a_changed_file_is_read_or_told(made, tally):
    _, case, *_ = made
    for what, came in trials(made, "", mutant, MUTANTS):
        assert came != "read" or not case.sealed, f"{what}: believed"
        tally[came] += 1


@pytest.mark.parametrize("made", [name for name, case in CASES.items() if case.sealed], indirect=True)
def test_a_flipped_bit_is_never_believed(made, tally):
    for what, came in trials(made, "flip ", flipped, FLIPS):
        assert came != "read", f"{what}: believed"
        tally[came] += 1


def test_a_model_with_a_flipped_bit_is_never_loaded(smoke_workspace, tmp_path):
    [config] = get_configs(smoke_workspace, "r-onehot-glove-trained")
    run(smoke_workspace, config)
    good, folder = model_folder(smoke_workspace, config, 0), tmp_path / "model"
    files = [path.relative_to(good) for path in sorted(good.rglob("*")) if path.is_file() and path.suffix != ".md"]
    assert {path.name for path in files} >= {"model.json", "weights.safetensors", "words.json", "bank.safetensors"}
    tally = Counter()
    for number in range(FLIPS):
        rng = random.Random(f"model {number}")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(good, folder)
        path = folder / rng.choice(files)
        path.write_bytes(flipped(path.read_bytes(), rng))
        try:
            load_model(folder)
        except XmrError as told:
            assert "\n" not in str(told) and len(str(told)) < LONGEST
            tally["told"] += 1
        else:
            tally["the same values"] += 1
            # Another spelling of the same numbers: 1E-05.
            assert path.name == "model.json", f"flip {number} of {path.name}: believed"
            assert json.loads(path.read_text()) == json.loads((good / "model.json").read_text())
    if place := os.environ.get("XMR_TORTURE_TABLE"):
        with (Path(place) / f"{os.getpid()}.csv").open("a", newline="") as file:
            csv.writer(file).writerow(["model", "one bit flipped", dict(tally)])
