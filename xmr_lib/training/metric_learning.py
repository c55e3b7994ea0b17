"""Metric learning on images alone: an image and one that belongs to it are drawn together."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from tqdm import tqdm

from ..config import Config
from ..losses import similarity_matrix
from ..ragged import Ragged
from .checkpoint import load_checkpoint, save_checkpoint
from .loop import parameter_groups, schedule


@dataclass
class MetricHistory:
    """What happened, epoch by epoch."""

    loss: list[float] = field(default_factory=list)
    val_ndcg10: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """Processor time of each epoch."""
    best_epoch: int = -1


def train_metric(
    encoder: nn.Module,
    loss: nn.Module,
    features: Float[Tensor, "images features"],
    positives: Ragged,
    identities: Int[np.ndarray, " images"],
    validate: Callable[[nn.Module], float],
    config: Config,
    seed: int,
    checkpoint: Path,
    identity: dict,
) -> MetricHistory:
    """Train, and leave the model of the best epoch in ``encoder``; resumable after every epoch, as ``train`` is.

    An epoch asks each image that has positives once, each time with one of them drawn at random.

    Args:
        features: of the training images.
        positives: positions of the images that belong to each image; there may be none.
        identities: images of one identity are never each other's negatives.
        validate: the encoder's nDCG@10 on validation.
        checkpoint, identity: see ``train``.
    """
    asked = torch.from_numpy(np.flatnonzero(positives.lengths))
    starts, counts = (torch.from_numpy(x) for x in (positives.offsets[:-1], positives.lengths))
    places, owners = torch.from_numpy(positives.values), torch.from_numpy(identities)
    optimiser = torch.optim.AdamW(parameter_groups(encoder, loss, config), lr=config.learning_rate)
    steps = max(len(asked) // config.batch, 1)
    history, best = MetricHistory(), {}
    modules = nn.ModuleDict({"model": encoder, "loss": loss})
    if (found := load_checkpoint(checkpoint, identity, modules, optimiser)) is not None:
        history, best = MetricHistory(**found[0]), found[1]
    epochs = range(len(history.loss), config.epochs)
    for epoch in tqdm(epochs, desc=f"{config.model} seed {seed}", unit="epoch", disable=not epochs):
        started = time.process_time()
        torch.manual_seed(int(np.random.SeedSequence([seed, epoch + 1]).generate_state(1)[0]))
        encoder.train()
        total = 0.0
        for step, batch in enumerate(asked[torch.randperm(len(asked))].split(config.batch)[:steps]):
            for group in optimiser.param_groups:
                group["lr"] = config.learning_rate * schedule(
                    epoch * steps + step, steps * config.epochs, config.warmup
                )
            drawn = places[starts[batch] + (torch.rand(len(batch)) * counts[batch]).long()]
            pair = encoder(features[batch]), encoder(features[drawn])
            value = loss(similarity_matrix(*pair, config.distance), owners[batch])
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            optimiser.step()
            total += value.item()
        history.loss.append(total / steps)
        history.val_ndcg10.append(validate(encoder.eval()))
        if history.val_ndcg10[-1] > max(history.val_ndcg10[:-1], default=-1.0):
            history.best_epoch = epoch
            best = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
        history.seconds.append(time.process_time() - started)
        save_checkpoint(checkpoint, identity, modules, optimiser, asdict(history), best)
    encoder.load_state_dict(best)
    encoder.eval()
    return history
