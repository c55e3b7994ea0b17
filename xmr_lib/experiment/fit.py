"""From a config to a fitted model: by gradient descent, in closed form, or by weighing models that are there."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ..baselines import CCAStatistics, LinearEncoder, Scaled, ZeroShot
from ..config import CcaConfig, DualEncoderConfig, EnsembleConfig, RunConfig, ZeroShotConfig
from ..errors import XmrError
from ..metrics import rsums_of_fusions, summarise
from ..model import EnsembleModel, RetrievalModel, build_dual_encoder
from ..model.retrieval import joined
from ..modules import DualEncoder
from ..training import Checkpoint, Schedule, Teaching, score, train
from .workspace import Workspace

OTHER_IMAGES = (
    "{} not trained on the same images; an image that can't be read leaves the split only for features that are made "
    "from it: take it out of the data"
)
Embeddings = tuple[np.ndarray, np.ndarray]
"""Of images, shape (images, embed), and of captions, shape (captions, embed)."""


@dataclass(frozen=True)
class Fitted:
    """A model, and what its fitting left to record."""

    model: RetrievalModel
    history: dict
    """Epoch by epoch, or what validation chose."""
    cpu_seconds: float
    wall_seconds: float


def fit(workspace: Workspace, config: RunConfig, seed: int, member: Callable[[RunConfig, int], Fitted]) -> Fitted:
    """Fit a model and choose on validation; training goes on from its checkpoint if there is one.

    Args:
        member: fits or finds a member of late fusion, or a teacher, with a seed.

    Raises:
        XmrError: the training collapsed, or data are missing.
    """
    if isinstance(config.method, EnsembleConfig):
        return _fit_late(workspace, config, config.method, seed, member)
    if isinstance(config.method, CcaConfig):
        return _fit_cca(workspace, config, config.method, seed)
    if isinstance(config.method, ZeroShotConfig):
        model = RetrievalModel(config, ZeroShot(), *workspace.inputs(config, seed), {})
        return Fitted(model, {}, 0.0, 0.0)
    return _fit_dual_encoder(workspace, config, seed, member)


def embed_split(workspace: Workspace, model: RetrievalModel, split: str, seed: int) -> Embeddings:
    """Embed the images and captions of a split by the dataset's own features."""
    if isinstance(model, EnsembleModel):
        parts = zip(model.members, model.config.method.parts(seed), strict=True)
        each = [embed_split(workspace, member, split, own) for member, (_, own, _) in parts]
        images, captions = (model.fused(side) for side in zip(*each, strict=True))
        return images, captions
    pairs = workspace.pairs(model.config, split, seed)
    return model.embed_images(pairs.images).numpy(), model.embed_captions(pairs.captions).numpy()


def untrained(workspace: Workspace, config: RunConfig, seed: int) -> DualEncoder:
    """Build the dual encoder of a config as it is before the first step, its scaling taken from the training split."""
    train_pairs = workspace.pairs(config, "train", seed)
    inputs = workspace.image_inputs(config), workspace.text_inputs(config, seed)
    torch.manual_seed(seed)
    # Built on the host: its first weights are the same for every device.
    network = workspace.runtime.place(build_dual_encoder(config, *inputs))
    network.image.fit_input(train_pairs.images)
    network.caption.fit_input(train_pairs.captions)
    return network


def _fit_dual_encoder(
    workspace: Workspace, config: RunConfig, seed: int, member: Callable[[RunConfig, int], Fitted]
) -> Fitted:
    method = config.method
    if not isinstance(method, DualEncoderConfig):
        raise XmrError(f"config {config.name!r}: {method.kind!r} is trained on images alone; see notebook 07")
    train_pairs, val_pairs = (workspace.pairs(config, split, seed) for split in ("train", "val"))
    teacher = teaching = None
    if method.teacher:
        teacher = member(method.teacher.model, seed)
        embeddings = embed_split(workspace, teacher.model, "train", seed)
        if tuple(map(len, embeddings)) != (len(train_pairs.images), len(train_pairs.captions)):
            raise XmrError(f"config {config.name!r}: {OTHER_IMAGES.format('its teacher was')}")
        teaching = Teaching(*(torch.from_numpy(joined([own], [1.0])) for own in embeddings), method.teacher.weight)
    network, loss = untrained(workspace, config, seed), method.loss.build()
    identity = {
        "config": config.to_dict(),
        "data": workspace.facts(config),
        "weights": workspace.weights(config, seed),
        "seed": seed,
        **workspace.runtime.identity,
    }
    history = train(
        network,
        loss,
        train_pairs,
        val_pairs,
        method.distance,
        Schedule(**method.optimiser.model_dump()),
        seed,
        Checkpoint(checkpoint_of(workspace, config, seed), identity),
        config.name,
        runtime=workspace.runtime,
        teaching=teaching,
    )
    model = RetrievalModel(config, network, *workspace.inputs(config, seed), {}, loss, workspace.runtime)
    facts = {"loss": history.loss, "val_rsum": history.validation, "best_epoch": history.best_epoch}
    cpu, wall = sum(history.seconds), sum(history.wall_seconds)
    if teacher:
        # Without its teacher it can't be made.
        cpu, wall = cpu + teacher.cpu_seconds, wall + teacher.wall_seconds
    return Fitted(model, facts, cpu, wall)


def checkpoint_of(workspace: Workspace, config: RunConfig, seed: int) -> Path:
    """Return the file that a training goes on from."""
    return workspace.cache / "checkpoints" / config.name / f"seed{seed}.safetensors"


def _fit_late(
    workspace: Workspace,
    config: RunConfig,
    method: EnsembleConfig,
    seed: int,
    member: Callable[[RunConfig, int], Fitted],
) -> Fitted:
    """Average the cosines of several models, with the weights that validation prefers."""
    parts = method.parts(seed)
    members = [member(own, of_part) for own, of_part, _ in parts]
    started, wall = time.process_time(), time.perf_counter()
    image_of_caption = workspace.usable(config).split("val").image_of_caption
    each = [
        embed_split(workspace, own.model, "val", of_part) for own, (_, of_part, _) in zip(members, parts, strict=True)
    ]
    # The seeds of a member have one weight together.
    seeds = len(parts) // len(method.members)
    shares = [1 / seeds] * seeds
    pairs = [
        tuple(joined(side, shares) for side in zip(*each[start : start + seeds], strict=True))
        for start in range(0, len(parts), seeds)
    ]
    if any(len(captions) != len(image_of_caption) for _, captions in pairs):
        raise XmrError(f"config {config.name!r}: {OTHER_IMAGES.format('its members were')}")
    weightings = _weights(len(pairs))
    rsums = rsums_of_fusions(pairs, weightings, image_of_caption, progress=f"{config.name} seed {seed}")
    table = [{"weights": own, "val_rsum": rsum} for own, rsum in zip(weightings, rsums, strict=True)]
    best = max(table, key=lambda row: row["val_rsum"])["weights"]
    weights = [weight / seeds for weight in best for _ in range(seeds)]
    model = EnsembleModel(config, [own.model for own in members], weights, {})
    return Fitted(
        model,
        {"validation": table, "weights": best},
        sum(own.cpu_seconds for own in members) + time.process_time() - started,
        sum(own.wall_seconds for own in members) + time.perf_counter() - wall,
    )


def _weights(members: int, steps: int = 10) -> list[list[float]]:
    """Return all weightings in tenths that sum to 1."""
    counts = itertools.product(range(steps + 1), repeat=members)
    return [[count / steps for count in own] for own in counts if sum(own) == steps]


def _fit_cca(workspace: Workspace, config: RunConfig, method: CcaConfig, seed: int) -> Fitted:
    train_pairs, val_pairs = (workspace.pairs(config, split, seed) for split in ("train", "val"))
    started, wall = time.process_time(), time.perf_counter()
    scalings = method.image_scaling, method.text_scaling
    inputs = (Scaled(*own) for own in zip((train_pairs.images, train_pairs.captions), scalings, strict=True))
    statistics = CCAStatistics.of(*inputs, train_pairs.image_of_caption)
    best, table = None, []
    for regularisation in tqdm(method.regularisations, desc=f"{config.name} seed {seed}", unit="ridge", leave=False):
        cca = statistics.solve(regularisation)
        for power in method.powers:
            network = LinearEncoder.of(cca, power, scalings)
            rsum = summarise(score(network, val_pairs, method.distance))["rsum"]
            table.append({"regularisation": regularisation, "power": power, "val_rsum": rsum})
            if best is None or rsum > best[0]:
                best = (rsum, network)
    model = RetrievalModel(config, best[1], *workspace.inputs(config, seed), {})
    return Fitted(model, {"validation": table}, time.process_time() - started, time.perf_counter() - wall)
