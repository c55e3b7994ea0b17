"""What each process of tests/test_processes.py does: ``several_processes.py OUT`` under torchrun, or alone."""

import json
import sys
from pathlib import Path

import torch

from xmr_lib.config import from_flat
from xmr_lib.losses import LOSSES
from xmr_lib.model import BranchInput, build_dual_encoder
from xmr_lib.processes import Processes
from xmr_lib.ragged import Ragged
from xmr_lib.runtime import Runtime
from xmr_lib.training import Pairs
from xmr_lib.training.dual_encoder import PairProblem

BATCH = 12
KINDS = {
    "infonce": ("infonce", {}),
    **{f"triplet {name}": ("triplet", {"negatives": name}) for name in ("random", "semihard", "hardest", "all")},
    "contrastive": ("contrastive", {"margin": 1.5}),
}


def step(kind: str, runtime: Runtime) -> dict[str, list[float]]:
    """Return loss and gradients of one step over regions and words, in double precision."""
    name, settings = KINDS[kind]
    torch.manual_seed(0)
    distance = "euclidean" if name == "contrastive" else "cosine"
    config = from_flat(
        *("step",),
        **{"image_features": "frcnn-resnet50", "image_pooling": "attention", "text_features": "glove"},
        **{"text_pooling": "gru", "hidden": 8, "embed_dim": 6, "dropout": 0.0, "distance": distance},
    )
    images = [BranchInput(7, rows=True)]
    network = build_dual_encoder(config, images, [BranchInput(5, rows=True)]).double()
    loss = LOSSES[name](**settings).double()
    lengths = torch.tensor([1, 4, 2, 3, 5, 1, 2, 3])
    regions = Ragged.from_lengths(torch.randn(int(lengths.sum()), 12, dtype=torch.float64), lengths)
    words = Ragged.from_lengths(torch.randn(48, 5, dtype=torch.float64), torch.full((16,), 3))
    pairs = Pairs(regions, words, (torch.arange(16) // 2).numpy())
    problem = PairProblem(kind, network, loss, pairs, pairs, distance, runtime)
    problem.draws = torch.Generator().manual_seed(5)
    batch = torch.randperm(16)[:BATCH]
    value = problem.batch_loss(*problem.fetch(batch))
    value.backward()
    trained = {**dict(network.named_parameters()), **{f"loss.{n}": p for n, p in loss.named_parameters()}}
    found = {n: p.grad.flatten().tolist() for n, p in trained.items() if p.grad is not None}
    return {"loss": [value.item()], **found}


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    runtime = Runtime(processes=Processes.of_torchrun(torch.device("cpu")))
    found = {kind: step(kind, runtime) for kind in KINDS}
    Path(sys.argv[1], f"{runtime.processes.rank}.json").write_text(json.dumps(found))
