"""How much of what is done per second, for plans beyond this machine. Writes runs/bench/rates.csv."""

import argparse
import csv
import statistics
import tempfile
from pathlib import Path

import numpy as np
import torch
from measure import seconds

from xmr_lib.config import from_flat
from xmr_lib.encoders.bert import encode
from xmr_lib.experiment import Workspace
from xmr_lib.features.extract import extract_images
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.model import BranchInput, build_dual_encoder
from xmr_lib.networks.bert import load_bert
from xmr_lib.paths import atomic_write, runs_root
from xmr_lib.study.rows import STUDY
from xmr_lib.training import Checkpoint, Pairs, Schedule, train

IMAGE, TEXT, PAIRS = 1280, 600, 32_768
"""Lengths of EfficientNet's vector and of mean ‖ maximum of FastText's words; pairs in an epoch."""


def pictures(workspace: Workspace, images: int) -> float:
    """Pictures per second: read, decoded, EfficientNet-Lite0, checked and stored."""
    dataset, encoder = workspace.dataset.subset(np.arange(images)), workspace.bank.encoder(FeatureSpec("effnet-lite0"))
    with tempfile.TemporaryDirectory() as place:
        return images / seconds(lambda: extract_images(dataset, encoder, Path(place) / "store"))


def captions(workspace: Workspace, number: int) -> float:
    """Captions per second through MiniLM."""
    bert, texts = load_bert("minilm"), list(workspace.dataset.raw[:number])
    return len(texts) / seconds(lambda: encode(bert, texts, (bert.layers,)))


def pairs() -> float:
    """Pairs per second that a linear dual encoder of the studies learns from, features in memory."""
    generator, owner = torch.Generator().manual_seed(0), np.arange(PAIRS)
    given = (torch.randn(PAIRS, dim, generator=generator) for dim in (IMAGE, TEXT))
    all_pairs = Pairs(*given, owner)
    few = Pairs(all_pairs.images[:20], all_pairs.captions[:20], owner[:20])
    config = from_flat("rate", text_pooling="meanmax", **STUDY)
    network = build_dual_encoder(config, [BranchInput(IMAGE)], [BranchInput(TEXT)])
    schedule = Schedule(1, config.get("optimiser.batch"), 1e-3, 0.01, 0.05)
    with tempfile.TemporaryDirectory() as place:
        checkpoint = Checkpoint(Path(place) / "rate.safetensors", {})
        took = seconds(
            lambda: train(network, config.method.loss.build(), all_pairs, few, "cosine", schedule, 0, checkpoint, "r")
        )
    return PAIRS / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset", default="scenes")
    parser.add_argument("--data", default=None, help="photographs take longer to decode than drawn pictures")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    workspace = Workspace(asked.dataset, asked.data, "demo")
    threads = f"{torch.get_num_threads()} threads"
    jobs = {
        "pictures": (lambda: pictures(workspace, 256), f"pictures of {workspace.dataset.name} per second, {threads}"),
        "captions": (lambda: captions(workspace, 1024), f"captions of {workspace.dataset.name} per second, {threads}"),
        "pairs": (pairs, f"pairs per second, {threads}"),
    }
    path = runs_root() / "bench" / "rates.csv"
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("name", "value", "unit"))
        for name, (job, unit) in jobs.items():
            job()  # warm
            value = statistics.median(job() for _ in range(asked.rounds))
            writer.writerow((name, f"{float(f'{value:.3g}'):g}", unit))
            print(f"{name:10} {value:10.3g} {unit}")
    print(path)


if __name__ == "__main__":
    main()
