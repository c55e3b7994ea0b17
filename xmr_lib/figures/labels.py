"""Names beside points that neither cover each other nor the points."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox

from .style import FAINT

ANGLES = np.deg2rad(np.arange(0, 360, 15))
REACHES = (3.5, 7, 11, 16, 22, 29, 37, 46, 56)
"""Points (1/72 inch) from a mark to its name; from the third on a line joins them."""


def label_points(
    axis: Axes, x: Sequence[float], y: Sequence[float], names: Sequence[str], size: float, mark: float = 4.0
) -> None:
    """Write a name beside each point of a drawn axis, where there is room; limits and scales must be set before.

    Places are tried from near to far, crowded points first; one that would cover a name, a mark or a line that joins
    them, or leave the axes, is passed over. Where there is no room at all the place that covers least is taken.

    Args:
        size: of the letters, in points.
        mark: width of the marks, in points.
    """
    figure = axis.figure
    figure.draw_without_rendering()
    scale = figure.dpi / 72
    at = axis.transData.transform(np.column_stack([x, y]))
    marks = [Bbox.from_bounds(*(place - mark * scale / 2), mark * scale, mark * scale) for place in at]
    extents = []
    for name in names:
        text = axis.text(0, 0, name, fontsize=size)
        box = text.get_window_extent()
        extents.append((box.width + scale, box.height))
        text.remove()
    distances = np.linalg.norm(at[:, None] - at, axis=-1)
    crowd = np.sort(distances, axis=1)[:, : min(4, len(at))].sum(1)
    taken, lines = [], []
    for point in np.argsort(crowd, kind="stable"):
        others = [box for place, box in enumerate(marks) if place != point]
        best, least, offset = None, np.inf, (0.0, 0.0)
        for reach in REACHES:
            for angle in ANGLES:
                box = _beside(at[point], extents[point], reach * scale, angle)
                line = (at[point], _nearest(box, at[point])) if reach >= REACHES[2] else None
                cost = _cost(box, line, [*taken, *others], lines, axis.bbox)
                if cost < least:
                    best, least, offset = (box, line), cost, (np.array([box.x0, box.y0]) - at[point]) / scale
            if least == 0:
                break
        box, line = best
        taken.append(box)
        lines += [line] if line else []
        axis.annotate(
            names[point], (x[point], y[point]), xytext=offset, textcoords="offset points", fontsize=size,
            va="bottom", ha="left", zorder=5,
        )  # fmt: skip
        if line:
            end = (line[1] - at[point]) / scale
            axis.annotate(
                "", (x[point], y[point]), xytext=end, textcoords="offset points", zorder=1,
                arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.5, "shrinkA": 0, "shrinkB": mark / 2},
            )  # fmt: skip


def _beside(point: np.ndarray, extent: tuple[float, float], reach: float, angle: float) -> Bbox:
    """Return the box of a name that lies off a point in a direction, its nearer edge or corner ``reach`` away."""
    step = np.array([np.cos(angle), np.sin(angle)])
    # From the middle of its left edge (name to the right of the point) round to that of its right edge.
    anchor = np.array([(1 - np.clip(step[0] * 1.5, -1, 1)) / 2, (1 - np.clip(step[1] * 1.5, -1, 1)) / 2])
    corner = point + step * reach - anchor * extent
    return Bbox.from_bounds(*corner, *extent)


def _nearest(box: Bbox, point: np.ndarray) -> np.ndarray:
    return np.clip(point, [box.x0, box.y0], [box.x1, box.y1])


def _cost(
    box: Bbox,
    line: tuple[np.ndarray, np.ndarray] | None,
    boxes: list[Bbox],
    lines: list[tuple[np.ndarray, np.ndarray]],
    inside: Bbox,
) -> float:
    covered = sum(_area(Bbox.intersection(box, other)) for other in boxes)
    covered += box.width * box.height - _area(Bbox.intersection(box, inside))
    covered += sum(box.width for start, end in lines if _crosses(box, start, end))
    if line:
        covered += sum(other.width for other in boxes if _crosses(other, *line))
    return covered


def _area(box: Bbox | None) -> float:
    return box.width * box.height if box else 0.0


def _crosses(box: Bbox, start: np.ndarray, end: np.ndarray) -> bool:
    steps = start + np.linspace(0, 1, 24)[:, None] * (end - start)
    return bool(((steps > [box.x0, box.y0]) & (steps < [box.x1, box.y1])).all(1).any())
