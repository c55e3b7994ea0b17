"""Score a recorded run again, or search the training split with it."""

from pathlib import Path

import numpy as np

from ..errors import XmrError
from ..metrics import summarise
from ..metrics.graded import GradedRelevance
from ..records import Result
from ..search import nearest
from ..summary_csv import RECALLS
from .run import embed, open_run, score_again
from .workspace import Workspace

FOUND = 10


def evaluate_run(run_folder: str | Path, data: str | None = None, gallery: str = "test") -> list[str]:
    """Return what to print about a run: scored again on test, or its neighbours in the training split.

    Args:
        run_folder: ``runs/<dataset>/runs/<model>/seed<k>``.
        data: see ``Workspace``.
        gallery: ``test``: recall, beside what is recorded; ``train``: a test query has no exact match there, so the
            ten nearest are scored by graded relevance.

    Raises:
        XmrError: there is no run, its data are others now, or the numbers are not those recorded.
    """
    run_folder = Path(run_folder)
    if gallery not in ("test", "train"):
        raise XmrError(f"gallery {gallery!r} is unknown; there are test, train")
    workspace, result = open_run(run_folder, data)
    if gallery == "train":
        values = search_train(workspace, result)
        return [
            f"{name:28} nDCG@{FOUND} {value:5.1f} %  (random order {chance:.1f} %)"
            for name, (value, chance) in values.items()
        ]
    again = summarise(score_again(workspace, result))
    lines = [f"{metric:8} {again[metric]:7.2f}   recorded {result.test[metric]:7.2f}" for metric in RECALLS]
    # A whole image's worth of difference is another model; less can come from another machine's arithmetic.
    if abs(again["rsum"] - result.test["rsum"]) > 600 / workspace.usable(result.config).splits["test"].size:
        raise XmrError(
            f"{run_folder}: scored again, rSum is {again['rsum']:.2f}, recorded is {result.test['rsum']:.2f}"
        )
    return lines


def search_train(workspace: Workspace, result: Result) -> dict[str, tuple[float, float]]:
    """Search the training split with the test split's queries; return direction → (nDCG@10, that of a random order)."""
    config = result.config
    queries, gallery = (workspace.usable(config).split(split) for split in ("test", "train"))
    images, captions = embed(workspace, result, "test")
    train_images, train_captions = embed(workspace, result, "train")

    def words_of_images(part):
        return [[word for c in part.captions_of(i) for word in part.tokens[c]] for i in range(len(part))]

    def ndcg(query_words, gallery_words, query: np.ndarray, database: np.ndarray) -> tuple[float, float]:
        found, _ = nearest(query, database, FOUND, config.distance)
        return GradedRelevance(query_words, gallery_words).ndcg(found)

    return {
        "image → training captions": ndcg(words_of_images(queries), gallery.tokens, images, train_captions),
        "caption → training images": ndcg(queries.tokens, words_of_images(gallery), captions, train_images),
    }
