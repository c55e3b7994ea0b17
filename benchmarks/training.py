"""What an epoch costs beside its matrix products, and a large batch in chunks beside a small one."""

import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from measure import HIGHEST, Measurement, at_least, at_most, times_as_fast
from torch import Tensor, nn

from xmr_lib.config import from_flat
from xmr_lib.model import BranchInput, build_dual_encoder
from xmr_lib.modules.row_pooling import GeneralisedPooling
from xmr_lib.ragged import Ragged
from xmr_lib.training import Checkpoint, Pairs, Schedule, train

IMAGE, TEXT, EMBED, BATCH = 4096, 300, 1024, 1024
"""Lengths of the course's features and of the common space; pairs per step."""


def epoch_of_task_a(images: int, rounds: int) -> list[Measurement]:
    """One epoch on five captions per image, against its bare products and against items picked one by one."""
    generator = torch.Generator().manual_seed(0)
    owner = np.repeat(np.arange(images), 5)
    pictures, captions = (torch.randn(n, dim, generator=generator) for n, dim in ((images, IMAGE), (len(owner), TEXT)))
    pairs, few = Pairs(pictures, captions, owner), Pairs(pictures[:20], captions[:100], owner[:100])
    config = from_flat(
        "a", projection="linear", embed_dim=EMBED, loss="triplet", negatives="random", image_scaling="none"
    )
    steps = len(owner) // BATCH

    def ours() -> None:
        network = build_dual_encoder(config, [BranchInput(IMAGE)], [BranchInput(TEXT)])
        schedule = Schedule(epochs=1, batch=BATCH, learning_rate=1e-4, weight_decay=0.01, warmup=0.05)
        with tempfile.TemporaryDirectory() as place:
            checkpoint = Checkpoint(Path(place) / "a.safetensors", {})
            train(network, config.method.loss.build(), pairs, few, "cosine", schedule, 0, checkpoint, "a")

    def products() -> None:
        weights = [nn.Parameter(torch.randn(EMBED, dim) * 0.01) for dim in (IMAGE, TEXT)]
        optimiser = torch.optim.AdamW(weights)
        x, y = pictures[:BATCH], captions[:BATCH]
        for _ in range(steps):
            with torch.no_grad():
                a, b = x @ weights[0].T, y @ weights[1].T
                similarity = a @ b.T
                for weight, gradient, inputs in ((weights[0], similarity @ b, x), (weights[1], similarity.T @ a, y)):
                    weight.grad = gradient.T @ inputs
            optimiser.step()

    def one_by_one() -> None:
        towers = nn.Linear(IMAGE, EMBED), nn.Linear(TEXT, EMBED)
        optimiser = torch.optim.AdamW([own for tower in towers for own in tower.parameters()])
        for image, right, wrong in torch.utils.data.DataLoader(_Triplets(pairs), BATCH, shuffle=True, drop_last=True):
            image, right, wrong = towers[0](image), towers[1](right), towers[1](wrong)
            loss = nn.functional.triplet_margin_loss(image, right, wrong)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    peer = "a Dataset of triplets, one negative each"
    size = f"an epoch of task (a), {images:,} × 5"
    return [
        at_most(size, times_as_fast(products, ours, rounds), 1.5, "its matrix products and optimiser alone"),
        at_least(f"{size}, in batches of pairs", times_as_fast(ours, one_by_one, rounds), 10.0, peer),
    ]


class _Triplets(torch.utils.data.Dataset):
    def __init__(self, pairs: Pairs):
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs.captions)

    def __getitem__(self, caption: int) -> tuple[Tensor, Tensor, Tensor]:
        wrong = int(torch.randint(len(self), ()))
        captions = self.pairs.captions
        return self.pairs.images[int(self.pairs.image_of_caption[caption])], captions[caption], captions[wrong]


def sorted_regions(rounds: int) -> Measurement:
    """GPO over 128 images of 37 regions, forward and backward, against the same with torch's own sort."""
    lengths = torch.full((128,), 37)
    rows = Ragged.from_lengths(torch.randn(int(lengths.sum()), 1280), lengths)
    pooling, beside = GeneralisedPooling(), torch.zeros(len(rows.values), 5)

    def ours() -> None:
        pooling(rows, beside).sum().backward()

    def torchs() -> None:
        with patch("xmr_lib.modules.row_pooling._ascending", lambda values: values.sort(2).values):
            ours()

    return at_least("a step of GPO", times_as_fast(ours, torchs, rounds), 2.0, "the same with torch.sort")


STEP = """
import torch
from xmr_lib.config import from_flat
from xmr_lib.model import BranchInput, build_dual_encoder
from xmr_lib.modules import InChunks
from xmr_lib.losses import similarity_matrix
torch.set_num_threads(1)
config = from_flat("m", projection="mlp", hidden=8192, embed_dim=512, loss="infonce")
torch.manual_seed(0)
model = build_dual_encoder(config, [BranchInput(4096)], [BranchInput(300)])
pairs, chunk = {pairs}, {chunk}
towers = InChunks(model, chunk) if chunk else model
images, captions = torch.randn(pairs, 4096), torch.randn(pairs, 300)
config.method.loss.build()(similarity_matrix(*towers(images, captions), "cosine"), torch.arange(pairs)).backward()
print(highest())
"""


def large_batch() -> Measurement:
    """Peak memory of a step of 4,096 pairs in chunks of 512, against that of a step of 512 pairs."""

    def peak(pairs: int, chunk: int) -> int:
        command = [sys.executable, "-c", HIGHEST + STEP.format(pairs=pairs, chunk=chunk)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    ratio = peak(4096, 512) / peak(512, 0)
    name = "memory of 4,096 pairs in chunks of 512"
    return Measurement(name, ratio, "times the memory", "<= 1.3", "yes" if ratio <= 1.3 else "no", "512 pairs at once")
