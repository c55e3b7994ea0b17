"""What a model makes of right and wrong pairs: their similarities, and the ranks that come of them."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn
from jaxtyping import Float, Int
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from .style import PALETTE, RIGHT, use_style


def similarities_figure(
    batch: Float[np.ndarray, "pairs pairs"],
    right: Float[np.ndarray, " some"],
    wrong: Float[np.ndarray, " others"],
    ranks: Mapping[str, Int[np.ndarray, " images"]],
    measure: str,
) -> Figure:
    """Draw the similarities of a few pairs, how those of right and wrong pairs are spread, and ranks of the right ones.

    Args:
        batch: similarity of some images, in rows, with their captions: what belongs together is the diagonal.
        right, wrong: similarities of pairs that belong together, and of others.
        ranks: of each image the rank of its first own caption, by model.
        measure: what a similarity is, e.g. ``cosine``.
    """
    use_style()
    figure, (pairs, spread, found) = plt.subplots(1, 3, figsize=(12, 3.6))
    seaborn.heatmap(batch, ax=pairs, square=True, cmap="crest", xticklabels=False, yticklabels=False)
    pairs.set(title=f"{len(batch)} pairs", xlabel="captions", ylabel="their images")
    values = pd.DataFrame({measure: [*right, *wrong], "pair": ["right"] * len(right) + ["wrong"] * len(wrong)})
    colours = {"right": RIGHT, "wrong": PALETTE[1]}
    seaborn.kdeplot(values, x=measure, hue="pair", ax=spread, fill=True, common_norm=False, palette=colours)
    spread.set(title="Right and wrong pairs", ylabel="density")
    long = pd.DataFrame([(model, rank) for model, own in ranks.items() for rank in own], columns=["model", "rank"])
    seaborn.ecdfplot(long, x="rank", hue="model", ax=found, log_scale=True, palette=list(PALETTE[: len(ranks)]))
    found.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    found.set(title="Images answered", xlabel="within rank r", ylabel="share of images")
    return figure
