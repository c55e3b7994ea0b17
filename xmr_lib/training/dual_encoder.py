"""Training of the dual encoder: pairs of a batch against each other, the best epoch by validation rSum."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..losses import similarity_matrix
from ..metrics import Ranks, chance_levels, ranks_of_embeddings, summarise
from ..modules import DualEncoder, Items
from .checkpoint import Checkpoint
from .collapse import guard
from .loop import History, Problem, fit, ignore
from .parameters import parameter_groups
from .schedule import Schedule


@dataclass(frozen=True)
class Pairs:
    """One split's features: caption ``c`` belongs to image ``image_of_caption[c]``."""

    images: Items
    captions: Items
    image_of_caption: Int[np.ndarray, " captions"]


def score(model: DualEncoder, pairs: Pairs, distance: str) -> Ranks:
    """Rank every caption for every image of a split, and the other way."""
    images, captions = model.embed_images(pairs.images), model.embed_captions(pairs.captions)
    return ranks_of_embeddings(images.numpy(), captions.numpy(), pairs.image_of_caption, distance)


class PairProblem(Problem):
    """Items are captions, each with its image."""

    measure = "val_rsum"

    def __init__(
        self, name: str, model: DualEncoder, loss: nn.Module, train_pairs: Pairs, val_pairs: Pairs, distance: str
    ):
        self.name, self.distance = name, distance
        self.modules = nn.ModuleDict({"model": model, "loss": loss})
        self.model, self.loss = model, loss
        self.train_pairs, self.val_pairs = train_pairs, val_pairs
        self.image_of_caption = torch.from_numpy(train_pairs.image_of_caption)
        self.items = len(self.image_of_caption)
        self.chance = chance_levels(val_pairs.image_of_caption)["rsum"]

    def parameter_groups(self, weight_decay: float) -> list[dict]:
        return parameter_groups(self.model, self.loss, weight_decay)

    def batch_loss(self, batch: Int[Tensor, " batch"]) -> Float[Tensor, ""]:
        owners = self.image_of_caption[batch]
        images, captions = self.model(self.train_pairs.images[owners], self.train_pairs.captions[batch])
        return self.loss(similarity_matrix(images, captions, self.distance), owners)

    def validate(self) -> float:
        return summarise(score(self.model, self.val_pairs, self.distance))["rsum"]

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
) -> History:
    """Train, and leave ``model`` and ``loss`` at the best epoch; the history's ``validation`` is rSum.

    Args:
        distance: by which embeddings are compared, in the loss and on validation.
        name: of the run, for the progress bar and messages.
        seed, checkpoint, after_epoch: see ``fit``.

    Raises:
        XmrError: the training collapsed, or the checkpoint belongs to another run.
    """
    problem = PairProblem(name, model, loss, train_pairs, val_pairs, distance)
    return fit(problem, schedule, seed, checkpoint, after_epoch)
