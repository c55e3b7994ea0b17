"""Names beside points that neither cover each other nor the points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from .style import FAINT

ANGLES = np.deg2rad(np.arange(0, 360, 15))
REACHES = (1.5, 4, 7, 10, 14, 18, 23, 29, 36, 44, 53, 63)
"""Points (1/72 inch) from the edge of a mark to its name."""
JOINED = 7
"""From this reach on a line joins them."""
STEPS = 24
COVERS, STRUCK = 10.0, 4.0
"""What it costs a place to lie on a name or mark or beyond the axes; to have a line run through one."""
STRANGE, JOIN, NEAR, FAR = 1.5, 1.0, 0.3, 0.01
"""… to lie nearer to another mark than its own; to need a line; to take the room around a mark; each point of reach."""
AROUND = 7
"""Points around a mark that are left to its own name, if there is room elsewhere."""
ROUNDS = 30


@dataclass(frozen=True)
class Places:
    """All places of one name: boxes (left, bottom, right, top), lines to the point, and what their reach costs."""

    boxes: Float[np.ndarray, "places 4"]
    lines: Float[np.ndarray, "places steps 2"]
    """NaN where no line is drawn: it crosses nothing then."""
    reach: Float[np.ndarray, " places"]


def label_points(
    axis: Axes, x: Sequence[float], y: Sequence[float], names: Sequence[str], size: float, mark: float = 4.0
) -> None:
    """Write a name beside each point of an axis, where there is room; limits and scales must be set before.

    Crowded points choose first, the nearest place where there is room; then, in rounds, each name moves to the place
    that is best while the others stand, until none would move.

    Args:
        size: of the letters, in points.
        mark: width of the marks, in points.
    """
    axis.figure.draw_without_rendering()
    scale = axis.figure.dpi / 72
    at = axis.transData.transform(np.column_stack([x, y]))
    marks = np.hstack([at - mark * scale / 2, at + mark * scale / 2])
    around = np.hstack([at - (mark / 2 + AROUND) * scale, at + (mark / 2 + AROUND) * scale])
    places = [_places(point, _extent(axis, name, size), mark, scale) for point, name in zip(at, names, strict=True)]
    distances = np.sort(np.linalg.norm(at[:, None] - at, axis=-1), axis=1)
    order = np.argsort(distances[:, : min(4, len(at))].sum(1), kind="stable").tolist()
    chosen: dict[int, int] = {}
    for _ in range(ROUNDS):
        before = dict(chosen)
        for point in order:
            others = [(places[own].boxes[i], places[own].lines[i]) for own, i in chosen.items() if own != point]
            cost = _cost(places[point], others, np.delete(marks, point, 0), np.array(axis.bbox.extents))
            cost += NEAR * _covers(places[point].boxes, np.delete(around, point, 0))
            cost += STRANGE * _strange(places[point].boxes, at, point)
            # Of places that are equally good it keeps its own, or names would go round in circles.
            if point not in chosen or cost.min() < cost[chosen[point]] - 1e-9:
                chosen[point] = int(cost.argmin())
        if chosen == before:
            break
    for point, place in chosen.items():
        own = places[point]
        offset = (own.boxes[place, :2] - at[point]) / scale
        axis.annotate(
            names[point], (x[point], y[point]), xytext=offset, textcoords="offset points", fontsize=size,
            va="bottom", ha="left", zorder=5,
        )  # fmt: skip
        if np.isfinite(end := own.lines[place, -1]).all():
            axis.annotate(
                "", (x[point], y[point]), xytext=(end - at[point]) / scale, textcoords="offset points", zorder=1,
                arrowprops={"arrowstyle": "-", "color": FAINT, "lw": 0.5, "shrinkA": 0, "shrinkB": mark / 2},
            )  # fmt: skip


def _extent(axis: Axes, name: str, size: float) -> np.ndarray:
    text = axis.text(0, 0, name, fontsize=size)
    box = text.get_window_extent()
    text.remove()
    return np.array([box.width, box.height])


def _places(point: np.ndarray, extent: np.ndarray, mark: float, scale: float) -> Places:
    """Return the places around a point; the edge or corner of the name that is nearest to it lies at the reach."""
    reach, angle = (grid.ravel() for grid in np.meshgrid(REACHES, ANGLES, indexing="ij"))
    step = np.column_stack([np.cos(angle), np.sin(angle)])
    # From the middle of its left edge (a name to the right of the point) round to that of its right edge.
    anchor = (1 - np.clip(1.5 * step, -1, 1)) / 2
    low = point + step * (reach[:, None] + mark / 2) * scale - anchor * extent
    ends = np.clip(point, low, low + extent)
    lines = point + np.linspace(0, 1, STEPS)[:, None] * (ends - point)[:, None]
    lines[reach < JOINED] = np.nan
    return Places(np.hstack([low, low + extent]), lines, reach)


def _cost(
    own: Places,
    others: Sequence[tuple[np.ndarray, np.ndarray]],
    marks: Float[np.ndarray, "marks 4"],
    inside: Float[np.ndarray, "4"],
) -> Float[np.ndarray, " places"]:
    solid = np.vstack([marks, *(box for box, _ in others)])
    outside = (own.boxes[:, :2] < inside[:2]).any(1) | (own.boxes[:, 2:] > inside[2:]).any(1)
    cost = FAR * own.reach + JOIN * (own.reach >= JOINED) + COVERS * (_covers(own.boxes, solid) + outside)
    cost += STRUCK * _strike(own.lines[:, None], solid[None]).sum(1)
    for _, line in others:
        cost += STRUCK * _strike(line, own.boxes)
    return cost


def _strange(boxes: Float[np.ndarray, "places 4"], at: Float[np.ndarray, "points 2"], own: int) -> np.ndarray:
    """Tell which boxes lie nearer to another point than to their own."""
    beside = np.maximum(np.maximum(boxes[:, None, :2] - at, at - boxes[:, None, 2:]), 0)
    distance = np.linalg.norm(beside, axis=2)
    return distance.min(1) < distance[:, own]


def _covers(boxes: Float[np.ndarray, "places 4"], solid: Float[np.ndarray, "solid 4"]) -> Float[np.ndarray, " places"]:
    """Count what each box lies on."""
    shared = np.minimum(boxes[:, None, 2:], solid[:, 2:]) - np.maximum(boxes[:, None, :2], solid[:, :2])
    return (shared > 0).all(2).sum(1).astype(float)


def _strike(lines: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Tell which lines, shape (…, steps, 2), run through which boxes, shape (…, 4)."""
    corners = boxes[..., None, :]
    return ((lines > corners[..., :2]) & (lines < corners[..., 2:])).all(-1).any(-1)
