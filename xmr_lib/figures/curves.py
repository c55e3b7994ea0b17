"""Recall of several models side by side, and how they learned."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ..metrics import Ranks, bootstrap_interval
from ..records import Result
from .style import INK, PALETTE, use_style

PANELS = (("i2t", "image → captions"), ("t2i", "caption → image"))
CUTOFFS = (1, 5, 10)


def recall_bars(groups: Sequence[Sequence[Result]], ranks: Sequence[Sequence[Ranks]]) -> Figure:
    """Draw R@1/5/10 of each model in both directions, with 95 % intervals over test images and the chance level."""
    use_style()
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.5), sharey=True)
    width = 0.82 / len(groups)
    for axis, (direction, title) in zip(axes, PANELS, strict=True):
        for place, (results, group_ranks) in enumerate(zip(groups, ranks, strict=True)):
            metrics = [f"{direction}_r{k}" for k in CUTOFFS]
            heights = np.array([np.mean([result.test[metric] for result in results]) for metric in metrics])
            bounds = np.array([bootstrap_interval(group_ranks, metric) for metric in metrics]).T
            at = np.arange(len(CUTOFFS)) + (place - (len(groups) - 1) / 2) * width
            # An interval can lie beside its mean by a hair; a bar can't have a negative length.
            errors = np.maximum(np.stack([heights - bounds[0], bounds[1] - heights]), 0)
            axis.bar(at, heights, width * 0.92, color=PALETTE[place % len(PALETTE)], label=results[0].model)
            axis.errorbar(at, heights, errors, fmt="none", ecolor=INK, elinewidth=0.9, capsize=2)
        for place, k in enumerate(CUTOFFS):
            chance = groups[0][0].chance[f"{direction}_r{k}"]
            label = "chance" if place == 0 else None
            axis.hlines(chance, place - 0.45, place + 0.45, color=INK, linestyle=":", linewidth=1.2, label=label)
        axis.set_xticks(range(len(CUTOFFS)), [f"R@{k}" for k in CUTOFFS])
        axis.set_title(title)
    axes[0].set_ylabel("recall on test (%)")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 5))
    return figure


def rsum_intervals(groups: Sequence[Sequence[Result]], ranks: Sequence[Sequence[Ranks]]) -> Figure:
    """Draw rSum of many models, a line each, with its 95 % interval over test images.

    There is a colour for each of the image features, or, where all have the same, of the text features.
    """
    of_images = len({results[0].config["image_features"] for results in groups}) > 1
    side = "image_features" if of_images else "text_features"
    features = sorted({results[0].config[side] for results in groups})
    return interval_figure(
        [f"{results[0].model} ({len(results)})" for results in groups],
        [float(np.mean([result.test["rsum"] for result in results])) for results in groups],
        [bootstrap_interval(group_ranks) for group_ranks in ranks],
        [features.index(results[0].config[side]) for results in groups],
        "rSum on test, 95 % interval (in brackets: seeds)",
    )


def interval_figure(
    names: Sequence[str],
    means: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    kinds: Sequence[int],
    label: str,
) -> Figure:
    """Draw a line a model with its mean and interval; models of one kind have one colour."""
    use_style()
    figure, axis = plt.subplots(figsize=(7.5, 0.32 * len(names) + 0.9))
    for place, (mean, (low, high), kind) in enumerate(zip(means, intervals, kinds, strict=True)):
        colour = PALETTE[kind % len(PALETTE)]
        axis.plot([low, high], [place, place], color=colour, linewidth=1.6)
        axis.plot(mean, place, "o", color=colour, markersize=6)
        axis.annotate(f"{mean:.1f}", (high, place), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    axis.grid(axis="x")
    axis.grid(axis="y", visible=False)
    axis.set_xlabel(label)
    return figure


def training_curves(groups: Sequence[Sequence[Result]]) -> Figure:
    """Draw validation rSum against the epoch: a line for each model (mean of its seeds), a band for its seeds."""
    use_style()
    figure, axis = plt.subplots(figsize=(7.5, 3.5))
    for place, results in enumerate(groups):
        curves = [result.history["val_rsum"] for result in results if "val_rsum" in result.history]
        colour = PALETTE[place % len(PALETTE)]
        if not curves:
            axis.axhline(
                np.mean([result.val_rsum for result in results]), color=colour, ls="--", label=results[0].model
            )
            continue
        # Seeds stop at different epochs; a mean over fewer seeds would jump, so the line ends with the first to stop.
        shortest = min(map(len, curves))
        stacked = np.array([curve[:shortest] for curve in curves])
        epochs = np.arange(1, shortest + 1)
        axis.plot(epochs, stacked.mean(0), color=colour, marker="o", markersize=3, label=results[0].model)
        axis.fill_between(epochs, stacked.min(0), stacked.max(0), color=colour, alpha=0.18, linewidth=0)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.set_xlabel("epoch")
    axis.set_ylabel("rSum on validation")
    axis.set_title("How the models learn")
    axis.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
