"""How often the "wrong" first answer is right: recall knows one right image per caption, a reader may know more."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from torch.nn.functional import normalize

from ..data import CaptionedImages
from ..experiment.run import embed
from ..experiment.workspace import Workspace
from ..metrics.graded import GradedRelevance
from ..records import Result
from ..scenes.truth import read_truth
from ..search import nearest
from .relevance import BY_CAPTIONS

Scores = Float[np.ndarray, "captions images"]


@dataclass(frozen=True)
class Judge:
    """Who says how well a caption fits an image, without having seen the model's own similarities."""

    name: str
    fits: Scores
    """How well each caption fits each image; for its own image, by that one's *other* captions."""
    exact: bool = False
    """Whether ``fits`` is the truth, 0 or 1, and no estimate."""

    def accepts(self, owner: np.ndarray) -> Bool[np.ndarray, "captions images"]:
        """Return whether a caption fits an image at least as well as it fits its own, by the judge."""
        if self.exact:
            return self.fits > 0
        return self.fits >= self.fits[np.arange(len(owner)), owner][:, None]


def judges(workspace: Workspace, part: CaptionedImages) -> list[Judge]:
    """Return who can judge a part of the dataset.

    ``MiniLM``: the cosine of a caption with the image's captions, their mean. ``shared words``: the same, of sets of
    words weighted by rarity. Of ``scenes`` the truth too: whether all that the caption states holds in the picture.
    """
    belongs = np.zeros((part.caption_count, len(part)))
    belongs[np.arange(part.caption_count), part.image_of_caption] = 1
    vectors = normalize(workspace.bank.captions(BY_CAPTIONS, workspace.bank.places(part), 0).double()).numpy()
    shared = GradedRelevance(part.tokens, part.tokens).blocks()
    found = [
        Judge("MiniLM", _means(vectors @ (belongs.T @ vectors).T, part)),
        Judge("shared words", _means(np.concatenate([block @ belongs for _, block in shared]), part)),
    ]
    if part.source is not None and (truth := read_truth(part.source)) is not None:
        scenes, captions = truth
        facts = [scenes[image].facts() for image in part.image_ids]
        # Sentences are numbered through: the k-th of an image is its k-th caption.
        stated = [captions[image][k].facts for image in part.image_ids for k in range(len(captions[image]))]
        holds = np.array([[own <= there for there in facts] for own in stated], dtype=float)
        found.append(Judge("truth", holds, exact=True))
    return found


def false_negatives(workspace: Workspace, groups: Sequence[Sequence[Result]]) -> pd.DataFrame:
    """Return, per model (its first seed), direction and judge, how often a wrong first answer counts as right.

    Columns: ``R@1 (%)``; ``accepted (%)``: share of the wrong first answers that the judge finds to fit at least as
    well as the right one; ``of random ones (%)``: the same of a random wrong answer; ``R@1 with them (%)``. Not for
    models with MiniLM's tokens: they would be judged by their own teacher.
    """
    rows, found = [], None
    for results in groups:
        result = results[0]
        if result.track != "clean":
            print(f"{result.model}: left out, MiniLM is no judge of what has learned from it")
            continue
        part = workspace.usable(result.config).split("test")
        # Images of other features may have left the split: as many are not the same.
        if found is None or not np.array_equal(found[0], part.image_ids):
            found = part.image_ids, judges(workspace, part)
        images, captions = embed(workspace, result, "test")
        distance, owner = result.config.distance, part.image_of_caption
        # Caption and image of each pair that a query and its first answer make; then what the pair should have been.
        of_captions = np.arange(len(owner)), nearest(captions, images, 1, distance)[0][:, 0]
        of_images = nearest(images, captions, 1, distance)[0][:, 0], np.arange(len(images))
        for direction, (caption, image) in (("image → captions", of_images), ("caption → images", of_captions)):
            wrong = owner[caption] != image
            for judge in found[1]:
                accepts = judge.accepts(owner)
                accepted = accepts[caption[wrong], image[wrong]]
                others = accepts.sum(1) - accepts[np.arange(len(owner)), owner]
                rows.append(
                    {
                        "model": result.model,
                        "query": direction,
                        "judge": judge.name,
                        "R@1 (%)": 100 * float((~wrong).mean()),
                        "accepted (%)": 100 * float(accepted.mean()) if wrong.any() else 0.0,
                        "of random ones (%)": 100 * float(others.mean() / max(len(images) - 1, 1)),
                        "R@1 with them (%)": 100 * float((~wrong).mean() + accepted.sum() / len(wrong)),
                    }
                )
    return pd.DataFrame(rows).set_index(["model", "query", "judge"])


def _means(sums: Scores, part: CaptionedImages) -> Scores:
    """Return the mean similarity of each caption with the captions of each image, itself left out, from their sums.

    A caption that is the only one of its image fits it perfectly.
    """
    owner = part.image_of_caption
    own, counts = np.arange(len(owner)), np.bincount(owner)
    others = counts[owner] - 1
    fits = sums / counts
    # Each is as like itself as can be.
    fits[own, owner] = np.where(others > 0, (sums[own, owner] - 1) / np.maximum(others, 1), 1.0)
    return fits
