"""Where work is done: what is asked for is had or refused in one line; what is fetched ahead comes in its order."""

import os
import threading

import pytest
import torch
from pretend_device import DEVICE, OnDevice, pretended

from xmr_lib.cli.app import use_runtime
from xmr_lib.errors import XmrError
from xmr_lib.ragged import Ragged
from xmr_lib.runtime import CPU, Runtime


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    for variable in ("XMR_DEVICE", "XMR_PRECISION", "XMR_WORKERS", "XMR_HOLD_MB"):
        monkeypatch.delenv(variable, raising=False)


def test_auto_takes_a_gpu_if_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Runtime.of().on_cpu and Runtime.of().name == CPU.name == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert Runtime.of().device == torch.device("cuda", 0)
    assert Runtime.of("cuda:1").device == torch.device("cuda", 1)
    monkeypatch.setenv("XMR_DEVICE", "cpu")
    assert Runtime.of().on_cpu
    with pytest.raises(XmrError, match=r"'cuda:2': torch .* finds 2 of this kind"):
        Runtime.of("cuda:2")


def test_what_the_environment_says_holds_where_nothing_else_is_said(monkeypatch):
    monkeypatch.setenv("XMR_DEVICE", "cpu")
    monkeypatch.setenv("XMR_PRECISION", "bf16")
    monkeypatch.setenv("XMR_WORKERS", "5")
    monkeypatch.setenv("XMR_HOLD_MB", "7")
    assert Runtime.of() == Runtime(torch.device("cpu"), "bf16", 5, 7 * 2**20)
    assert Runtime.of().name == "cpu bf16"
    assert Runtime.of("cpu", "fp32", 1) == Runtime(torch.device("cpu"), "fp32", 1, 7 * 2**20)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("gpu",), "device 'gpu' is unknown; there are auto, cpu, cuda"),
        (("cpu:1",), "device 'cpu:1' is unknown"),
        (("cuda:x",), "device 'cuda:x' is unknown"),
        (("cpu", "fp16"), "precision 'fp16' is unknown; there are fp32, bf16"),
        (("cpu", "fp32", 0), "workers 0: give at least 1"),
    ],
)
def test_what_there_is_not_is_refused_in_one_line(asked, says):
    with pytest.raises(XmrError, match=says):
        Runtime.of(*asked)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(XmrError, match=r"device 'cuda': torch .* finds 0 of this kind; take --device cpu or auto"):
        Runtime.of("cuda")
    monkeypatch.setenv("XMR_WORKERS", "many")
    with pytest.raises(XmrError, match="XMR_WORKERS='many': give a whole number"):
        Runtime.of("cpu")
    monkeypatch.setenv("XMR_WORKERS", "2")
    monkeypatch.setenv("XMR_HOLD_MB", "1.5")
    with pytest.raises(XmrError, match=r"XMR_HOLD_MB='1.5': give a whole number"):
        Runtime.of("cpu")


def test_what_is_fetched_ahead_comes_in_its_order_and_lies_on_the_device():
    threads = set()

    def fetch(batch):
        threads.add(threading.get_ident())
        return torch.full((2,), batch), {"rows": Ragged(torch.ones(3, 2), torch.tensor([0, batch % 3, 3]))}

    with pretended() as runtime:
        found = list(runtime.fetched(range(7), fetch))
    assert [int(x[0].cpu()[0]) for x in found] == list(range(7))
    assert len(threads) == 1 and threading.get_ident() not in threads
    assert all(isinstance(x, OnDevice) and isinstance(y["rows"].values, OnDevice) for x, y in found)
    # How long items are is known on the host.
    assert not any(isinstance(y["rows"].offsets, OnDevice) for _, y in found)
    assert [int(x[0][0]) for x in CPU.fetched(range(3), fetch)] == [0, 1, 2]


def test_an_error_of_what_is_fetched_ahead_comes_out_and_the_thread_ends():
    def fetch(batch):
        if batch == 2:
            raise XmrError("batch 2 can't be read")
        return (torch.zeros(1),)

    before = threading.active_count()
    with pretended() as runtime, pytest.raises(XmrError, match="batch 2 can't be read"):
        list(runtime.fetched(range(9), fetch))
    assert threading.active_count() == before


def test_what_does_not_fit_stays_on_the_host():
    items = Ragged(torch.ones(4, 2), torch.tensor([0, 1, 4]))
    with pretended(roomy=True) as runtime:
        assert runtime.keep(items).values.device == DEVICE
    with pretended() as runtime:
        assert runtime.keep(items).values.device.type == "cpu"
    assert CPU.keep(items) is items


def test_bf16_computes_in_bf16_and_fp32_does_not():
    layer, x = torch.nn.Linear(4, 4), torch.randn(2, 4)
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        with Runtime.of("cpu", precision).autocast():
            assert layer(x).dtype == dtype


def test_a_command_hands_the_device_on_to_the_kernels_of_its_notebooks(monkeypatch):
    for variable in ("XMR_DEVICE", "XMR_PRECISION", "XMR_WORKERS"):
        # Set, so that what the command sets is taken back after the test.
        monkeypatch.setenv(variable, "")
    use_runtime("cpu", "bf16", None)
    assert os.environ["XMR_DEVICE"] == "cpu" and os.environ["XMR_PRECISION"] == "bf16"
    assert not os.environ["XMR_WORKERS"] and Runtime.of().name == "cpu bf16"
    with pytest.raises(XmrError, match="device 'tpu' is unknown"):
        use_runtime("tpu", None, None)
    assert os.environ["XMR_DEVICE"] == "cpu"


def test_what_several_processes_cannot_share_is_refused_under_torchrun(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    with pytest.raises(XmrError, match="share 'xmr train' and 'xmr features' alone; start this without torchrun"):
        use_runtime("cpu", None, None)
