"""``run``: a config and seeds in, results out; what was run before is read, not run again."""

import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..config import EnsembleConfig, RunConfig
from ..errors import XmrError
from ..metrics import Ranks, bootstrap_interval, chance_levels, five_folds, ranks_of_embeddings, summarise
from ..metrics.folds import FOLDS, IMAGES_PER_FOLD
from ..model import EnsembleModel, RetrievalModel
from ..model.folder import IN_RUN, MODEL
from ..paths import one_at_a_time, reference_root
from ..query_bank import normalised_ranks
from ..records import Result, read_ranks, read_result, read_run, recorded_seeds, run_folder, summary_row, write_run
from ..summary_csv import update_summary
from .fit import Embeddings, Fitted, checkpoint_of, embed_split, fit
from .machine import machine
from .query_bank import fit_bank
from .workspace import Workspace


def run(workspace: Workspace, config: RunConfig, seeds: Sequence[int] = (0,)) -> list[Result]:
    """Fit a model once per seed (see ``seeds_of``), choose on validation, score once on test, record it with the model.

    Writes ``runs/<model>/seed<k>/`` and the model's row of ``summary.csv``, which is of all seeds that are recorded. A
    run that is there already is read. The members of late fusion are runs of their own.

    Raises:
        XmrError: a run of this name was made with another config or other data; the training collapsed; data are
            missing.
    """
    results = [_run_seed(workspace, config, seed) for seed in seeds_of(config, seeds)]
    if workspace.runtime.processes.first:
        recorded = recorded_results(workspace, config)
        interval = bootstrap_interval([ranks_of(workspace, result) for result in recorded])
        update_summary(workspace.results, [summary_row(recorded, interval)])
    return results


def seeds_of(config: RunConfig, seeds: Sequence[int]) -> Sequence[int]:
    """Return the seeds that a model is run with: those that are asked for.

    Late fusion of named seeds is the same model whatever is asked for, and so is run once, as the first that it names.
    """
    fixed = config.method.seeds if isinstance(config.method, EnsembleConfig) else ()
    return fixed[:1] or seeds


def recorded_results(workspace: Workspace, config: RunConfig) -> list[Result]:
    """Return what is recorded of a model with its ranks, one result per seed; nothing is trained.

    Raises:
        XmrError: a run of this name was made with another config or other data.
    """
    data = workspace.facts(config)
    seeds = recorded_seeds(workspace.results, config.name)
    found = (read_run(workspace.results, config, seed, data) for seed in seeds)
    return [result for result in found if result is not None]


def chosen_on_validation(groups: Sequence[list[Result]]) -> list[Result]:
    """Return the model (its results, one per seed) with the highest validation rSum, mean over seeds."""
    return max(groups, key=lambda results: float(np.mean([result.val_rsum for result in results])))


def open_run(folder: str | Path, data: str | Path | None = None) -> tuple[Workspace, Result]:
    """Return what is recorded in the folder of a run, and a workspace of the data that it was made on.

    Args:
        folder: ``runs/<dataset>/runs/<model>/seed<k>``.
        data: see ``Workspace``.

    Raises:
        XmrError: there is no run, or its data are others now.
    """
    folder = Path(folder)
    result = read_result(folder / "result.json")
    workspace = Workspace(result.data["name"], data, result.data["profile"], folder.resolve().parents[3])
    if workspace.facts(result.config)["fingerprint"] != result.data["fingerprint"]:
        raise XmrError(f"{folder}: this run was made on other data (fingerprint {result.data['fingerprint']})")
    return workspace, result


def ranks_of(workspace: Workspace, result: Result) -> Ranks:
    """Return the ranks of a run on the test split, from its folder."""
    return read_ranks(workspace.results, result.model, result.seed)


def model_of(workspace: Workspace, result: Result) -> RetrievalModel:
    """Return the model of a run, from its folder; where only the facts are there, it is fitted again.

    It is kept only where it has the very ranks that are recorded (where it has others, that is told), and never in the
    reference, which is in git.
    """
    folder = model_folder(workspace, result.config, result.seed)
    if (folder / MODEL).is_file():
        return RetrievalModel.load(folder, workspace.runtime)
    model, ranks = _fit(workspace, result.config, result.seed).model, ranks_of(workspace, result)
    found = _rank_test(workspace, result.config, embed_split(workspace, model, "test", result.seed))
    chosen = _find_bank(workspace, model, result.seed)
    # What it scores itself, also where that is not what is recorded.
    mine = replace(result, test=summarise(found), val_rsum=chosen["val_rsum"]["without"])
    _tell_about(model, mine, found, chosen)
    other = int((found.i2t != ranks.i2t).sum() + (found.t2i != ranks.t2i).sum())
    if other:
        queries = len(ranks.i2t) + len(ranks.t2i)
        print(
            f"{result.model} seed {result.seed}: fitted again, {other:,} of {queries:,} queries have another rank than "
            f"is recorded (rSum {summarise(found)['rsum']:.1f}, recorded {result.test['rsum']:.1f}): it is not kept; "
            f"delete {folder.parent} to record it anew",
            file=sys.stderr,
        )
    elif not folder.resolve().is_relative_to(reference_root().resolve()):
        with one_at_a_time(folder.parent, f"{result.model} seed {result.seed}"):
            # Another process may have kept it meanwhile.
            if not (folder / MODEL).is_file():
                _keep(workspace, model, result)
    return model


def model_folder(workspace: Workspace, config: RunConfig, seed: int) -> Path:
    """Return where the model of a run is, or will be."""
    return run_folder(workspace.results, config.name, seed) / IN_RUN


def score_again(workspace: Workspace, result: Result) -> Ranks:
    """Rank the test split with the model of a run, whatever is recorded."""
    return _rank_test(workspace, result.config, embed(workspace, result, "test"))


def embed(workspace: Workspace, result: Result, split: str) -> Embeddings:
    """Embed the images and captions of a split with the model of a run."""
    return embed_split(workspace, model_of(workspace, result), split, result.seed)


def _run_seed(workspace: Workspace, config: RunConfig, seed: int) -> Result:
    processes = workspace.runtime.processes
    if not processes.alone:
        workspace.prepare(config, seed)
    data = workspace.facts(config)
    if (result := read_run(workspace.results, config, seed, data)) is not None:
        return result
    folder = run_folder(workspace.results, config.name, seed)
    with one_at_a_time(folder, f"{config.name} seed {seed}") if processes.alone else nullcontext():
        # Another process may have made it meanwhile; with several, all do the same.
        if processes.alone and (result := read_run(workspace.results, config, seed, data)) is not None:
            return result
        fitted = _fit(workspace, config, seed)
        with processes.first_alone():
            found = _recorded(workspace, fitted, seed, data) if processes.first else None
            return found or read_run(workspace.results, config, seed, data)


def _recorded(workspace: Workspace, fitted: Fitted, seed: int, data: dict) -> Result:
    """Score a fitted model once on test, and write what is recorded of it."""
    config = fitted.model.config
    started, wall = time.process_time(), time.perf_counter()
    embeddings = embed_split(workspace, fitted.model, "test", seed)
    ranks = _rank_test(workspace, config, embeddings)
    folds = None
    if ranks.images >= FOLDS * IMAGES_PER_FOLD:
        folds = five_folds(*embeddings, ranks.image_of_caption, config.distance)
    seconds, clock = time.process_time() - started, time.perf_counter() - wall
    chosen = _find_bank(workspace, fitted.model, seed)
    with_bank = normalised_ranks(fitted.model.bank, *embeddings, ranks.image_of_caption)
    result = Result(
        config=config,
        seed=seed,
        data=data,
        test=summarise(ranks),
        val_rsum=chosen["val_rsum"]["without"],
        chance=chance_levels(ranks.image_of_caption),
        cpu_seconds=fitted.cpu_seconds + seconds,
        history=fitted.history,
        machine=machine(workspace.runtime),
        wall_seconds=fitted.wall_seconds + clock,
        five_folds=folds,
        with_bank={"val": {"rsum": chosen["val_rsum"]["with"]}, "test": summarise(with_bank)},
        found_track=config.track,
    )
    # The model first: a run that has its result has its model too, whenever it is killed.
    _tell_about(fitted.model, result, ranks, chosen)
    _keep(workspace, fitted.model, result)
    write_run(workspace.results, result, ranks, with_bank)
    if not isinstance(fitted.model, EnsembleModel):
        checkpoint_of(workspace, config, seed).unlink(missing_ok=True)
    return result


def _fit(workspace: Workspace, config: RunConfig, seed: int) -> Fitted:
    return fit(workspace, config, seed, lambda own, part: _as_member(workspace, own, part))


def _as_member(workspace: Workspace, config: RunConfig, seed: int) -> Fitted:
    [result] = run(workspace, config, [seed])
    return Fitted(model_of(workspace, result), result.history, result.cpu_seconds, result.wall_seconds or 0.0)


def _find_bank(workspace: Workspace, model: RetrievalModel, seed: int) -> dict:
    """Give a model its query bank; return what validation said of it."""
    model.bank, chosen = fit_bank(workspace, model, seed)
    return chosen


def _tell_about(model: RetrievalModel, result: Result, ranks: Ranks, chosen: dict) -> None:
    """Give a model the facts of its card: what it was made of, and its scores."""
    low, high = bootstrap_interval([ranks])
    facts = {"track": result.track, "data": result.data, "seed": result.seed, "test": result.test}
    model.facts = {
        **facts,
        "query_bank": chosen,
        "interval": [low, high],
        "val_rsum": result.val_rsum,
        "chance_rsum": result.chance["rsum"],
    }


def _keep(workspace: Workspace, model: RetrievalModel, result: Result) -> None:
    """Save a model in the folder of its run."""
    folder = model_folder(workspace, result.config, result.seed)
    # What a kill left half-written, too: nobody else is writing here.
    for old in (folder, *folder.parent.glob(f".{folder.name}.*")):
        shutil.rmtree(old, ignore_errors=True)
    model.save(folder)


def _rank_test(workspace: Workspace, config: RunConfig, embeddings: Embeddings) -> Ranks:
    image_of_caption = workspace.usable(config).split("test").image_of_caption
    return ranks_of_embeddings(*embeddings, image_of_caption, config.distance)
