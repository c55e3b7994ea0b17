"""Several processes train as one does: the same loss, the same gradient, and after a kill the same numbers."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import several_processes
import torch

from xmr_lib.errors import XmrError
from xmr_lib.processes import Processes
from xmr_lib.runtime import CPU

HOME = Path(__file__).parent.parent
TRAIN = ["ab-infonce", "--dataset", "scenes", "--profile", "smoke", "--name", "shared", "--device", "cpu"]
CHANGES = {"optimiser.batch": 60, "optimiser.epochs": 6, "image.dropout": 0, "text.dropout": 0}


def torchrun(count: int, *command: str, cache: Path | None = None) -> subprocess.Popen:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    paths = os.pathsep.join([str(HOME), str(HOME / "tests")])
    environment = {
        **os.environ,
        "PYTHONPATH": paths,
        "OMP_NUM_THREADS": "1",
        **({"XMR_CACHE": str(cache)} if cache else {}),
    }
    pipe = subprocess.PIPE
    return subprocess.Popen([*launch, *command], env=environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)


def ended(process: subprocess.Popen) -> str:
    told, _ = process.communicate(timeout=300)
    assert process.returncode == 0, told[-3000:]
    return told


@pytest.fixture(scope="module")
def one_process():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        return {kind: several_processes.step(kind, CPU) for kind in several_processes.KINDS}
    finally:
        torch.set_default_dtype(before)


@pytest.mark.parametrize("count", [2, 3])
def test_loss_and_gradient_are_those_of_one_process(tmp_path, one_process, count):
    ended(torchrun(count, str(HOME / "tests" / "several_processes.py"), str(tmp_path)))
    for rank in range(count):
        found = json.loads((tmp_path / f"{rank}.json").read_text())
        for kind, expected in one_process.items():
            assert found[kind].keys() == expected.keys()
            for name, values in expected.items():
                np.testing.assert_allclose(found[kind][name], values, atol=1e-8, err_msg=f"{kind}: {name}")
    # Not for want of a gradient.
    assert all(max(map(abs, own["image.projections.0.linear.1.weight"])) > 1e-4 for own in one_process.values())


@pytest.mark.parametrize("kind", several_processes.KINDS)
def test_a_batch_in_chunks_has_the_same_loss_and_gradient(one_process, kind):
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        found = several_processes.step(kind, replace(CPU, chunk=5))
    finally:
        torch.set_default_dtype(before)
    for name, values in one_process[kind].items():
        np.testing.assert_allclose(found[name], values, atol=1e-8, err_msg=name)


def test_a_batch_is_cut_evenly_or_not_at_all():
    batch = torch.arange(12)
    slices = [Processes(rank, 3).share(batch) for rank in range(3)]
    assert torch.equal(torch.cat(slices), batch) and {len(own) for own in slices} == {4}
    with pytest.raises(XmrError, match=r"a batch of 12 can't be shared by 5 processes; set optimiser\.batch"):
        Processes(0, 5).share(batch)


def test_training_goes_as_with_one_process_and_on_after_a_kill(tmp_path):
    changes = [part for field, value in CHANGES.items() for part in ("--set", f"{field}={value}")]

    def command(results: str) -> list[str]:
        return ["-m", "xmr_lib", "train", *TRAIN, *changes, "--results", str(tmp_path / results)]

    def result(results: str) -> dict:
        return json.loads((tmp_path / results / "scenes/runs/shared/seed0/result.json").read_text("utf-8"))

    caches = {count: tmp_path / f"cache{count}" for count in (1, 2, 3)}
    environment = {**os.environ, "PYTHONPATH": str(HOME), "XMR_CACHE": str(caches[1])}
    subprocess.run([sys.executable, *command("1")], env=environment, check=True, capture_output=True)
    one = result("1")
    for count in (2, 3):
        told = ended(torchrun(count, *command(str(count)), cache=caches[count]))
        # Only one of them speaks.
        rows = [line for line in told.replace("\r", "\n").splitlines() if line.startswith("shared ")]
        assert len([row for row in rows if not row.startswith("shared seed")]) == 1
        several = result(str(count))
        np.testing.assert_allclose(several["history"]["loss"], one["history"]["loss"], rtol=1e-3)
        assert abs(several["history"]["val_rsum"][0] - one["history"]["val_rsum"][0]) < 0.5
        for file in ("values.npy", "ids.npy", "meta.json", "pictures.json"):
            store = "scenes-*/features/effnet-lite0"
            contents = [next(caches[own].glob(f"{store}/{file}")).read_bytes() for own in (1, count)]
            assert contents[0] == contents[1], file
        assert not list(caches[count].glob("scenes-*/features/*.shares"))
    two = result("2")
    process = torchrun(2, *command("killed"), cache=caches[2])
    [checkpoint] = wait_for(caches[2], "scenes-*/checkpoints/shared/seed0.safetensors", process)
    [victim] = [pid for pid in children_of(process.pid) if environment_of(pid).get("RANK") == "1"]
    os.kill(victim, signal.SIGKILL)
    process.communicate(timeout=120)
    assert process.returncode != 0 and checkpoint.is_file() and not (tmp_path / "killed/scenes/runs").exists()
    ended(torchrun(2, *command("killed"), cache=caches[2]))
    again = result("killed")
    assert again["history"]["loss"] == two["history"]["loss"] and again["test"] == two["test"]


def wait_for(folder: Path, pattern: str, process: subprocess.Popen) -> list[Path]:
    for _ in range(6000):
        if found := list(folder.glob(pattern)):
            return found
        assert process.poll() is None, process.communicate()[0][-3000:]
        time.sleep(0.02)
    raise AssertionError(f"{pattern} never came")


def children_of(pid: int) -> list[int]:
    return [int(own) for own in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def environment_of(pid: int) -> dict[str, str]:
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)
