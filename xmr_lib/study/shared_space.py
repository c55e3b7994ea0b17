"""The common space of a model before and after training: its map, its topics, the gap between the modalities."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd
import torch

from ..analysis import (
    METHODS,
    Topics,
    close_gap,
    find_topics,
    modality_gap,
    project_2d,
)
from ..config import DualEncoderConfig
from ..errors import XmrError
from ..experiment.fit import Embeddings, untrained
from ..experiment.run import embed, model_of
from ..experiment.workspace import Workspace
from ..losses import InfoNCELoss, similarity_matrix
from ..metrics import ranks_of_embeddings, summarise
from ..plotdata import write_plotdata
from ..records import Result

SHOWN = 600
"""Images on a map at most: more would hide each other in a column of the paper."""
STAGES = ("before", "after")
TEMPERATURES = (0.2, 1.0)
"""At which the loss is looked at beside the learned one: softer."""
CLOSED = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
"""Parts of the gap that are closed, to see what the loss makes of it."""


class SharedSpace:
    """The test split in the space of one run, before and after training.

    Before: the same architecture at its initialisation, drawn from the run's seed. Raw features can't stand here, since
    those of images and of captions differ in their dimensions; random projections keep what they know, roughly.

    Raises:
        XmrError: the run's model is not trained by gradient descent, and so has no before.
    """

    def __init__(self, workspace: Workspace, result: Result):
        self.workspace, self.result, self.config = workspace, result, result.config
        if not isinstance(self.config.method, DualEncoderConfig):
            raise XmrError(
                f"{result.model}: a space before training needs a dual encoder, not {self.config.method.kind!r}"
            )
        self.part = workspace.usable(self.config).split("test")

    @cached_property
    def embeddings(self) -> dict[str, Embeddings]:
        """Stage → embeddings of the images and the captions of the test split."""
        return {
            "before": embed_untrained(self.workspace, self.result, "test"),
            "after": embed(self.workspace, self.result, "test"),
        }

    @cached_property
    def topics(self) -> Topics:
        """Found in the captions of the training split."""
        return find_topics(self.workspace.usable(self.config).split("train"))

    @cached_property
    def topic_of_image(self) -> np.ndarray:
        return self.topics.of(self.part)

    @cached_property
    def one_caption(self) -> np.ndarray:
        """Of each image one caption, drawn by the run's seed: an image has one point on a map, and so has its text."""
        first, last = self.part.caption_offsets[:-1], self.part.caption_offsets[1:]
        return np.random.default_rng(self.result.seed).integers(first, last)


def embed_untrained(workspace: Workspace, result: Result, split: str) -> Embeddings:
    """Embed the images and captions of a split with a run's model as it is before the first step of training."""
    pairs = workspace.pairs(result.config, split, result.seed)
    model = untrained(workspace, result.config, result.seed)
    return model.embed_images(pairs.images).numpy(), model.embed_captions(pairs.captions).numpy()


def learned_temperature(workspace: Workspace, result: Result) -> float:
    """Return the temperature of a run with InfoNCE at its best epoch, which its embeddings are of."""
    return float(torch.exp(-model_of(workspace, result).loss.log_scale.detach()))


def space_map(space: SharedSpace) -> pd.DataFrame:
    """Draw the maps of a space, by t-SNE and UMAP, before and after; write ``plotdata/shared_space.csv``.

    Images and one caption of each are drawn together; of a test split of more than ``SHOWN`` images so many, drawn by
    the run's seed.
    """
    images = len(space.part)
    shown = np.sort(np.random.default_rng(space.result.seed).choice(images, min(SHOWN, images), replace=False))
    ids = space.part.image_ids[shown]
    names = np.array(space.topics.names)[space.topic_of_image[shown]]
    tables = []
    for method in METHODS:
        for stage, (image_points, caption_points) in space.embeddings.items():
            together = np.concatenate([image_points[shown], caption_points[space.one_caption[shown]]])
            x, y = project_2d(together, method, space.result.seed).T
            facts = {"model": space.config.name, "method": method, "stage": stage}
            modality = np.repeat(["image", "caption"], len(shown))
            own = {"modality": modality, "image": np.tile(ids, 2), "x": x, "y": y, "topic": np.tile(names, 2)}
            tables.append(pd.DataFrame({**{key: [value] * len(x) for key, value in facts.items()}, **own}))
    table = pd.concat(tables, ignore_index=True)
    write_plotdata(space.workspace.results, "shared_space", table)
    return table


def gap_table(spaces: Sequence[SharedSpace]) -> pd.DataFrame:
    """Measure the modality gap of models before and after training; write ``plotdata/modality_gap.csv``.

    ``share``: part of a pair's mean squared distance that the gap explains. ``rsum_closed``: rSum of the test split
    when the modalities are moved onto each other. ``temperature``: InfoNCE's, where it starts and where it ends.
    """
    rows = []
    for space in spaces:
        owner = space.part.image_of_caption
        for stage, (images, captions) in space.embeddings.items():
            own = modality_gap(images, captions, owner)
            loss = space.config.method.loss
            start = loss.settings["temperature"] if loss.name == "infonce" else np.nan
            learned = stage == "after" and loss.name == "infonce"
            rows.append(
                {
                    "run": space.config.name,
                    "stage": stage,
                    "temperature": learned_temperature(space.workspace, space.result) if learned else start,
                    "gap": own.gap,
                    "pair_distance": own.pair_distance,
                    "other_distance": own.other_distance,
                    "share": own.share,
                    "rsum": _rsum(images, captions, owner),
                    "rsum_closed": _rsum(*close_gap(images, captions, owner), owner),
                }
            )
    table = pd.DataFrame(rows)
    write_plotdata(spaces[0].workspace.results, "modality_gap", table)
    return table


def shown_gaps(gaps: pd.DataFrame) -> pd.DataFrame:
    """Return the table of ``gap_table`` for the eye: lengths with three places, shares in percent."""
    lengths = {"gap": "gap", "distance of a pair": "pair_distance", "of any two": "other_distance"}
    return pd.DataFrame(
        {
            "model": gaps["run"] + ", " + gaps["stage"],
            "temperature": gaps["temperature"].map(lambda value: "" if np.isnan(value) else f"{value:.3f}"),
            **{heading: gaps[column].map("{:.3f}".format) for heading, column in lengths.items()},
            "the gap's share (%)": 100 * gaps["share"],
            "rSum": gaps["rsum"],
            "rSum, gap closed": gaps["rsum_closed"],
        }
    ).set_index("model")


def gap_closing(space: SharedSpace) -> pd.DataFrame:
    """Move the modalities of a trained space along the gap and look at the loss; write ``plotdata/gap_closing.csv``.

    InfoNCE over the images of the test split with one caption each, at the learned temperature and at others (Liang et
    al. 2022: a low temperature keeps the modalities apart), and rSum of the whole split.
    """
    images, captions = space.embeddings["after"]
    owner, alone = space.part.image_of_caption, torch.arange(len(images))
    temperatures = (learned_temperature(space.workspace, space.result), *TEMPERATURES)
    rows = []
    for closed in CLOSED:
        x, y = close_gap(images, captions, owner, closed)
        cosines = similarity_matrix(torch.from_numpy(x), torch.from_numpy(y[space.one_caption]), "cosine")
        rsum = _rsum(x, y, owner)
        for temperature in temperatures:
            loss = InfoNCELoss(temperature, learnable=False)(cosines, alone)
            rows.append(
                {
                    "run": space.config.name,
                    "temperature": temperature,
                    "closed": closed,
                    "loss": float(loss),
                    "rsum": rsum,
                }
            )
    table = pd.DataFrame(rows)
    write_plotdata(space.workspace.results, "gap_closing", table)
    return table


def _rsum(images: np.ndarray, captions: np.ndarray, image_of_caption: np.ndarray) -> float:
    return summarise(ranks_of_embeddings(images, captions, image_of_caption))["rsum"]
