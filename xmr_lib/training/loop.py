"""The training loop: AdamW, warm-up and cosine decay, early stop on validation, resumable after a kill."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from tqdm import tqdm

from ..errors import XmrError
from ..runtime import CPU, Runtime
from .checkpoint import Checkpoint
from .schedule import Schedule


@dataclass
class History:
    """What happened, epoch by epoch."""

    loss: list[float] = field(default_factory=list)
    """Mean over the steps."""
    validation: list[float] = field(default_factory=list)
    """What the problem measures on validation; higher is better."""
    seconds: list[float] = field(default_factory=list)
    """Processor time of each epoch (training and validation)."""
    wall_seconds: list[float] = field(default_factory=list)
    """Time on the clock of each epoch."""
    best_epoch: int = -1
    """The epoch whose state is kept, counted from 0."""

    @property
    def waited(self) -> int:
        """Epochs since the best one."""
        return len(self.validation) - 1 - self.best_epoch


class Problem(ABC):
    """What a training is about; the loop knows nothing else of it."""

    name: str
    """Stands before the progress bar and in messages."""
    modules: nn.ModuleDict
    """All that a checkpoint keeps: ``model`` and, where it has a state, ``loss``."""
    items: int
    """Items that an epoch goes through."""
    measure: str
    """Name of what ``validate`` returns, for the progress bar."""
    runtime: Runtime = CPU
    """Where it is trained."""
    chooses: bool = True
    """Whether the best epoch by validation is kept; if not, it is the last."""
    largest_gradient: float | None = None
    """Norm that gradients are cut back to."""

    @abstractmethod
    def parameter_groups(self, weight_decay: float) -> list[dict]:
        """Return AdamW's groups; each has an ``lr_multiplier``."""

    def fetch(self, batch: Int[Tensor, " batch"]) -> tuple:
        """Gather what ``batch_loss`` is given of some of the items.

        Batches are fetched in their order; on a device by a thread, ahead of their losses: what is drawn at random here
        must not be drawn from a generator that the loss uses too.
        """
        return (batch,)

    @abstractmethod
    def batch_loss(self, *inputs: Any) -> Float[Tensor, ""]:
        """Return the loss of what was fetched, which lies on the device."""

    @abstractmethod
    def validate(self) -> float:
        """Return the value on validation."""

    def start_epoch(self) -> None:
        """Put the modules into training mode."""
        self.modules.train()

    def check(self, history: History) -> None:  # noqa: B027 (most have nothing to say)
        """Raise XmrError where going on makes no sense; asked after each epoch, before it is on disk."""


def ignore(epoch: int) -> None:
    """Do nothing."""


def fit(
    problem: Problem,
    schedule: Schedule,
    seed: int,
    checkpoint: Checkpoint,
    after_epoch: Callable[[int], None] = ignore,
) -> History:
    """Train, and leave the problem's modules at the best epoch, in evaluation mode.

    A checkpoint is written after every epoch. All randomness of an epoch (order, dropout, random negatives) is drawn
    from its own seed, (seed, epoch), so a run that was killed and goes on gives the numbers of one that was not.

    Args:
        after_epoch: called with the number of each epoch that is safe on disk, the modules as they are at its end.

    Raises:
        XmrError: the loss is not finite, the problem's own check failed, or the checkpoint belongs to another run.
    """
    runtime, modules = problem.runtime, problem.modules.to(problem.runtime.device)
    processes = runtime.processes
    optimiser = torch.optim.AdamW(problem.parameter_groups(schedule.weight_decay), lr=schedule.learning_rate)
    trained = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    steps = schedule.steps(problem.items)
    total = steps * schedule.epochs

    history, best = History(), {}
    if (found := checkpoint.load(modules, optimiser)) is not None:
        saved, best = found
        history = History(**saved)

    def finished() -> bool:
        stopped = schedule.patience is not None and history.waited >= schedule.patience
        return stopped or len(history.loss) >= schedule.epochs

    label, done = f"{problem.name} seed {seed}", steps * len(history.loss)
    quiet = finished() or not processes.first
    with tqdm(total=total, initial=done, desc=label, unit="step", disable=quiet) as bar:
        while not finished():
            epoch, started, wall = len(history.loss), time.process_time(), time.perf_counter()
            torch.manual_seed(_seed(seed, epoch + 1))
            order = torch.randperm(problem.items)
            problem.start_epoch()
            if not processes.alone:
                # Until here all draw alike; what is left out of a slice is each one's own.
                torch.manual_seed(_seed(seed, epoch + 1, processes.rank))
            losses = []
            # The last, smaller batch is left out: other items are left out in the next epoch.
            for step, inputs in enumerate(runtime.fetched(order.split(schedule.batch)[:steps], problem.fetch)):
                rate = schedule.rate(epoch * steps + step, total)
                for group in optimiser.param_groups:
                    group["lr"] = rate * group["lr_multiplier"]
                loss = problem.batch_loss(*inputs)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                if problem.largest_gradient is not None:
                    nn.utils.clip_grad_norm_(trained, problem.largest_gradient)
                optimiser.step()
                losses.append(loss.detach())
                bar.update()
            # Read once an epoch: each look at a device's number waits for the device.
            history.loss.append(processes.of_first(sum(torch.stack(losses).tolist()) / steps))
            # Before validation, which can't rank what is not finite and would not say why.
            _check_finite(problem.name, history, trained)
            history.validation.append(processes.of_first(float(problem.validate())))
            if not problem.chooses:
                history.best_epoch = epoch
            elif history.best_epoch < 0 or history.validation[-1] > history.validation[history.best_epoch]:
                history.best_epoch = epoch
                best = {name: tensor.clone() for name, tensor in modules.state_dict().items()}
            history.seconds.append(processes.total(time.process_time() - started))
            history.wall_seconds.append(time.perf_counter() - wall)
            # Before the checkpoint: a collapsed run that is started again collapses again, and says so again.
            problem.check(history)
            if processes.first:
                checkpoint.save(modules, optimiser, asdict(history), best)
            bar.set_postfix({"loss": f"{history.loss[-1]:.3f}", problem.measure: f"{history.validation[-1]:.4g}"})
            after_epoch(epoch)
    # The file may be deleted once this is over: not before all have read it.
    processes.wait()
    # What has no best state stays at the last epoch: a problem that does not choose, an older checkpoint's loss.
    modules.load_state_dict({**modules.state_dict(), **best})
    modules.eval()
    return history


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def _check_finite(name: str, history: History, trained: list[nn.Parameter]) -> None:
    """Stop where numbers are no numbers: the last step can ruin weights whose losses all were finite."""
    told = "" if math.isfinite(history.loss[-1]) else f"the loss is {history.loss[-1]}"
    if not told and not all(bool(torch.isfinite(parameter).all()) for parameter in trained):
        told = "some weights are not finite"
    if told:
        raise XmrError(f"{name}: training stopped after epoch {len(history.loss)}: {told}; try a lower learning_rate")
