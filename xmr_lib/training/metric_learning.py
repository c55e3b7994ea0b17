"""Metric learning on images alone: an image and one that belongs to it are drawn together."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ..items import Items
from ..losses import similarity_matrix
from ..ragged import Ragged
from ..runtime import CPU, Runtime
from .checkpoint import Checkpoint
from .loop import History, Problem, fit, ignore
from .parameters import parameter_groups
from .schedule import Schedule


class MetricProblem(Problem):
    """Items are the images that have positives: each is asked once an epoch, with one of them drawn at random."""

    measure = "val_ndcg10"

    def __init__(
        self,
        name: str,
        encoder: nn.Module,
        loss: nn.Module,
        features: Items,
        positives: Ragged,
        identities: Int[np.ndarray, " images"],
        validation: Callable[[nn.Module], float],
        distance: str,
        runtime: Runtime = CPU,
    ):
        self.name, self.distance, self.runtime = name, distance, runtime
        self.modules = nn.ModuleDict({"model": encoder, "loss": loss})
        self.encoder, self.loss, self.validation = encoder, loss, validation
        self.features = runtime.keep(features)
        self.asked = torch.from_numpy(np.flatnonzero(positives.lengths))
        self.starts, self.counts = (torch.from_numpy(x) for x in (positives.offsets[:-1], positives.lengths))
        self.places, self.owners = torch.from_numpy(positives.values), torch.from_numpy(identities)
        self.items = len(self.asked)

    def parameter_groups(self, weight_decay: float) -> list[dict]:
        return parameter_groups(self.encoder, self.loss, weight_decay)

    def fetch(self, batch: Int[Tensor, " batch"]) -> tuple[Items, Items, Int[Tensor, " batch"]]:
        images = self.asked[batch]
        # The dropout of a device draws from a generator of its own: nobody else uses the host's meanwhile.
        drawn = self.places[self.starts[images] + (torch.rand(len(images)) * self.counts[images]).long()]
        return self.features[images], self.features[drawn], self.owners[images]

    def batch_loss(self, images: Items, drawn: Items, owners: Int[Tensor, " batch"]) -> Float[Tensor, ""]:
        with self.runtime.autocast():
            pair = self.encoder(images), self.encoder(drawn)
        return self.loss(similarity_matrix(*(own.float() for own in pair), self.distance), owners)

    def validate(self) -> float:
        return self.validation(self.encoder.eval())


def train_metric(
    encoder: nn.Module,
    loss: nn.Module,
    features: Items,
    positives: Ragged,
    identities: Int[np.ndarray, " images"],
    validation: Callable[[nn.Module], float],
    distance: str,
    schedule: Schedule,
    seed: int,
    checkpoint: Checkpoint,
    name: str,
    after_epoch: Callable[[int], None] = ignore,
    runtime: Runtime = CPU,
) -> History:
    """Train, and leave ``encoder`` and ``loss`` at the best epoch.

    Args:
        features: of the training images.
        positives: positions of the images that belong to each image; there may be none.
        identities: images of one identity are never each other's negatives.
        validation: the encoder's nDCG@10 on validation.
        distance: by which embeddings are compared in the loss.
        name: of the run, for the progress bar and messages.
        seed, checkpoint, after_epoch: see ``fit``.
        runtime: where it is trained; ``encoder`` and ``loss`` stay there.

    Raises:
        XmrError: the loss is not finite, or the checkpoint belongs to another run.
    """
    problem = MetricProblem(name, encoder, loss, features, positives, identities, validation, distance, runtime)
    return fit(problem, schedule, seed, checkpoint, after_epoch)
