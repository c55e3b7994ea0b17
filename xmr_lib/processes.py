"""Several processes that train one model together, started by torchrun: which one this is, and what they exchange.

A batch is cut into as many slices as there are processes. Each embeds its own slice, all embeddings are gathered, and
each computes the loss over the whole batch: the negatives are those of one process, and so is the gradient.
"""

import atexit
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor, nn
from torch.distributed.nn.functional import all_gather
from torch.nn.parallel import DistributedDataParallel

from .errors import XmrError

T = TypeVar("T")
PATIENCE = timedelta(hours=12)
"""How long the others wait while the first one does alone what only one may do, e.g. train a detector."""


@dataclass(frozen=True)
class Processes:
    """All processes of a run, seen from one of them."""

    rank: int = 0
    count: int = 1
    device: torch.device = torch.device("cpu")  # noqa: RUF009 (it can't be changed)

    @classmethod
    def of_torchrun(cls, device: torch.device) -> "Processes":
        """Join the processes that torchrun has started; without torchrun, there is one.

        Raises:
            XmrError: the device has no way to exchange anything (mps).
        """
        if not dist.is_torchelastic_launched():
            return cls(device=device)
        if device.type == "mps":
            raise XmrError("several processes need cpu or cuda; start one on mps, or take --device cpu")
        if device.type == "cuda":
            # What waits for all, waits on the device in use.
            torch.cuda.set_device(device)
        if not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
            atexit.register(dist.destroy_process_group)
        return cls(dist.get_rank(), dist.get_world_size(), device)

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    @property
    def alone(self) -> bool:
        return self.count == 1

    def share(self, batch: Tensor) -> Tensor:
        """Return this process's slice of a batch.

        Raises:
            XmrError: the batch can't be cut into slices of the same size.
        """
        if len(batch) % self.count:
            raise XmrError(f"a batch of {len(batch)} can't be shared by {self.count} processes; set optimiser.batch")
        return batch.tensor_split(self.count)[self.rank]

    def parallel(self, module: nn.Module) -> nn.Module:
        """Return a module whose gradients are averaged over the processes."""
        return module if self.alone else DistributedDataParallel(module, broadcast_buffers=False)

    def gathered(self, own: Float[Tensor, "own dim"]) -> Float[Tensor, "all dim"]:
        """Return the rows of all processes, in the order of the batch.

        The gradient of a row is the sum over the losses of all processes; with the average of ``parallel`` it is that
        of one process. A gather that keeps this process's part alone gives the same loss and a wrong gradient.
        """
        return own if self.alone else torch.cat(all_gather(own.contiguous()))

    def of_first(self, value: float) -> float:
        """Return the first process's value: all must decide alike."""
        if self.alone:
            return value
        told = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.broadcast(told, 0)
        return told.item()

    def total(self, value: float) -> float:
        """Return the sum over the processes."""
        if self.alone:
            return value
        summed = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.all_reduce(summed)
        return summed.item()

    def wait(self) -> None:
        """Wait until all are here."""
        if not self.alone:
            dist.barrier()

    @contextmanager
    def first_alone(self) -> Iterator[None]:
        """Let the first process do something, e.g. write a file, before the others find it done."""
        if not self.first:
            self.wait()
        try:
            yield
        finally:
            if self.first:
                self.wait()


ALONE = Processes()


@contextmanager
def drawn_from(draws: torch.Generator | None, device: torch.device) -> Iterator[None]:
    """Draw, within it, what all processes must draw alike (random negatives); None: as the process draws anyway."""
    if draws is None:
        yield
        return
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(int(torch.randint(2**62, (1,), generator=draws)))
        yield
