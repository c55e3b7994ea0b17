"""A disk that is full while a checkpoint, a run or a table is written: one line, and what was there before."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SETUP = """
import json, resource, sys
from dataclasses import replace
from pathlib import Path
import numpy as np, torch
sys.path.insert(0, TESTS)
from test_records import RANKS, result
from xmr_lib.errors import XmrError
from xmr_lib.metrics import Ranks
from xmr_lib.records import summary_row, write_run
from xmr_lib.summary_csv import update_summary
from xmr_lib.tensor_file import write_tensors

def full(size):
    # Files that would grow beyond it are refused with EFBIG, as a full disk refuses them with ENOSPC.
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def tensors(folder, length):
    write_tensors(folder / "a.safetensors", {"a": torch.arange(float(length))}, {"names": "x"})

def run(folder, length):
    many = np.random.default_rng(0).integers(1, 60_000, length)
    write_run(folder, result(rsum=float(length)), Ranks(many, many, np.arange(length)))

def table(folder, length):
    update_summary(folder, [summary_row([replace(result(), config=result().config.replace(name=f"m{n}"))], (1.0, 2.0))
                            for n in range(length // 100)])

folder, job = Path(sys.argv[1]), globals()[sys.argv[2]]
job(folder, 100)
before = {str(path): path.read_bytes().hex() for path in folder.rglob("*") if path.is_file()}
full(4096)
try:
    job(folder, 50_000)
    told = ""
except (XmrError, OSError) as error:
    told = str(error)
full(resource.RLIM_INFINITY)
left = {str(path): path.read_bytes().hex() for path in folder.rglob("*") if path.is_file()}
job(folder, 50_000)
print(json.dumps([told, left == before, sorted(path.name for path in folder.rglob(".*"))]))
"""


@pytest.mark.parametrize(
    ("job", "message"),
    [("tensors", "a.safetensors: can't be written"), ("run", "File too large"), ("table", "File too large")],
)
def test_what_was_there_stays_and_the_next_attempt_succeeds(tmp_path, job, message):
    script = SETUP.replace("TESTS", repr(str(Path(__file__).parent)))
    found = subprocess.run([sys.executable, "-c", script, tmp_path, job], capture_output=True, text=True, check=True)
    told, same, hidden = json.loads(found.stdout)
    assert message in told and "\n" not in told
    assert same and hidden == []
