"""Time of a query and of filling against the number of vectors, one line an engine."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from xmr_lib.figures.style import line_style, use_style

PANELS = {
    "query_ms": "a query (milliseconds)",
    "build_seconds": "filling it (seconds)",
    "search_private_mb": "private memory of a search (MiB)",
}
MARKS = "osD^"


def engines_figure(table: Path) -> Figure:
    """Draw ``engines.csv`` on logarithmic axes."""
    rows = pd.read_csv(table)
    rows["query_ms"] = 1000 / rows["queries_per_second"]
    use_style()
    figure, axes = plt.subplots(1, len(PANELS), figsize=(11, 3.8))
    for axis, (column, label) in zip(axes, PANELS.items(), strict=True):
        for place, (engine, own) in enumerate(rows.groupby("engine", sort=False)):
            own = own.dropna(subset=column)
            axis.plot(
                own["vectors"], own[column].clip(lower=1e-2), marker=MARKS[place], label=engine, **line_style(place)
            )
        axis.set(xscale="log", yscale="log", xlabel="vectors", title=label)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure
