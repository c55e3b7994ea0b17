"""Image-to-image retrieval with the features and image encoders of the study, and with metric learning."""

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import nn

from ..config import RunConfig, from_flat
from ..data import CaptionedImages
from ..experiment.fit import checkpoint_of
from ..experiment.machine import machine
from ..experiment.run import embed, run
from ..experiment.workspace import Workspace
from ..figures import gallery_of_neighbours, interval_figure
from ..metrics import ImageScores, holm, mean_interval, sign_flip_test
from ..model import build_image_encoder
from ..modules import BOX_FEATURES, embed_items, pool
from ..paths import atomic_write
from ..ragged import Ragged
from ..records import run_folder
from ..training import Checkpoint, History, Schedule, train_metric
from .models import get_configs
from .names import NAMES
from .relevance import ALIKE, Qrels, labels_of, qrels_of, shared_words, similarity_of

METRICS = ("r1", "r5", "r10", "p10", "map", "ndcg10")
SCHEDULE: dict[str, Any] = {
    "method": "metric-learning",
    "task": "images",
    "image_scaling": "power",
    "projection": "linear",
    "distance": "euclidean",
    "dropout": 0.4,
    "batch": 512,
    "epochs": 40,
}
METRIC_LEARNING: dict[str, dict[str, Any]] = {
    "i-siamese": {**SCHEDULE, "loss": "contrastive", "margin": 2.0},
    "i-triplet": {**SCHEDULE, "loss": "triplet", "negatives": "semihard", "margin": 0.2},
}
"""Two ways to train an image encoder without captions at its input (Hadsell et al. 2006; Schroff et al. 2015)."""
CROSS_MODAL = ("ab-infonce-meanmax", "d-meanmax")
COLUMNS = (
    *("run", "track", "image_features", "trained_on", "relevance", "seeds", "queries", *METRICS),
    *("ndcg10_low", "ndcg10_high", "chance_ndcg10", "words_ndcg10", "val_ndcg10", "cpu_minutes"),
)

Embedder = Callable[[str], np.ndarray]
"""From the name of a split to the embeddings of its images."""


@dataclass(frozen=True)
class ImageRun:
    """One row: what the images of the test split find, once per seed."""

    model: str
    track: str
    image_features: str
    trained_on: str
    distance: str
    scores: tuple[ImageScores, ...]
    words_ndcg10: tuple[float, ...]
    """nDCG@10 by shared words: a second judge."""
    val_ndcg10: tuple[float, ...]
    cpu_seconds: float
    image_ids: np.ndarray
    """Of the test images that were scored."""
    embeddings: np.ndarray
    """Of the same images, of the first seed."""

    def mean(self, metric: str) -> np.ndarray:
        """Return what each query reaches, mean over seeds."""
        return np.mean([own.values[metric] for own in self.scores], axis=0)


def image_retrieval(workspace: Workspace, seeds: Sequence[int] = (0,)) -> list[ImageRun]:
    """Score what is there without training, the image encoders of cross-modal models, and metric learning.

    Writes ``image_retrieval.csv`` and, of each training, ``runs/<model>/seed<k>/image_retrieval.json``.

    Raises:
        XmrError: ``labels.json`` can't be read, or no image has a relevant one.
    """
    pooled = _pooled_config(workspace)
    regions = from_flat(
        "i-regions", task="images", image_features=f"{workspace.detector_slug}-roi", image_pooling="mean"
    )
    captioned, compared = get_configs(workspace, *CROSS_MODAL), [pooled]
    compared += captioned if workspace.detector_error else [*captioned, regions]
    # A file that can't be read may have features that came with the data, and so be in the split of one run alone.
    everywhere = workspace.bank.usable(tuple(dict.fromkeys(spec for own in compared for spec in own.image_specs)))
    parts = {split: everywhere.split(split) for split in ("val", "test")}
    qrels = {split: qrels_of(workspace, part) for split, part in parts.items()}
    score = partial(_scored, workspace, qrels, parts)
    runs = [score(pooled, "nothing", [partial(_pooled, workspace, pooled)])]
    if workspace.detector_error:
        print(f"left out: {regions.name} ({workspace.detector_error})")
    else:
        runs.append(score(regions, "nothing", [partial(_regions, workspace, regions)]))
    for config in captioned:
        results = run(workspace, config, seeds)
        embedders = [lambda split, result=result: embed(workspace, result, split)[0] for result in results]
        runs.append(score(config, "captions", embedders, sum(result.cpu_seconds for result in results)))
    positives, identities, taught_by = _training_pairs(workspace, pooled)
    for model, fields in METRIC_LEARNING.items():
        config = workspace.sized(from_flat(model, image_features=workspace.own_features["image"], **fields))
        judge = parts["val"], qrels["val"]
        fitted = [_fitted(workspace, config, seed, positives, identities, *judge) for seed in seeds]
        embedders = [partial(_encoded, workspace, config, encoder) for encoder, _ in fitted]
        runs.append(score(config, taught_by, embedders, sum(sum(history.seconds) for _, history in fitted)))
        for seed, (_, history), scores in zip(seeds, fitted, runs[-1].scores, strict=True):
            _record(workspace, config, seed, qrels["test"].name, scores, history)
    _write_csv(workspace, runs, qrels["test"].name)
    return runs


def _pooled_config(workspace: Workspace) -> RunConfig:
    return from_flat("i-pooled", image_features=workspace.own_features["image"])


def image_retrieval_table(runs: Sequence[ImageRun]) -> pd.DataFrame:
    """Return one row per run; ``p``: paired test of nDCG@10 against the first row, adjusted by Holm in the table."""
    first, *others = runs
    p = holm([sign_flip_test(own.mean("ndcg10") - first.mean("ndcg10")) for own in others])
    rows = []
    for own, value in zip(runs, ["", *(f"{value:.4f}" for value in p)], strict=True):
        low, high = mean_interval(own.mean("ndcg10"))
        rows.append(
            {
                "model": own.model,
                "track": own.track,
                "trained on": own.trained_on,
                **{HEADINGS[metric]: float(own.mean(metric).mean()) for metric in METRICS},
                "95 % interval": f"{low:.1f}–{high:.1f}",
                "by words": float(np.mean(own.words_ndcg10)),
                "val": float(np.mean(own.val_ndcg10)),
                "p": value,
                "seeds": str(len(own.scores)),
            }
        )
    chance = first.scores[0].summary()
    rows.append({"model": "chance", **{HEADINGS[metric]: chance[f"chance_{metric}"] for metric in METRICS}})
    return pd.DataFrame(rows).fillna("").set_index("model")


def neighbours_figure(workspace: Workspace, runs: Sequence[ImageRun], count: int = 4, seed: int = 0) -> Figure:
    """Draw the five nearest of a few scored images: of the first run, and of the one that validation prefers."""
    scored = np.isin(workspace.dataset.image_ids, runs[0].image_ids)
    part = workspace.dataset.subset(np.flatnonzero(scored))
    relevance = qrels_of(workspace, part).relevance
    asked = runs[0].scores[0].queries
    queries = np.sort(np.random.default_rng(seed).choice(asked, min(count, len(asked)), replace=False))
    found = []
    for own in (runs[0], max(runs[1:], key=lambda run: np.mean(run.val_ndcg10))):
        similarity = similarity_of(own.embeddings, own.distance)
        np.fill_diagonal(similarity, -np.inf)
        found.append((NAMES.get(own.model, own.model), np.argsort(-similarity[queries], axis=1, kind="stable")[:, :5]))
    return gallery_of_neighbours(part, queries, found, relevance.relevant)


def ndcg_figure(runs: Sequence[ImageRun]) -> Figure:
    """Draw nDCG@10 of each run with its 95 % interval; a colour for each kind of training."""
    kinds = sorted({own.trained_on for own in runs})
    return interval_figure(
        [f"{NAMES.get(own.model, own.model)} ({len(own.scores)})" for own in runs],
        [float(own.mean("ndcg10").mean()) for own in runs],
        [mean_interval(own.mean("ndcg10")) for own in runs],
        [kinds.index(own.trained_on) for own in runs],
        "nDCG@10 on test, 95 % interval (in brackets: seeds)",
    )


HEADINGS = dict(zip(METRICS, ("R@1", "R@5", "R@10", "P@10", "mAP", "nDCG@10"), strict=True))


def _training_pairs(workspace: Workspace, config: RunConfig) -> tuple[Ragged, np.ndarray, str]:
    """Return the positives of each training image, which are of one identity, and in words where that comes from."""
    part = workspace.usable(config).split("train")
    if (labels := labels_of(workspace, part)) is not None:
        # An image without a label is of no other's identity, and is not asked.
        identities = np.where(labels >= 0, labels, -1 - np.arange(len(labels)))
        of_label = [
            np.flatnonzero((identities == own) & (np.arange(len(part)) != i)) for i, own in enumerate(identities)
        ]
        return _ragged(of_label), identities, "labels"
    # Not the judge: nobody is taught by the one who marks.
    nearest = []
    for start, block in shared_words(part).blocks():
        block[np.arange(len(block)), start + np.arange(len(block))] = -1
        nearest += list(np.argsort(-block, axis=1, kind="stable")[:, :ALIKE])
    return _ragged(nearest), np.arange(len(part)), "shared words"


def _ragged(items: Sequence[np.ndarray]) -> Ragged:
    return Ragged.from_lengths(np.concatenate(items).astype(np.int64), np.array([len(own) for own in items]))


def _pooled(workspace: Workspace, config: RunConfig, split: str) -> np.ndarray:
    return workspace.images(config, split).to("cpu").numpy()


def _regions(workspace: Workspace, config: RunConfig, split: str) -> np.ndarray:
    blocks = (part.to("cpu") for part in workspace.images(config, split).split(512))
    pooled = [pool(own.values.float()[:, : -len(BOX_FEATURES)], own.offsets, "mean") for own in blocks]
    return torch.cat(pooled).numpy()


def _encoded(workspace: Workspace, config: RunConfig, encoder: nn.Module, split: str) -> np.ndarray:
    with workspace.runtime.autocast():
        return embed_items(encoder, workspace.images(config, split)).numpy()


def _scored(
    workspace: Workspace,
    qrels: dict[str, Qrels],
    parts: dict[str, CaptionedImages],
    config: RunConfig,
    trained_on: str,
    embedders: Sequence[Embedder],
    seconds: float = 0.0,
) -> ImageRun:
    def rows(embedder: Embedder, split: str) -> np.ndarray:
        return _rows_of(workspace, config, parts[split], split, embedder(split))

    test, distance = [rows(embedder, "test") for embedder in embedders], config.distance
    return ImageRun(
        model=config.name,
        track=config.track,
        image_features=config.image_features,
        trained_on=trained_on,
        distance=distance,
        scores=tuple(qrels["test"].relevance.score(own, distance) for own in test),
        words_ndcg10=tuple(qrels["test"].words.ndcg10(own, distance) for own in test),
        val_ndcg10=tuple(qrels["val"].relevance.ndcg10(rows(embedder, "val"), distance) for embedder in embedders),
        cpu_seconds=seconds / len(embedders),
        image_ids=parts["test"].image_ids,
        embeddings=test[0],
    )


def _rows_of(
    workspace: Workspace, config: RunConfig, part: CaptionedImages, split: str, embeddings: np.ndarray
) -> np.ndarray:
    """Return the rows that embeddings of a model's own split have for the images of a part of it."""
    return embeddings[np.isin(workspace.usable(config).split(split).image_ids, part.image_ids)]


def _fitted(
    workspace: Workspace,
    config: RunConfig,
    seed: int,
    positives: Ragged,
    identities: np.ndarray,
    part: CaptionedImages,
    qrels: Qrels,
) -> tuple[nn.Module, History]:
    features, inputs = workspace.images(config, "train"), workspace.image_inputs(config)
    torch.manual_seed(seed)
    encoder = workspace.runtime.place(build_image_encoder(config, inputs))
    encoder.fit_input(features)

    def validate(encoder: nn.Module) -> float:
        rows = _rows_of(workspace, config, part, "val", _encoded(workspace, config, encoder, "val"))
        return qrels.relevance.ndcg10(rows, config.distance)

    identity = {
        "config": config.to_dict(),
        "data": workspace.facts(config),
        "weights": workspace.weights(config, seed),
        "relevance": qrels.name,
        "seed": seed,
        **workspace.runtime.alone.identity,
    }
    loss = config.method.loss.build()
    # All epochs, whatever the patience: the recorded runs were chosen so.
    schedule = Schedule(**config.method.optimiser.model_dump(exclude={"patience"}))
    checkpoint = Checkpoint(checkpoint_of(workspace, config, seed), identity)
    history = train_metric(
        encoder,
        loss,
        features,
        positives,
        identities,
        validate,
        config.distance,
        schedule,
        seed,
        checkpoint,
        config.name,
        runtime=workspace.runtime.alone,
    )
    return encoder, history


def _record(
    workspace: Workspace, config: RunConfig, seed: int, judge: str, scores: ImageScores, history: History
) -> None:
    facts = {
        "config": config.to_dict(),
        "seed": seed,
        "data": workspace.facts(config),
        "relevance": judge,
        "test": scores.summary(),
        "history": {
            "loss": history.loss,
            "val_ndcg10": history.validation,
            "seconds": history.seconds,
            "best_epoch": history.best_epoch,
        },
        "machine": machine(workspace.runtime),
    }
    with atomic_write(run_folder(workspace.results, config.name, seed) / "image_retrieval.json") as path:
        path.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")


def _write_csv(workspace: Workspace, runs: Sequence[ImageRun], judge: str) -> None:
    with (
        atomic_write(workspace.results / "image_retrieval.csv") as path,
        path.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for own in runs:
            low, high = mean_interval(own.mean("ndcg10"))
            numbers = [
                *(own.mean(metric).mean() for metric in METRICS),
                low,
                high,
                own.scores[0].summary()["chance_ndcg10"],
            ]
            numbers += [np.mean(own.words_ndcg10), np.mean(own.val_ndcg10), own.cpu_seconds / 60]
            facts = (own.model, own.track, own.image_features, own.trained_on, judge, len(own.scores))
            writer.writerow([*facts, len(own.scores[0].queries), *(f"{number:.4f}" for number in numbers)])
