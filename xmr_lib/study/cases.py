"""Galleries of the best, the typical and the worst queries of a run, chosen by rule."""

import numpy as np
from matplotlib.figure import Figure

from ..analysis import chosen_cases
from ..experiment.run import embed, ranks_of
from ..experiment.workspace import Workspace
from ..figures import PAGE, Case, cases_of_captions, cases_of_images
from ..records import Result
from ..search import nearest

FOUND = 5


def caption_cases(workspace: Workspace, result: Result, seed: int = 0, width: float = PAGE) -> Figure:
    """Draw text-to-image search for the captions of the test split at the best, the median and the worst rank."""
    config = result.config
    part = workspace.usable(config).split("test")
    ranks, (images, captions) = ranks_of(workspace, result), embed(workspace, result, "test")
    cases = []
    for name, query in _queries(ranks.t2i, seed):
        [found] = nearest(captions[[query]], images, FOUND, config.distance)[0]
        cases.append(Case(name, query, int(ranks.t2i[query]), found, int(part.image_of_caption[query])))
    return cases_of_images(part, cases, width)


def image_cases(workspace: Workspace, result: Result, seed: int = 0, width: float = PAGE) -> Figure:
    """Draw image-to-text search for the images of the test split at the best, the median and the worst rank."""
    config = result.config
    part = workspace.usable(config).split("test")
    ranks, (images, captions) = ranks_of(workspace, result), embed(workspace, result, "test")
    cases = []
    for name, query in _queries(ranks.i2t, seed):
        [found] = nearest(images[[query]], captions, FOUND, config.distance)[0]
        own = np.array(part.captions_of(query))
        first = int(own[ranks.i2t_positions[own].argmin()])
        cases.append(Case(name, query, int(ranks.i2t[query]), found, first))
    return cases_of_captions(part, cases, width)


def case_ranks(workspace: Workspace, result: Result, seed: int = 0) -> dict[str, dict[str, int]]:
    """Return the ranks of the cases that the galleries show: direction → case → rank of the first right answer."""
    ranks = ranks_of(workspace, result)
    return {
        direction: {name: int(own[query]) for name, query in _queries(own, seed)}
        for direction, own in (("i2t", ranks.i2t), ("t2i", ranks.t2i))
    }


def _queries(ranks: np.ndarray, seed: int) -> list[tuple[str, int]]:
    return [(name, int(query)) for name, queries in chosen_cases(ranks, seed).items() for query in queries]
