"""The query bank of a fitted model: embeddings of training queries, its β chosen on validation."""

import numpy as np
import torch
from jaxtyping import Int

from ..model import EnsembleModel, RetrievalModel
from ..query_bank import MOST, QueryBank, choose_bank
from .fit import embed_split
from .workspace import Workspace


def fit_bank(workspace: Workspace, model: RetrievalModel, seed: int) -> tuple[QueryBank, dict]:
    """Return the bank of a model, and what to record of it (see ``choose_bank``)."""
    config = model.config
    usable = workspace.usable(config)
    rng = np.random.default_rng(seed)
    train = usable.split("train")
    images, captions = (_some(rng, count) for count in (len(train), train.caption_count))
    bank = QueryBank(
        _embedded(workspace, model, "images", images, seed),
        _embedded(workspace, model, "captions", captions, seed),
        config.distance,
        {"i2t": None, "t2i": None},
    )
    return choose_bank(bank, *embed_split(workspace, model, "val", seed), usable.split("val").image_of_caption)


def _some(rng: np.random.Generator, count: int) -> Int[np.ndarray, " some"]:
    return np.sort(rng.permutation(count)[:MOST])


def _embedded(
    workspace: Workspace, model: RetrievalModel, side: str, chosen: Int[np.ndarray, " some"], seed: int
) -> np.ndarray:
    """Embed some images, or captions, of the training split by the dataset's own features."""
    if isinstance(model, EnsembleModel):
        parts = zip(model.members, model.config.method.parts(seed), strict=True)
        return model.fused([_embedded(workspace, member, side, chosen, own) for member, (_, own, _) in parts])
    items = getattr(workspace.pairs(model.config, "train", seed), side)[torch.from_numpy(chosen)]
    embed = model.embed_images if side == "images" else model.embed_captions
    return embed(items).numpy()
