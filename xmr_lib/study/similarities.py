"""How alike a model finds right and wrong pairs of the test split."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from ..experiment.run import embed, ranks_of
from ..experiment.workspace import Workspace
from ..figures import similarities_figure
from ..losses import similarity_matrix
from ..records import Result

IMAGES, WRONG = 1000, 20_000
"""Test images and wrong pairs that are looked at, drawn at random where there are more."""


def similarities(workspace: Workspace, groups: Sequence[Sequence[Result]], pairs: int = 12, seed: int = 0) -> Figure:
    """Draw the similarities of the last model of some, first seed, and the ranks of all of them, image → captions."""
    result = groups[-1][0]
    images, captions = embed(workspace, result, "test")
    owner = workspace.usable(result.config).split("test").image_of_caption
    rng = np.random.default_rng(seed)
    some = np.sort(rng.choice(len(images), min(IMAGES, len(images)), replace=False))
    own = np.isin(owner, some)
    place = np.searchsorted(some, owner[own])
    found = similarity_matrix(
        torch.from_numpy(images[some]), torch.from_numpy(captions[own]), result.config.distance
    ).numpy()
    belongs = np.arange(len(some))[:, None] == place
    wrong = found[~belongs]
    first = np.unique(place, return_index=True)[1][:pairs]
    return similarities_figure(
        found[: len(first), first],
        found[belongs],
        rng.choice(wrong, min(WRONG, len(wrong)), replace=False),
        {results[0].model: ranks_of(workspace, results[0]).i2t for results in groups},
        {"cosine": "cosine", "euclidean": "negative distance"}[result.config.distance],
    )
