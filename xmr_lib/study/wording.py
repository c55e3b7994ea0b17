"""Which captions a model finds the image of: by length, and by the things, colours, numbers, relations they name."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from ..analysis.wording import Wording, wording_by_lists
from ..data import CaptionedImages
from ..experiment.run import ranks_of
from ..experiment.workspace import Workspace
from ..metrics.statistics import contrast_interval
from ..records import Result
from ..scenes.truth import read_truth

FACTS = (("kind",), ("colour",), ("count", "many"), ("relation",), ("alone",))
"""Of ``scenes``: which facts are the things, colours, numbers, relations and negations of a ``Wording``."""


def wording_table(workspace: Workspace, results: Sequence[Result]) -> pd.DataFrame:
    """Return how well a model (mean of its seeds) finds the image of captions that say much, little, this or that.

    ``difference``: of R@1 from that of all other captions, ``low`` and ``high`` its 95 % interval (bootstrap over test
    images). By the truth for ``scenes``, by lists of words for photographs.
    """
    usable = workspace.usable(results[0].config)
    part = usable.split("test")
    wording = wording_of(workspace, part)
    ranks = np.array([ranks_of(workspace, result).t2i for result in results])
    hits = (ranks <= 1).mean(0)
    rows = []
    for what, values, group in _groups(wording):
        if group.all() or not group.any():
            continue
        low, high = contrast_interval(hits, group, part.image_of_caption)
        rows.append(
            {
                "caption": what,
                "which": values,
                "captions (%)": 100 * float(group.mean()),
                "R@1 (%)": 100 * float(hits[group].mean()),
                "R@10 (%)": 100 * float((ranks[:, group] <= 10).mean()),
                "median rank": float(np.median(ranks[:, group])),
                "difference": 100 * float(hits[group].mean() - hits[~group].mean()),
                "low": 100 * low,
                "high": 100 * high,
            }
        )
    return pd.DataFrame(rows).set_index(["caption", "which"])


def wording_of(workspace: Workspace, part: CaptionedImages) -> Wording:
    """Return what the captions of a part say: of ``scenes`` what they state, of photographs by lists of words."""
    truth = read_truth(part.source) if part.source is not None else None
    if truth is None:
        return wording_by_lists(part, workspace.dataset.split("train"))
    stated = [caption.facts for image in part.image_ids for caption in truth[1][image]]

    def count(*kinds: str) -> Int[np.ndarray, " captions"]:
        return np.array([len({fact for fact in facts if fact[0] in kinds}) for facts in stated])

    words = np.array([len(tokens) for tokens in part.tokens])
    return Wording(words, *(count(*kinds) for kinds in FACTS))


def _groups(wording: Wording) -> list[tuple[str, str, Bool[np.ndarray, " captions"]]]:
    """Return what is compared: what a caption says, how much of it, and which captions do."""
    short, long = np.quantile(wording.words, (1 / 3, 2 / 3), method="lower")
    words, things = wording.words, wording.things
    found = [
        ("length", f"to {short} words", words <= short),
        ("length", f"{short + 1} to {long} words", (words > short) & (words <= long)),
        ("length", f"over {long} words", words > long),
        ("things", "none or one", things <= 1),
        ("things", "two", things == 2),
        ("things", "three and more", things >= 3),
    ]
    for what in ("colours", "numbers", "relations", "negations"):
        found.append((what, "said", getattr(wording, what) > 0))
    return found
