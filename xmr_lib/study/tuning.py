"""Pretrained layers trained on with the loss, against the same layers frozen and computed once."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ..config import RunConfig
from ..experiment.fit import untrained
from ..experiment.workspace import Workspace
from ..losses import similarity_matrix
from ..metrics import Ranks, bootstrap_interval, holm, paired_test
from ..records import Result
from ..training import pretrained_parameters

MB = 1e6
ADAM = 16
"""Bytes that a trained parameter takes: its value, its gradient and two moments, in single precision."""


def tuning_table(
    workspace: Workspace, groups: Sequence[Sequence[Result]], ranks: Sequence[Sequence[Ranks]]
) -> pd.DataFrame:
    """Return one row per model; models come in pairs, a frozen one and the same with pretrained layers trained on.

    ``tuned`` counts the parameters of those layers; ``features`` is what the training split's features take, ``a step``
    what one step of training takes beside them (see ``step_memory``), ``training`` processor time. ``p`` is the paired
    randomisation test of the pair, adjusted by Holm for the number of pairs.
    """
    pairs_of = range(0, len(groups), 2)
    p = holm([paired_test(ranks[i + 1], ranks[i]) for i in pairs_of])
    rows = []
    for place, (results, own_ranks) in enumerate(zip(groups, ranks, strict=True)):
        config, (low, high) = results[0].config, bootstrap_interval(own_ranks)
        pairs = workspace.pairs(config, "train", 0)
        tuned, step = step_memory(workspace, config)
        rows.append(
            {
                "model": config.name,
                "tuned (million)": tuned / 1e6,
                "features (MB)": (pairs.images.nbytes + pairs.captions.nbytes) / MB,
                "a step (MB)": step / MB,
                "training (min)": float(np.mean([result.cpu_seconds for result in results])) / 60,
                "rSum": float(np.mean([result.test["rsum"] for result in results])),
                "95 % interval": f"{low:.1f}–{high:.1f}",
                "val rSum": float(np.mean([result.val_rsum for result in results])),
                "p": f"{p[place // 2]:.4f}" if place % 2 else "",
                "seeds": str(len(results)),
            }
        )
    rows.append({"model": "chance", "rSum": groups[0][0].chance["rsum"]})
    return pd.DataFrame(rows).fillna("").set_index("model")


def step_memory(workspace: Workspace, config: RunConfig, seed: int = 0) -> tuple[int, int]:
    """Return the parameters of pretrained layers that are trained, and the bytes that a step of training takes.

    Counted, not measured, so that it is the same on every machine: what the forward pass of one batch keeps for the
    backward pass, each piece of memory once, and ``ADAM`` bytes per trained parameter.
    """
    pairs = workspace.pairs(config, "train", seed)
    model, loss = untrained(workspace, config, seed).cpu().train(), config.method.loss.build()
    batch = torch.arange(min(config.method.optimiser.batch, len(pairs.image_of_caption)))
    owners = torch.from_numpy(pairs.image_of_caption)[batch]
    trained = [x for x in (*model.parameters(), *loss.parameters()) if x.requires_grad]
    parameters = {x.untyped_storage().data_ptr() for x in trained}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in parameters:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        images, captions = model(pairs.images[owners], pairs.captions[batch])
        value = loss(similarity_matrix(images, captions, config.distance), owners)
    # Until here the graph must live: memory that is freed would be given out, and counted, again.
    del value
    tuned = sum(x.numel() for x in pretrained_parameters(model) if x.requires_grad)
    return tuned, sum(kept.values()) + ADAM * sum(x.numel() for x in trained)
