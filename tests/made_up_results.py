"""Results of models that were never trained: every run of the study with ranks from a dice, in the true layout."""

import csv
import itertools
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from xmr_lib import plotdata
from xmr_lib.analysis import rank_shares
from xmr_lib.config import RunConfig, from_flat
from xmr_lib.experiment.sweep import Point, add_points, sweep_file
from xmr_lib.figures import PAGE, save_figure, use_style
from xmr_lib.metrics import Ranks, bootstrap_interval, chance_levels, summarise
from xmr_lib.plotdata import write_plotdata
from xmr_lib.publish.figures import SPREAD
from xmr_lib.publish.galleries import GALLERIES
from xmr_lib.records import DETECTOR, Result, read_ranks, read_result, run_folder, summary_row, write_run
from xmr_lib.study import MODELS
from xmr_lib.study.among_images import COLUMNS
from xmr_lib.study.batch_size import LOSSES, SWEEP
from xmr_lib.study.names import NAMES
from xmr_lib.summary_csv import update_summary

IMAGES = 60
QUERIES = {"i2t": "image → captions", "t2i": "caption → images"}
RANKS = np.arange(1, IMAGES)
MACHINE = {"processor": "Abacus", "threads": 2, "system": "Linux", "python": "3.12", "torch": "2.9"}
MACHINE |= {"numpy": "2.4", "scipy": "1.17", "gensim": "4.4"}
IMAGE_RUNS = ("i-pooled", "i-regions", "ab-infonce-meanmax", "d-meanmax", "i-siamese", "i-triplet")


def made_up_ranks(mean: float, seed: int, images: int = IMAGES) -> Ranks:
    """Ranks of about this mean, two captions per image."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(images), 2)
    return Ranks(*(np.minimum(rng.geometric(1 / mean, 2 * images), top) for top in (2 * images, images)), owner)


def made_up_config(run: str, **fields) -> RunConfig:
    """Return the study's own config of a run, or the default one of a run that is not of the study."""
    own = {**MODELS.get(run, {}), **fields}
    members = [made_up_config(member) for member in own.pop("members", ())]
    if "teacher" in own:
        own["teacher"] = made_up_config(own["teacher"])
    return from_flat(run, members, **own)


def write_made_up_run(folder: Path, run: str, mean: float, seeds=(0,), **fields) -> list[Result]:
    """Write the runs and the row of one model."""
    config = made_up_config(run, **fields)
    results, all_ranks = [], []
    for seed in seeds:
        ranks = made_up_ranks(mean, 1000 * seed + sum(run.encode()))
        rsum = summarise(ranks)["rsum"]
        history = {"val_rsum": [rsum / 2, rsum * 0.9, rsum], "loss": [3.0, 2.0, 1.0], "best_epoch": 2}
        result = Result(
            config=config,
            seed=seed,
            data={
                "name": folder.name,
                "fingerprint": "0",
                "layout": "made up",
                "split_source": "made up",
                "images": {"train": 12_000, "val": 100, "test": IMAGES},
                "captions": {"train": 24_000, "val": 200, "test": 2 * IMAGES},
                "left_out": [],
                "profile": "demo",
            },
            test=summarise(ranks),
            val_rsum=rsum - 1,
            chance=chance_levels(ranks.image_of_caption),
            cpu_seconds=30.0 + mean,
            history={} if config.method.kind != "dual-encoder" else history,
            machine=MACHINE,
        )
        write_run(folder, result, ranks)
        results.append(result)
        all_ranks.append(ranks)
    update_summary(folder, [summary_row(results, bootstrap_interval(all_ranks, draws=100))])
    return results


def write_made_up_results(folder: Path) -> Path:
    """Write every run of the study, image retrieval and galleries into ``folder``, a dataset's."""
    for place, run in enumerate(run for run in NAMES if not run.startswith("i-")):
        write_made_up_run(folder, run, 2.0 + 0.6 * (place % 17), seeds=(0, 1) if run.startswith("ab-") else (0,))
    with (folder / "image_retrieval.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for place, run in enumerate(IMAGE_RUNS):
            facts = (run, "clean", "effnet-lite0", "nothing", "same label", 1, IMAGES)
            writer.writerow([*facts, *(f"{40 + place + 0.25:.4f}" for _ in COLUMNS[len(facts) :])])
    siamese = run_folder(folder, "i-siamese", 0)
    siamese.mkdir(parents=True, exist_ok=True)
    (siamese / "image_retrieval.json").write_text('{"history": {"best_epoch": 1}}')
    write_made_up_plotdata(folder)
    write_made_up_sweep(folder)
    write_made_up_judgements(folder)
    (folder / DETECTOR).write_text('{"detector": "frcnn-lite0", "loss": [2.0, 1.0], "map50": [0.1, 0.25]}')
    (folder / "figures").mkdir(exist_ok=True)
    for name in GALLERIES:
        use_style(PAGE)
        figure = plt.figure(figsize=(PAGE, 2.2))
        figure.text(0.4, 0.5, name)
        save_figure(figure, folder / "figures", name, "pdf")
        plt.close(figure)
    return folder


def write_made_up_sweep(folder: Path) -> None:
    """Write what the study over batch sizes writes."""
    kinds = itertools.product(LOSSES.values(), (32, 2048), (0, 1))
    points = [
        Point(f"{model}-batch{batch}", seed, 240.0 - batch / 50 + seed, 3, 3, 0.0001 * batch, 0.2, 1.0, "0")
        for model, batch, seed in kinds
    ]
    add_points(sweep_file(folder, SWEEP), points)


def write_made_up_judgements(folder: Path) -> None:
    """Write what notebook 11 writes of false negatives."""
    (folder / "tables").mkdir(exist_ok=True)
    lines = ["model,query,judge,R@1 (%),accepted (%),of random ones (%),R@1 with them (%)"]
    for run, (direction, query) in itertools.product(("cca-mean", "ab-infonce-meanmax"), QUERIES.items()):
        r1 = read_result(run_folder(folder, run, 0) / "result.json").test[f"{direction}_r1"]
        lines += [f"{run},{query},{judge},{r1:.1f},12.5,0.4,{r1 + 5:.1f}" for judge in ("MiniLM", "shared words")]
    (folder / "tables" / "11_false_negatives.csv").write_text("\n".join(lines) + "\n", "utf-8")


def write_made_up_plotdata(folder: Path) -> None:
    """Write what notebook 08 writes."""
    rng = np.random.default_rng(0)
    kinds = itertools.product(("tsne", "umap"), ("before", "after"), ("image", "caption"), range(40))
    topics = ("beach", "dog", "other")
    places = ((kind, rng.uniform((0.0, 0.2), (1.0, 0.8))) for kind in kinds)
    points = [("ab-infonce-meanmax", *kind, *place, topics[kind[-1] % 3]) for kind, place in places]
    gaps = []
    for run, stage in itertools.product(("ab-infonce-meanmax", "d-meanmax"), ("before", "after")):
        rsum = read_result(run_folder(folder, run, 0) / "result.json").test["rsum"]
        gaps.append((run, stage, 0.07, 0.5, 0.9, 1.1, 0.3, rsum, rsum))
    moves = itertools.product((0.07, 0.5), (-0.5, 0.0, 0.5))
    closing = [("ab-infonce-meanmax", t, closed, 1 + closed**2, 300.0) for t, closed in moves]
    shares = [("chance", direction, rank, min(rank / IMAGES, 1.0)) for direction in ("i2t", "t2i") for rank in RANKS]
    for run in SPREAD:
        all_ranks = [read_ranks(folder, run, int(path.name[4:])) for path in folder.glob(f"runs/{run}/seed*")]
        for direction in ("i2t", "t2i"):
            own = np.mean([rank_shares(getattr(ranks, direction), RANKS) for ranks in all_ranks], axis=0)
            shares += [(run, direction, int(rank), share) for rank, share in zip(RANKS, own, strict=True)]
    curves = [("ab-infonce", 0, epoch, 3.0 / epoch, 200.0 + epoch) for epoch in (1, 2, 3)]
    boxes = [("noise 0", 100.0, 0, 255.0), ("noise 1", 5.5, 0, 240.0)]
    for regions, run, map50 in (("the detector", "c-roi-attention", 25.0), ("the whole image", "r-fasttext", np.nan)):
        for path in sorted(folder.glob(f"runs/{run}/seed*/result.json")):
            boxes.append((regions, map50, 0, read_result(path).val_rsum))
    tables = {"detector_quality": boxes, "shared_space": points, "modality_gap": gaps, "gap_closing": closing}
    for name, rows in {**tables, "rank_distribution": shares, "training_curves": curves}.items():
        write_plotdata(folder, name, pd.DataFrame(rows, columns=plotdata.COLUMNS[name]))
