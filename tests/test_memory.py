"""What is trained on may be larger than the memory: a step holds its batch, and no more of a store than that."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from xmr_lib.config import DualEncoderConfig
from xmr_lib.experiment import Workspace, embed, run
from xmr_lib.features.store import FeatureStore
from xmr_lib.features.store_writer import StoreWriter
from xmr_lib.items import OnDisk, Parts
from xmr_lib.model import as_items
from xmr_lib.runtime import CPU
from xmr_lib.study import get_configs

WATCH = """
import os, sys, threading, time
import numpy as np, torch
from xmr_lib.features.store import FeatureStore
from xmr_lib.items import OnDisk
from xmr_lib.model import as_items

def private():
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

torch.set_num_threads(1)
store = FeatureStore.open(sys.argv[1])
every = np.arange(len(store))
def held(ids):
    return OnDisk(lambda ids: as_items(store.take(ids)), ids, store.nbytes_of(ids))
def watched(act):
    before, peak, done = private(), 0.0, False
    def watch():
        nonlocal peak
        while not done:
            peak = max(peak, private())
            time.sleep(0.005)
    thread = threading.Thread(target=watch)
    thread.start()
    act()
    done = True
    thread.join()
    print(f"{store.values.nbytes / 2**20:.0f} MB in the store, {peak - before:.0f} MB more in memory")
    sys.exit(peak - before > 200)
"""
TRAIN = """
from xmr_lib.config import from_flat
from xmr_lib.model import BranchInput, build_dual_encoder
from xmr_lib.training import Checkpoint, Pairs, Schedule, train

config = from_flat("regions", image_features="frcnn-resnet50", image_pooling="attention", text_features="onehot",
                   projection="linear", embed_dim=64, image_scaling="standardise")
images = [BranchInput(store.values.shape[1] - 5, rows=True)]
network = build_dual_encoder(config, images, [BranchInput(32)])
loss = config.method.loss.build()
schedule = Schedule(1, 64, 1e-3, 1e-2, 0.1)
def epoch(ids, name):
    pairs = Pairs(held(ids), torch.randn(len(ids), 32), np.arange(len(ids)))
    network.image.fit_input(pairs.images)
    train(network, loss, pairs, pairs, "cosine", schedule, 0, Checkpoint(sys.argv[2] + name, {}), name)
# Once through a little of it: what the libraries take for themselves is in the memory then.
epoch(np.arange(128), "little")
watched(lambda: epoch(every, "all"))
"""
CLOSED = """
from xmr_lib.baselines import CCAStatistics, LinearEncoder, Scaled

def fit(ids):
    features, captions = held(ids), np.random.default_rng(0).normal(size=(len(ids), 8)).astype(np.float32)
    cca = CCAStatistics.of(Scaled(features, "l2"), captions, np.arange(len(ids))).solve(0.1)
    assert LinearEncoder.of(cca, 1.0, ("l2", "none")).embed_images(features).shape == (len(ids), 8)
fit(np.arange(5000))
watched(lambda: fit(every))
"""
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks Linux how much memory is a process's own")


def run_under_200_mb(script: str, *arguments: Path | str) -> None:
    """Run a script on a store that would not go into 200 MB, watching that it takes no more than that."""
    command = [sys.executable, "-c", WATCH + script, *map(str, arguments)]
    home = str(Path(__file__).parent.parent)
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": home})
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    assert int(done.stdout.split()[0]) > 550


@LINUX
def test_an_epoch_over_600_mb_of_regions_takes_less_than_200(tmp_path):
    images, regions, dim = 4000, 36, 2048
    rng = np.random.default_rng(0)
    block = rng.random((250 * regions, dim + 5), dtype=np.float32).astype(np.float16)
    with StoreWriter(tmp_path / "store", {"extractor": "random"}, (dim + 5,), True, "float16") as writer:
        for start in range(0, images, 250):
            writer.append(np.arange(start, start + 250), block, np.full(250, regions))
        writer.finish()
    run_under_200_mb(TRAIN, tmp_path / "store", str(tmp_path / "checkpoint-"))


@LINUX
def test_cca_over_600_mb_of_vectors_takes_less_than_200(tmp_path):
    dim, block = 480, np.random.default_rng(0).random((32_000, 480), dtype=np.float32)
    with StoreWriter(tmp_path / "store", {"extractor": "random"}, (dim,), False, "float32") as writer:
        for start in range(0, 320_000, 32_000):
            writer.append(np.arange(start, start + 32_000), block)
        writer.finish()
    run_under_200_mb(CLOSED, tmp_path / "store")


@pytest.mark.parametrize("model", ["cca-idf", "ab-infonce", "c-roi-attention", "d-meanmax", "f-words-late"])
def test_a_model_on_what_is_not_held_is_the_same(tmp_path, capsys, model):
    """Nothing is held in memory: neither what a store has, nor words that are aggregated ahead of training."""
    # One right after the other: what other tests load into the process moves the last bit of a sum.
    whole = Workspace("scenes", None, "smoke", tmp_path / "held")
    apart = Workspace("scenes", None, "smoke", tmp_path / "read", runtime=replace(CPU, hold=0))
    [config] = get_configs(apart, model)
    if isinstance(config.method, DualEncoderConfig):
        pairs = apart.pairs(config, "train", 0)
        assert isinstance(pairs.images, OnDisk) and isinstance(pairs.captions, OnDisk)
    [held], [read] = run(whole, config), run(apart, config)
    told = [line for line in capsys.readouterr().err.splitlines() if "stay on disk, read by batch" in line]
    # Of each kind once, whatever the splits and seeds.
    assert told and len({line.split(": ")[0] for line in told}) == len(told)
    assert read.test == held.test and read.history == held.history
    for own, theirs in zip(embed(apart, read, "test"), embed(whole, held, "test"), strict=True):
        np.testing.assert_array_equal(own, theirs)


def test_features_on_disk_are_those_in_memory(tmp_path):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 5, 20)
    with StoreWriter(tmp_path / "rows", {}, (3,), True, "float16") as writer:
        writer.append(np.arange(20) * 7, rng.random((lengths.sum(), 3)), lengths)
        writer.finish()
    store = FeatureStore.open(tmp_path / "rows")
    reads: list[int] = []

    def read(ids):
        reads.append(len(ids))
        return as_items(store.take(ids))

    ids = np.arange(20)[::-1] * 7
    disk, memory = OnDisk(read, ids, store.nbytes_of(ids)), as_items(store.take(ids))
    assert len(disk) == 20 and disk.nbytes == memory.nbytes and disk[:5].nbytes == disk.nbytes // 4
    some = torch.tensor([3, 3, 0, 19])
    for own, theirs in ((disk[some], memory[some]), (disk[4:9].to("cpu"), memory[4:9]), (disk.to("cpu"), memory)):
        assert torch.equal(own.values, theirs.values) and torch.equal(own.offsets, theirs.offsets)
    # Nothing but what was asked for was read.
    assert reads == [4, 5, 20]
    both = Parts((disk, memory))
    assert [len(part) for part in both.split(8)] == [8, 8, 4] and reads == [4, 5, 20]
    first, second = both[some].parts
    assert torch.equal(first.values, second.values)
    first, second = both.split(8)[2].to("cpu").parts
    assert torch.equal(first.values, second.values)
