"""Where the things of a scene stand: in rows on the ground, in the sky, on and under water; before or under others."""

import random
from dataclasses import dataclass

from .kinds import COVERS
from .things import THINGS
from .world import Group, Scene

SIDE = 224
"""Pictures are square, this many pixels per side."""
MARGIN = 5
HORIZONS = {"park": 128, "beach": 118, "street": 134, "snow": 126, "desert": 128, "living room": 150, "forest": 136}
HORIZONS |= {"farm": 120, "mountains": 142}
GROWTH = {"small": 0.74, "medium": 1.0, "big": 1.34}
CROWD = {1: 1.0, 2: 0.9, 3: 0.78, 4: 0.72}
BAND_SCALE = {"ground": 0.9, "sky": 0.8, "surface": 0.82, "water": 0.85}
STEP = 0.84
"""Distance between neighbours of a group, in widths of one."""
TIGHTEST = 0.8
"""A row that would have to shrink below this is refused: sizes would no longer be what captions say."""


@dataclass(frozen=True)
class Placement:
    """One thing in the picture: ``x`` is its middle, ``y`` its lower end, in pixels."""

    group: Group
    x: float
    y: float
    scale: float
    flip: bool


@dataclass(frozen=True)
class Stage:
    """A laid-out scene; ``placements`` are in the order of drawing, the farthest first."""

    horizon: int
    placements: tuple[Placement, ...]


def scale_of(group: Group) -> float:
    return GROWTH[group.size] * CROWD[group.count] * BAND_SCALE[group.band]


def height_of(group: Group) -> float:
    return THINGS[group.kind].height * scale_of(group)


def width_of(group: Group) -> float:
    return THINGS[group.kind].width * scale_of(group) * (1 + STEP * (group.count - 1))


def row(groups: list[Group], floor: float, shrink: float, rng: random.Random) -> list[Placement] | None:
    """Set groups side by side; ``floor`` is where they stand. None if they are too wide."""
    widths = [width_of(group) * shrink for group in groups]
    space = SIDE - 2 * MARGIN - 7 * (len(groups) - 1)
    fit = min(1.0, space / sum(widths))
    if fit < TIGHTEST:
        return None
    rest = space - sum(widths) * fit
    x = MARGIN + rest * rng.uniform(0.3, 0.7)
    placements = []
    if len(groups) > 1:
        x = MARGIN + rest * rng.uniform(0.1, 0.45)
    for group, width in zip(groups, widths, strict=True):
        scale = scale_of(group) * shrink * fit
        one = THINGS[group.kind].width * scale
        flip = rng.random() < 0.5
        phase = rng.randint(0, 1)
        for k in range(group.count):
            # Every other one stands a little farther back.
            dip = -7.0 * ((k + phase) % 2) if group.count > 1 else 0.0
            turned = flip if rng.random() < 0.8 else not flip
            y = floor + dip + rng.uniform(-2, 2)
            placements.append(Placement(group, x + one * (0.5 + STEP * k), y, scale, turned))
        x += width * fit + 7 + rest * rng.uniform(0.05, 0.4) / len(groups)
    return placements


def stacked(scene: Scene, rng: random.Random) -> list[Placement]:
    """The first group under, or in front of, the second."""
    small, tall = scene.groups
    side = rng.choice((-1, 1))
    grow = 1.36 if scene.layout == "under" else 1.16
    width, height = THINGS[tall.kind].width * grow, THINGS[tall.kind].height * grow
    if scene.layout == "under":
        x, y, floor, free = SIDE / 2 + rng.uniform(-24, 24), 203.0, 208.0, COVERS[tall.kind] * height
        aside = width * 0.2
    else:
        x, y, floor, free = SIDE / 2 - side * rng.uniform(4, 14), 184.0, 212.0, height * 0.78
        aside = width * 0.29
    kind = THINGS[small.kind]
    scale = min(1.0, free / kind.height, 0.56 * width / kind.width) * (0.86 if small.count == 2 else 1)
    placed = [Placement(tall, x, y, grow, rng.random() < 0.5)]
    for k in range(small.count):
        place = x + side * aside * (1 if k == 0 else -1)
        place = min(max(place, kind.width * scale / 2 + 2), SIDE - kind.width * scale / 2 - 2)
        placed.append(Placement(small, place, floor + rng.uniform(-2, 2), scale, rng.random() < 0.5))
    return placed


def place(scene: Scene, rng: random.Random) -> Stage | None:
    """Lay a scene out; None if it does not fit into the picture."""
    if scene.layout != "row":
        return Stage(HORIZONS[scene.background], tuple(stacked(scene, rng)))
    bands = {band: [g for g in scene.groups if g.band == band] for band in BAND_SCALE}
    tallest = {band: max((height_of(g) for g in groups), default=0.0) for band, groups in bands.items()}
    horizon = HORIZONS.get(scene.background, 0) + rng.randint(-5, 5)
    if scene.background == "sea":
        horizon = 122 if bands["surface"] else 84 if bands["water"] else 128
    floors = {"ground": 207.0, "surface": horizon + 9 + 0.1 * tallest["surface"], "sky": 0.0, "water": 0.0}
    ceiling = floors["surface"] - tallest["surface"] if bands["surface"] else horizon * 1.0
    if bands["ground"]:
        ceiling = floors["ground"] - tallest["ground"]
    elif not bands["surface"]:
        ceiling = horizon + 8.0
    top = floors["surface"] if bands["surface"] else horizon + 12.0
    # Room from edge to edge of the sky and of the water, and how much the things there must shrink for it.
    rooms = {"ground": SIDE - 14.0, "surface": floors["surface"] - 3, "sky": ceiling - 9, "water": SIDE - 8 - top}
    placements: list[Placement] = []
    for band in ("sky", "water", "surface", "ground"):
        if not bands[band]:
            continue
        need = tallest[band] + (7 if max(g.count for g in bands[band]) > 1 else 0)
        shrink = min(1.0, rooms[band] / need)
        if shrink < TIGHTEST:
            return None
        slack = rooms[band] - need * shrink
        if band == "sky":
            floors[band] = 5 + need * shrink + slack * rng.uniform(0.2, 0.8)
        elif band == "water":
            floors[band] = SIDE - 6 - slack * rng.uniform(0.25, 0.75)
        placed = row(bands[band], floors[band], shrink, rng)
        if placed is None:
            return None
        placements += sorted(placed, key=lambda p: p.y)
    return Stage(horizon, tuple(placements))
