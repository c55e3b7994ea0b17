"""Which queries a gallery shows: chosen by a rule, so that nobody picks the nice ones."""

import numpy as np
from jaxtyping import Int

CASES = ("best", "typical", "worst")


def chosen_cases(ranks: Int[np.ndarray, " queries"], seed: int = 0, count: int = 1) -> dict[str, np.ndarray]:
    """Return the positions of ``count`` queries at the best, the median and the worst rank of a test split.

    ``typical`` is the lower median, a rank that some query has. Where more queries stand at equal distance from the
    wanted rank than are asked for, the seed decides; a query is chosen once.

    Example: with the ranks [1, 7, 1, 3, 40] the best is query 0 or 2, the typical one is query 3, the worst query 4.
    """
    order = np.random.default_rng(seed).permutation(len(ranks))
    wanted = dict(zip(CASES, (ranks.min(), np.sort(ranks)[(len(ranks) - 1) // 2], ranks.max()), strict=True))
    chosen, taken = {}, np.zeros(len(ranks), dtype=bool)
    for case, rank in wanted.items():
        free = order[~taken[order]]
        # A stable sort leaves ties in the order that the seed gave them.
        chosen[case] = np.sort(free[np.argsort(np.abs(ranks[free] - rank), kind="stable")[:count]])
        taken[chosen[case]] = True
    return chosen
