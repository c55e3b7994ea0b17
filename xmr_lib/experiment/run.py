"""``run``: a config and seeds in, results out; what was run before is read, not run again."""

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch.nn.functional import normalize
from tqdm import tqdm

from ..baselines import CCAStatistics
from ..config import Config
from ..errors import XmrError
from ..losses import similarity_matrix
from ..metrics import (
    Ranks,
    bootstrap_interval,
    chance_levels,
    ranks_from_similarity,
    ranks_of_embeddings,
    summarise,
)
from ..modules import DualEncoder
from ..records import Result, read_ranks, read_run, recorded_seeds, summary_row, update_summary, write_run
from ..training import History, Pairs, train
from .factories import make_loss, make_model
from .machine import machine
from .workspace import Workspace

Embeddings = tuple[np.ndarray, np.ndarray]
"""Of images, shape (images, embed), and of captions, shape (captions, embed)."""
Embedder = Callable[[str], Embeddings]
"""From the name of a split to its embeddings."""


def run(workspace: Workspace, config: Config, seeds: Sequence[int] = (0,)) -> list[Result]:
    """Fit a model once a seed, choose on validation, score once on test, and record it.

    Writes ``runs/<model>/seed<k>/`` and the model's row of ``summary.csv``, which is of all seeds that are recorded. A
    run that is there already is read.

    Raises:
        XmrError: a run of this name was made with another config or other data; the training collapsed; data are
            missing.
    """
    results = [_run_seed(workspace, config, seed) for seed in seeds]
    recorded = recorded_results(workspace, config)
    interval = bootstrap_interval([ranks_of(workspace, result) for result in recorded])
    update_summary(workspace.results, [summary_row(recorded, interval)])
    return results


def recorded_results(workspace: Workspace, config: Config) -> list[Result]:
    """Return what is recorded of a model with its ranks, one result a seed; nothing is trained.

    Raises:
        XmrError: a run of this name was made with another config or other data.
    """
    data = workspace.facts(config)
    found = (
        read_run(workspace.results, config.to_dict(), seed, data)
        for seed in recorded_seeds(workspace.results, config.model)
    )
    return [result for result in found if result is not None]


def chosen_on_validation(groups: Sequence[list[Result]]) -> list[Result]:
    """Return the model (its results, one a seed) with the highest validation rSum, mean over seeds."""
    return max(groups, key=lambda results: float(np.mean([result.val_rsum for result in results])))


def ranks_of(workspace: Workspace, result: Result) -> Ranks:
    """Return the ranks of a run on the test split, from its folder."""
    return Ranks(**read_ranks(workspace.results, result.model, result.seed))


def score_again(workspace: Workspace, result: Result) -> Ranks:
    """Rank the test split with the model of a run, whatever is recorded."""
    config = Config.from_dict(result.config)
    return _rank(workspace, config, _fit(workspace, config, result.seed)[0], "test")


def embed(workspace: Workspace, result: Result, split: str) -> Embeddings:
    """Embed the images and captions of a split with the model of a run, from its checkpoint if there is one."""
    return _fit(workspace, Config.from_dict(result.config), result.seed)[0](split)


def _run_seed(workspace: Workspace, config: Config, seed: int) -> Result:
    data = workspace.facts(config)
    if (result := read_run(workspace.results, config.to_dict(), seed, data)) is not None:
        return result
    embedder, history, fit_seconds = _fit(workspace, config, seed)
    started = time.process_time()
    val_rsum = summarise(_rank(workspace, config, embedder, "val"))["rsum"]
    ranks = _rank(workspace, config, embedder, "test")
    result = Result(
        config=config.to_dict(),
        seed=seed,
        data=data,
        test=summarise(ranks),
        val_rsum=val_rsum,
        chance=chance_levels(ranks.image_of_caption),
        cpu_seconds=fit_seconds + time.process_time() - started,
        history=history,
        machine=machine(),
    )
    write_run(workspace.results, result, asdict(ranks))
    return result


def _rank(workspace: Workspace, config: Config, embedder: Embedder, split: str) -> Ranks:
    image_of_caption = workspace.usable(config.image_features).split(split).image_of_caption
    return ranks_of_embeddings(*embedder(split), image_of_caption, config.distance)


def _fit(workspace: Workspace, config: Config, seed: int) -> tuple[Embedder, dict, float]:
    """Return the embedder, its history and the processor time; fast for a model that has its checkpoint."""
    return {"cca": _fit_cca, "late": _fit_late, "dual-encoder": _fit_dual_encoder}[config.method](
        workspace, config, seed
    )


def fitted(workspace: Workspace, config: Config, seed: int) -> tuple[DualEncoder, History]:
    """Return the trained dual encoder of a config, from its checkpoint if there is one, and its history."""
    train_pairs, val_pairs = (workspace.pairs(config, split, seed) for split in ("train", "val"))
    torch.manual_seed(seed)
    model = make_model(config, train_pairs, workspace.pretrained(config, seed))
    checkpoint = workspace.cache / "checkpoints" / config.model / f"seed{seed}.safetensors"
    facts, weights = workspace.facts(config), workspace.weights(config, seed)
    identity = {"config": config.to_dict(), "data": facts, "weights": weights, "seed": seed}
    history = train(model, make_loss(config), train_pairs, val_pairs, config, seed, checkpoint, identity)
    return model, history


def _fit_dual_encoder(workspace: Workspace, config: Config, seed: int) -> tuple[Embedder, dict, float]:
    model, history = fitted(workspace, config, seed)

    def embedder(split: str) -> Embeddings:
        pairs = workspace.pairs(config, split, seed)
        return model.embed_images(pairs.images).numpy(), model.embed_captions(pairs.captions).numpy()

    facts = {"loss": history.loss, "val_rsum": history.val_rsum, "best_epoch": history.best_epoch}
    return embedder, facts, sum(history.seconds)


def _fit_late(workspace: Workspace, config: Config, seed: int) -> tuple[Embedder, dict, float]:
    """Average the cosines of several models, with the weights that validation prefers."""
    members = [(own, *_fit(workspace, own, seed)) for own in member_configs(workspace, config)]
    started = time.process_time()

    image_of_caption = workspace.usable(config.image_features).split("val").image_of_caption
    pairs = [embedder("val") for _, embedder, _, _ in members]
    if any(len(captions) != len(image_of_caption) for _, captions in pairs):
        raise XmrError(
            f"config {config.model!r}: its members were not trained on the same images; an image that can't be read "
            "leaves the split only for features that are made from it: take it out of the data"
        )
    cosines = np.stack([similarity_matrix(*map(torch.from_numpy, pair), "cosine").numpy() for pair in pairs])
    table = []
    for weights in tqdm(_weights(len(members)), desc=f"{config.model} seed {seed}", unit="weighting", leave=False):
        ranks = ranks_from_similarity(np.einsum("m,mic->ic", np.float32(weights), cosines), image_of_caption)
        table.append({"weights": weights, "val_rsum": summarise(ranks)["rsum"]})
    best = max(table, key=lambda row: row["val_rsum"])["weights"]
    seconds = sum(own for _, _, _, own in members) + time.process_time() - started

    def joined(split: str) -> Embeddings:
        # Vectors end to end, scaled by the roots of the weights: their cosine is the weighted mean of the cosines.
        pairs = [embedder(split) for _, embedder, _, _ in members]
        scaled = [[root * side for side in pair] for root, pair in zip(np.sqrt(best), pairs, strict=True)]
        return tuple(np.concatenate(side, axis=1).astype(np.float32) for side in zip(*scaled, strict=True))

    return joined, {"validation": table, "weights": best}, seconds


def member_configs(workspace: Workspace, config: Config) -> list[Config]:
    """Return the configs of the models that a late fusion averages.

    Raises:
        XmrError: fewer than two, or one whose embeddings have no cosine.
    """
    from ..study.models import get_configs

    configs = get_configs(workspace, *config.members)
    if len(configs) < 2 or any(own.distance != "cosine" or not own.normalised for own in configs):
        raise XmrError(f"config {config.model!r}: members must be two models or more, all normalised, all by cosine")
    return configs


def _weights(members: int, steps: int = 10) -> list[list[float]]:
    """Return all weightings in tenths that sum to 1."""
    counts = itertools.product(range(steps + 1), repeat=members)
    return [[count / steps for count in own] for own in counts if sum(own) == steps]


def _fit_cca(workspace: Workspace, config: Config, seed: int) -> tuple[Embedder, dict, float]:
    train_pairs, val_pairs = (workspace.pairs(config, split, seed) for split in ("train", "val"))
    started = time.process_time()

    def inputs(pairs: Pairs) -> Embeddings:
        scalings = (config.image_input, config.text_input)
        features = (pairs.images, pairs.captions)
        # "standardise" leaves CCA as it is: it centres, and its ridge is relative to the variance.
        pair = [normalize(x) if how == "l2" else x for how, x in zip(scalings, features, strict=True)]
        return pair[0].numpy(), pair[1].numpy()

    statistics = CCAStatistics.of(*inputs(train_pairs), train_pairs.image_of_caption)
    val_inputs = inputs(val_pairs)
    best, table = None, []
    for regularisation in tqdm(config.regularisations, desc=f"{config.model} seed {seed}", unit="ridge", leave=False):
        cca = statistics.solve(regularisation)
        for power in config.powers:
            embeddings = cca.embed_images(val_inputs[0], power), cca.embed_captions(val_inputs[1], power)
            rsum = summarise(ranks_of_embeddings(*embeddings, val_pairs.image_of_caption, config.distance))["rsum"]
            table.append({"regularisation": regularisation, "power": power, "val_rsum": rsum})
            if best is None or rsum > best[0]:
                best = (rsum, cca, power)
    _, cca, power = best

    def embedder(split: str) -> Embeddings:
        images, captions = inputs(workspace.pairs(config, split, seed))
        return cca.embed_images(images, power), cca.embed_captions(captions, power)

    return embedder, {"validation": table}, time.process_time() - started
