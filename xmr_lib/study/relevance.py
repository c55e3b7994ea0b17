"""What images have to do with each other: by labels, by their captions' meaning, by shared words."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import normalize

from ..config import TextBranch
from ..data import CaptionedImages
from ..data.labels import read_labels
from ..experiment.workspace import Workspace
from ..losses import similarity_matrix
from ..metrics import ImageScores, score_image_retrieval
from ..metrics.graded import GradedRelevance

LABELS = "labels.json"
ALIKE = 10
"""Images whose captions are most alike count as relevant where there are no labels, and as positives in training."""
BY_CAPTIONS = TextBranch(features="minilm", pooling="mean")
"""What says how alike two captions are, where there are no labels."""


@dataclass(frozen=True)
class Relevance:
    """How much the images of a split have to do with each other; row = query."""

    gains: Float[np.ndarray, "images images"]
    """0 … 1, for nDCG."""
    relevant: Bool[np.ndarray, "images images"]
    """For what needs a yes or no."""

    def score(self, embeddings: Float[np.ndarray, "images embed"], distance: str) -> ImageScores:
        return score_image_retrieval(similarity_of(embeddings, distance), self.gains, self.relevant)

    def ndcg10(self, embeddings: Float[np.ndarray, "images embed"], distance: str) -> float:
        return float(self.score(embeddings, distance).values["ndcg10"].mean())


@dataclass(frozen=True)
class Qrels:
    """What is relevant in a split: by what ``name`` says, and by shared words."""

    name: str
    relevance: Relevance
    words: Relevance


def qrels_of(workspace: Workspace, part: CaptionedImages) -> Qrels:
    """Return what is relevant to what among the images of a part of the dataset.

    By ``labels.json`` beside the captions: images of the same label. Without it, graded by captions: the cosine of
    MiniLM's vectors, mean over an image's captions; the ``ALIKE`` images most alike count as relevant.
    """
    by_words = _most_alike(np.concatenate([block for _, block in shared_words(part).blocks()]))
    if (labels := labels_of(workspace, part)) is not None:
        same = (labels[:, None] == labels) & (labels >= 0)
        return Qrels("same label", Relevance(same.astype(np.float64), same), by_words)
    captions = workspace.bank.captions(BY_CAPTIONS, workspace.bank.places(part), 0)
    owner = torch.from_numpy(part.image_of_caption)
    means = normalize(torch.zeros(len(part), captions.shape[1]).index_add(0, owner, normalize(captions)))
    return Qrels("captions by MiniLM", _most_alike((means @ means.T).clamp(0, 1).double().numpy()), by_words)


def shared_words(part: CaptionedImages) -> GradedRelevance:
    """Return how many words the captions of images share."""
    words = [[word for c in part.captions_of(i) for word in part.tokens[c]] for i in range(len(part))]
    return GradedRelevance(words, words)


def labels_of(workspace: Workspace, part: CaptionedImages) -> np.ndarray | None:
    """Return the number of each image's label, -1 where it has none; None where no labels lie beside the captions."""
    path = workspace.beside(LABELS)
    return read_labels(path, part) if path.is_file() else None


def similarity_of(embeddings: Float[np.ndarray, "images embed"], distance: str) -> Float[np.ndarray, "images images"]:
    """Return how alike all images are."""
    rows: Tensor = torch.from_numpy(embeddings)
    return similarity_matrix(rows, rows, distance).numpy()


def _most_alike(gains: Float[np.ndarray, "images images"]) -> Relevance:
    np.fill_diagonal(gains, 0.0)
    relevant = np.zeros(gains.shape, dtype=bool)
    np.put_along_axis(relevant, np.argsort(-gains, axis=1, kind="stable")[:, :ALIKE], True, axis=1)
    return Relevance(gains, relevant & (gains > 0))
