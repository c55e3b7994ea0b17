"""How good a detector must be for its regions to be worth having."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from .style import FAINT, PALETTE, use_style


def detector_quality_figure(points: pd.DataFrame, width: float | None = None) -> Figure:
    """Draw rSum on validation against the mAP of the boxes that regions are taken at; the whole image as a level line.

    Points are means of the seeds, bars reach from the lowest to the highest.

    Args:
        points: a row per training, as ``study.detector_quality.quality_points`` returns them; none: it is said.
        width: see ``use_style``.
    """
    use_style(width)
    figure, axis = plt.subplots(figsize=(width, 2.1) if width else (7.5, 3.6))
    if points.empty:
        axis.set(xticks=[], yticks=[])
        axis.text(0.5, 0.5, "not measured: no boxes of these data", ha="center", va="center", transform=axis.transAxes)
        return figure
    noisy = points[points["regions"].str.startswith("noise")]
    kinds = (
        (noisy, "the boxes that it learned from, made worse", "o-"),
        (_of(points, "the detector"), "the detector's own", "D"),
    )
    for place, (own, label, style) in enumerate(kinds):
        if own.empty:
            continue
        groups = own.groupby("map50")["val_rsum"]
        means = groups.mean()
        spread = [means - groups.min(), groups.max() - means]
        axis.errorbar(
            means.index, means, spread, fmt=style, color=PALETTE[place], markersize=3 if width else 6, label=label
        )
    whole = _of(points, "the whole image")["val_rsum"]
    axis.axhline(whole.mean(), color=FAINT, linestyle="--", label="the whole image, no regions")
    axis.axhspan(whole.min(), whole.max(), color=FAINT, alpha=0.18, linewidth=0)
    axis.set_xlim(left=-3)
    axis.set_xlabel("mAP@0.5 of the boxes (%)")
    axis.set_ylabel("rSum on validation")
    figure.legend(loc="outside lower center", ncols=1 if width else 3)
    return figure


def _of(points: pd.DataFrame, regions: str) -> pd.DataFrame:
    return points[points["regions"] == regions]
