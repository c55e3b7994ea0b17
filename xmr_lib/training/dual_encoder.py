"""Training of the dual encoder: pairs of a batch against each other, the best epoch by validation rSum."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..items import Items
from ..losses import InfoNCELoss, distillation, similarity_matrix
from ..metrics import Ranks, chance_levels, ranks_of_embeddings, summarise
from ..modules import DualEncoder, InChunks
from ..processes import drawn_from
from ..runtime import CPU, Runtime
from .checkpoint import Checkpoint
from .collapse import guard, told_nothing_apart
from .loop import History, Problem, fit, ignore
from .parameters import parameter_groups
from .schedule import Schedule


@dataclass(frozen=True)
class Pairs:
    """One split's features: caption ``c`` belongs to image ``image_of_caption[c]``."""

    images: Items
    captions: Items
    image_of_caption: Int[np.ndarray, " captions"]


@dataclass(frozen=True)
class Teaching:
    """How alike a trained model finds the pairs of the training split, by its embeddings, scaled to length 1."""

    images: Float[Tensor, "images embed"]
    captions: Float[Tensor, "captions embed"]
    weight: float
    """Share of the loss that is the teacher's."""


def score(model: nn.Module, pairs: Pairs, distance: str, runtime: Runtime = CPU) -> Ranks:
    """Rank every caption for every image of a split, and the other way; ``model`` embeds both, as a dual encoder."""
    with runtime.autocast():
        images, captions = model.embed_images(pairs.images), model.embed_captions(pairs.captions)
    return ranks_of_embeddings(images.numpy(), captions.numpy(), pairs.image_of_caption, distance)


class PairProblem(Problem):
    """Items are captions, each with its image."""

    measure = "val_rsum"

    def __init__(
        self,
        name: str,
        model: DualEncoder,
        loss: nn.Module,
        train_pairs: Pairs,
        val_pairs: Pairs,
        distance: str,
        runtime: Runtime = CPU,
        teaching: Teaching | None = None,
    ):
        self.name, self.distance, self.runtime, self.teaching = name, distance, runtime, teaching
        self.modules = nn.ModuleDict({"model": model, "loss": loss})
        self.model, self.loss = model, loss
        self.draws: torch.Generator | None = None
        self.images, self.captions = runtime.keep(train_pairs.images), runtime.keep(train_pairs.captions)
        self.val_pairs = val_pairs
        self.image_of_caption = torch.from_numpy(train_pairs.image_of_caption)
        self.items = len(self.image_of_caption)
        self.chance = chance_levels(val_pairs.image_of_caption)["rsum"]

    def parameter_groups(self, weight_decay: float) -> list[dict]:
        return parameter_groups(self.model, self.loss, weight_decay)

    @cached_property
    def towers(self) -> nn.Module:
        """The model, in chunks if so wanted, its gradients averaged over all processes."""
        chunk = self.runtime.chunk
        return self.runtime.processes.parallel(InChunks(self.model, chunk) if chunk else self.model)

    def start_epoch(self) -> None:
        super().start_epoch()
        if not self.runtime.processes.alone:
            self.draws = torch.Generator().manual_seed(int(torch.randint(2**62, (1,))))

    def fetch(self, batch: Int[Tensor, " batch"]) -> tuple:
        own, owners = self.runtime.processes.share(batch), self.image_of_caption[batch]
        inputs = self.images[self.image_of_caption[own]], self.captions[own], owners
        if self.teaching is None:
            return inputs
        return *inputs, self.teaching.images[owners] @ self.teaching.captions[batch].T

    def batch_loss(
        self,
        images: Items,
        captions: Items,
        owners: Int[Tensor, " batch"],
        taught: Float[Tensor, "batch batch"] | None = None,
    ) -> Float[Tensor, ""]:
        with self.runtime.autocast():
            pair = self.towers(images, captions)
        # In single precision whatever the towers compute in: a margin of 0.2 is a few steps of bf16.
        whole = (self.runtime.processes.gathered(own.to(torch.promote_types(own.dtype, torch.float32))) for own in pair)
        similarity = similarity_matrix(*whole, self.distance)
        with drawn_from(self.draws, self.runtime.device):
            of_pairs = self.loss(similarity, owners)
        if taught is None or self.teaching is None:
            return of_pairs
        assert isinstance(self.loss, InfoNCELoss)
        of_teacher = distillation(similarity, taught, self.loss.log_scale.exp(), owners, self.loss.direction)
        return (1 - self.teaching.weight) * of_pairs + self.teaching.weight * of_teacher

    def validate(self) -> float:
        return summarise(score(self.model, self.val_pairs, self.distance, self.runtime))["rsum"]

    def check(self, history: History) -> None:
        images, captions = self.val_pairs.images, self.val_pairs.captions
        guard(self.name, self.model, images, captions, history.loss, history.validation, self.chance)


def train(
    model: DualEncoder,
    loss: nn.Module,
    train_pairs: Pairs,
    val_pairs: Pairs,
    distance: str,
    schedule: Schedule,
    seed: int,
    checkpoint: Checkpoint,
    name: str,
    after_epoch: Callable[[int], None] = ignore,
    runtime: Runtime = CPU,
    teaching: Teaching | None = None,
) -> History:
    """Train, and leave ``model`` and ``loss`` at the best epoch; the history's ``validation`` is rSum.

    A loss that ends where it would be if all similarities were the same is told.

    Args:
        distance: by which embeddings are compared, in the loss and on validation.
        name: of the run, for the progress bar and messages.
        seed, checkpoint, after_epoch: see ``fit``.
        runtime: where it is trained; ``model`` and ``loss`` stay there.
        teaching: what is learned beside the true pairs; then ``loss`` is an ``InfoNCELoss``.

    Raises:
        XmrError: the training collapsed, or the checkpoint belongs to another run.
    """
    problem = PairProblem(name, model, loss, train_pairs, val_pairs, distance, runtime, teaching)
    history = fit(problem, schedule, seed, checkpoint, after_epoch)
    # A teacher's part is in the loss, and has no such end.
    told = "" if teaching else told_nothing_apart(name, loss, history.loss, min(schedule.batch, problem.items))
    if told and runtime.processes.first:
        print(told, file=sys.stderr)
    return history
