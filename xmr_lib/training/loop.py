"""The training loop: AdamW, warm-up and cosine decay, early stop on validation rSum, resumable after a kill."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from torch import nn
from tqdm import tqdm

from ..config import Config
from ..losses import similarity_matrix
from ..metrics import Ranks, chance_levels, ranks_of_embeddings, summarise
from ..modules import DualEncoder, Items
from .checkpoint import load_checkpoint, save_checkpoint
from .collapse import guard


@dataclass(frozen=True)
class Pairs:
    """One split's features: caption ``c`` belongs to image ``image_of_caption[c]``."""

    images: Items
    captions: Items
    image_of_caption: Int[np.ndarray, " captions"]


@dataclass
class History:
    """What happened, epoch by epoch."""

    loss: list[float] = field(default_factory=list)
    val_rsum: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """Processor time of each epoch (training and validation)."""
    best_epoch: int = -1

    @property
    def waited(self) -> int:
        """Epochs since the best one."""
        return len(self.val_rsum) - 1 - self.best_epoch


def score(model: DualEncoder, pairs: Pairs, distance: str) -> Ranks:
    """Rank every caption for every image of a split, and the other way."""
    images, captions = model.embed_images(pairs.images), model.embed_captions(pairs.captions)
    return ranks_of_embeddings(images.numpy(), captions.numpy(), pairs.image_of_caption, distance)


def train(
    model: DualEncoder,
    loss: nn.Module,
    train_pairs: Pairs,
    val_pairs: Pairs,
    config: Config,
    seed: int,
    checkpoint: Path,
    identity: dict,
    after_epoch: Callable[[int], None] = lambda epoch: None,
) -> History:
    """Train, and leave the model of the best epoch in ``model``.

    A checkpoint is written after every epoch. All randomness of an epoch (order, dropout, random negatives) is drawn
    from its own seed, (seed, epoch), so a run that was killed and goes on gives the numbers of one that was not.

    Args:
        checkpoint: file to go on from, if it is there, and to write.
        identity: what the checkpoint must have been made by (config, data); another one is refused.
        after_epoch: called with the number of each epoch that is safe on disk.

    Raises:
        XmrError: the training collapsed, or the checkpoint belongs to another run.
    """
    optimiser = torch.optim.AdamW(parameter_groups(model, loss, config), lr=config.learning_rate)
    image_of_caption = torch.from_numpy(train_pairs.image_of_caption)
    captions = len(image_of_caption)
    steps = max(captions // config.batch, 1)
    total = steps * config.epochs
    chance = chance_levels(val_pairs.image_of_caption)["rsum"]

    history, best = History(), {}
    modules = nn.ModuleDict({"model": model, "loss": loss})
    if (found := load_checkpoint(checkpoint, identity, modules, optimiser)) is not None:
        saved, best = found
        history = History(**saved)

    bar = tqdm(total=config.epochs, initial=len(history.loss), desc=f"{config.model} seed {seed}", unit="epoch")
    with bar:
        for epoch in range(len(history.loss), config.epochs):
            if history.waited >= config.patience:
                break
            started = time.process_time()
            torch.manual_seed(int(np.random.SeedSequence([seed, epoch + 1]).generate_state(1)[0]))
            order = torch.randperm(captions)
            model.train()
            sum_of_losses = 0.0
            # The last, smaller batch is left out: other captions are left out in the next epoch.
            for step, batch in enumerate(order.split(config.batch)[:steps]):
                rate = config.learning_rate * schedule(epoch * steps + step, total, config.warmup)
                for group in optimiser.param_groups:
                    group["lr"] = rate * group["share"]
                owners = image_of_caption[batch]
                images, words = model(train_pairs.images[owners], train_pairs.captions[batch])
                value = loss(similarity_matrix(images, words, config.distance), owners)
                optimiser.zero_grad(set_to_none=True)
                value.backward()
                optimiser.step()
                sum_of_losses += value.item()
            val_rsum = summarise(score(model, val_pairs, config.distance))["rsum"]
            history.loss.append(sum_of_losses / steps)
            history.val_rsum.append(val_rsum)
            if history.best_epoch < 0 or val_rsum > history.val_rsum[history.best_epoch]:
                history.best_epoch = epoch
                best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
            history.seconds.append(time.process_time() - started)
            # Before the checkpoint: a collapsed run that is started again collapses again, and says so again.
            guard(model, val_pairs.images, val_pairs.captions, history.loss, history.val_rsum, chance, config)
            save_checkpoint(checkpoint, identity, modules, optimiser, asdict(history), best)
            bar.update()
            bar.set_postfix(loss=f"{history.loss[-1]:.3f}", val_rsum=f"{val_rsum:.1f}")
            after_epoch(epoch)
    model.load_state_dict(best)
    return history


def parameter_groups(model: nn.Module, loss: nn.Module, config: Config) -> list[dict]:
    """Return what is trained, in groups: decayed or not, from nothing or (at rates of their own) from something."""
    shares = {id(p): config.tune_rate for p in pretrained_parameters(model)}
    shares |= {id(p): config.word_rate for name, p in model.named_parameters() if name.endswith("entry.table.weight")}
    parameters = [p for p in (*model.parameters(), *loss.parameters()) if p.requires_grad]
    groups = []
    for share in sorted({shares.get(id(p), 1.0) for p in parameters}, reverse=True):
        own = [p for p in parameters if shares.get(id(p), 1.0) == share]
        # Biases and the temperature are not pulled towards zero: they scale nothing.
        for several, decay in ((True, config.weight_decay), (False, 0.0)):
            if of_group := [p for p in own if (p.ndim > 1) == several]:
                groups.append({"params": of_group, "weight_decay": decay, "share": share})
    return groups


def pretrained_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of pretrained layers: a detector's fc7, the rest of a network that was cut in two."""
    return [p for name, p in model.named_parameters() if "last_layer" in name or "tail" in name]


def schedule(step: int, total: int, warmup: float) -> float:
    """Return the share of the peak learning rate: linear warm-up, then half a cosine down to zero."""
    rise = max(round(total * warmup), 1)
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(total - rise, 1)))
