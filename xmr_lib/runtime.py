"""``Runtime``: on which device work is done, how exactly, and by how many threads; nothing else asks torch for devices.

What is ranked, tested or solved in closed form (CCA) stays on the processor, in full precision: a device trains and
embeds. Frozen features are computed in single precision whatever ``precision`` says, so that a store is the same for
everybody up to rounding.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import torch
from torch import nn

from .errors import XmrError
from .processes import ALONE, Processes

DEVICE, PRECISION, WORKERS = "XMR_DEVICE", "XMR_PRECISION", "XMR_WORKERS"
"""Environment variables; the options of the commands set them, so that a notebook's kernel inherits them."""
HOLD, CHUNK = "XMR_HOLD_MB", "XMR_CHUNK"
PRECISIONS = ("fp32", "bf16")
AHEAD = 2
"""Batches that are fetched before they are asked for."""
MOST_WORKERS = 8
T = TypeVar("T")


@dataclass(frozen=True)
class Runtime:
    """Where work is done."""

    device: torch.device = torch.device("cpu")  # noqa: RUF009 (it can't be changed)
    precision: str = "fp32"
    """Of training and embedding: ``fp32``, or ``bf16``, mixed precision."""
    workers: int = 2
    """Threads that decode pictures; a network on the processor needs the rest of the machine."""
    hold: int = 2**62
    """Bytes of features of one kind and split that the host holds in memory; what is more is read batch by batch."""
    chunk: int = 0
    """Pairs whose activations a step keeps at once; what is more is computed anew for the gradient. 0: keeps all."""
    processes: Processes = ALONE
    """That train together."""

    @classmethod
    def of(cls, device: str | None = None, precision: str | None = None, workers: int | None = None) -> "Runtime":
        """Choose a device; what is not said is taken from the environment, else ``auto``, ``fp32`` and by the device.

        Args:
            device: ``auto`` (a GPU if there is one), ``cpu``, ``cuda``, ``cuda:1``, ``mps``; where torchrun has started
                several processes on a machine, each takes the ``cuda`` of its number.
            precision: see ``precision`` of the class.
            workers: see ``workers`` of the class.

        Raises:
            XmrError: there is no such device here, it can't do this precision, or a value is none of these.
        """
        chosen = _device(device or os.environ.get(DEVICE) or "auto")
        precision = precision or os.environ.get(PRECISION) or "fp32"
        if precision not in PRECISIONS:
            raise XmrError(f"precision {precision!r} is unknown; there are {', '.join(PRECISIONS)}")
        if chosen.type == "cuda":
            if precision == "bf16" and not torch.cuda.is_bf16_supported(including_emulation=False):
                raise XmrError(f"precision 'bf16': {torch.cuda.get_device_name(chosen)} can't do it; take fp32")
            # Its convolutions would drop 13 bits of what is called single precision.
            torch.backends.cudnn.allow_tf32 = False
        return cls(
            chosen, precision, _workers(workers, chosen), _hold(), _number(CHUNK) or 0, Processes.of_torchrun(chosen)
        )

    @property
    def on_cpu(self) -> bool:
        return self.device.type == "cpu"

    @property
    def name(self) -> str:
        """The device as results record it: ``cpu``, or what a GPU calls itself; with the precision, if not single."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        return name if self.precision == "fp32" else f"{name} {self.precision}"

    @property
    def alone(self) -> "Runtime":
        """The same without the other processes: of what the first one does for all."""
        return replace(self, processes=Processes(device=self.device))

    @property
    def identity(self) -> dict[str, object]:
        """What a training that goes on must have been begun with, to end with the same numbers."""
        return {"precision": self.precision, "processes": self.processes.count, "chunk": self.chunk}

    def autocast(self) -> AbstractContextManager:
        """Within it, modules compute in the runtime's precision."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def send(self, items: T) -> T:
        """Bring tensors (or what has a ``to`` like them, or tuples, lists and dictionaries of such) to the device.

        The host does not wait for it.
        """
        return _each(items, lambda item: item.to(self.device, non_blocking=True))

    def place(self, module: nn.Module) -> nn.Module:
        """Move a module to the device, if it is not there yet; return it. One without parameters (CCA) stays."""
        first = next(module.parameters(), None)
        return module if first is None or first.device == self.device else module.to(self.device)

    def keep(self, items: T) -> T:
        """Bring items to the device for good where they fit; else they stay on the host and are sent in batches."""
        return self.send(items) if not self.on_cpu and items.nbytes <= self.room() else items

    def room(self) -> int:
        """Bytes that may be kept on the device: the rest is for the model and its steps."""
        if self.device.type == "cuda":
            return torch.cuda.mem_get_info(self.device)[0] // 3
        return torch.mps.recommended_max_memory() // 4 if self.device.type == "mps" else 0

    def fetched(self, batches: Iterable[Any], fetch: Callable[[Any], tuple]) -> Iterator[tuple]:
        """Yield what ``fetch`` gives for each batch, on the device.

        A thread fetches, and pins, the next ones while the device computes; on the processor the network would only
        have to share it with that thread.
        """
        if self.on_cpu:
            yield from map(fetch, batches)
            return

        def ready(batch: Any) -> tuple:
            found = fetch(batch)
            return _each(found, _pinned) if self.device.type == "cuda" else found

        with ThreadPoolExecutor(1) as thread:
            waiting: deque = deque()
            for batch in batches:
                waiting.append(thread.submit(ready, batch))
                if len(waiting) > AHEAD:
                    yield self.send(waiting.popleft().result())
            while waiting:
                yield self.send(waiting.popleft().result())


CPU = Runtime()


def _each(items: Any, act: Callable[[Any], Any]) -> Any:
    """Do something to all that tuples, lists and dictionaries hold; return the same structure."""
    if isinstance(items, tuple | list):
        return type(items)(_each(item, act) for item in items)
    if isinstance(items, dict):
        return {name: _each(item, act) for name, item in items.items()}
    return act(items)


def _pinned(item: Any) -> Any:
    # What lies on the device already can't be pinned.
    where = item if isinstance(item, torch.Tensor) else getattr(item, "values", None)
    return item.pin_memory() if where is None or where.device.type == "cpu" else item


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, _, number = name.partition(":")
    number = number or os.environ.get("LOCAL_RANK", "") * (kind == "cuda")
    if kind not in ("cpu", "cuda", "mps") or (number and (kind != "cuda" or not number.isdecimal())):
        raise XmrError(f"device {name!r} is unknown; there are auto, cpu, cuda (cuda:1, …), mps")
    found = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }[kind]
    if int(number or 0) >= found:
        raise XmrError(
            f"device {name!r}: torch {torch.__version__} finds {found} of this kind; take --device cpu or auto"
        )
    return torch.device(kind, int(number or 0)) if kind == "cuda" else torch.device(kind)


def _number(variable: str) -> int | None:
    text = os.environ.get(variable)
    if text and not text.isdecimal():
        raise XmrError(f"{variable}={text!r}: give a whole number")
    return int(text) if text else None


def _hold() -> int:
    """Return ``XMR_HOLD_MB``, else an eighth of the memory."""
    if (megabytes := _number(HOLD)) is not None:
        return megabytes * 2**20
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 8
    except (AttributeError, ValueError):
        # Windows does not say it this way.
        return 2**30


def _workers(workers: int | None, device: torch.device) -> int:
    workers = _number(WORKERS) if workers is None else workers
    if workers is None:
        return CPU.workers if device.type == "cpu" else min(os.cpu_count() or 1, MOST_WORKERS)
    if workers < 1:
        raise XmrError(f"workers {workers}: give at least 1")
    return workers
