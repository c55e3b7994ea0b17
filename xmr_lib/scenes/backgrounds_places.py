"""Backgrounds of shore and town: beach, sea, street, living room."""

import random

from .pen import CREAM, Colour, Pen, curve, dark, light, mix, ring
from .sky import SIDE, SKIES, cloud, gradient, hills, land, lit


def beach(pen: Pen, rng: random.Random, time: str, horizon: int) -> None:
    land(
        pen,
        [(0, horizon), (SIDE, horizon), (SIDE, SIDE), (0, SIDE)],
        lit((58, 148, 200), time),
        lit((120, 206, 214), time),
    )
    for _ in range(9):
        x, y = rng.uniform(0, 200), rng.uniform(horizon + 5, horizon + 24)
        pen.line([(x, y), (x + rng.uniform(9, 24), y)], lit((166, 220, 232), time), 1)
    if rng.random() < 0.5:
        x = rng.uniform(30, 194)
        pen.shape(
            [(x - 34, horizon + 1), (x - 16, horizon - 8), (x + 4, horizon - 12), (x + 34, horizon + 1)],
            lit((112, 160, 130), time),
            smooth=True,
        )
    shore = horizon + 31
    land(pen, hills(rng, shore - 3, 7, 6), lit((236, 250, 250), time), lit((236, 250, 250), time))
    land(pen, hills(rng, shore + 1, 7, 6), lit((226, 196, 144), time), lit((226, 196, 144), time))
    land(pen, hills(rng, shore + 8, 6, 5), lit((250, 226, 170), time), lit((238, 202, 138), time))
    for _ in range(34):
        r = rng.uniform(0.5, 1)
        pen.oval(rng.uniform(0, SIDE), rng.uniform(shore + 16, 222), r, r * 0.7, lit((214, 176, 120), time))
    for _ in range(3):
        x, y = rng.uniform(8, 216), rng.uniform(shore + 20, 220)
        star = [p for k in range(5) for p in (ring(x, y, 5, 5)[k * 8], ring(x, y, 2, 2)[k * 8 + 4])]
        pen.shape(star, lit(rng.choice(((240, 128, 108), (246, 176, 150), (250, 246, 236))), time))


def sea(pen: Pen, rng: random.Random, time: str, horizon: int) -> None:
    surface = [(x, horizon + (2.2 if k % 2 else 0)) for k, x in enumerate(range(-8, SIDE + 16, 8))]
    water = [*curve(surface, closed=False, steps=4), (SIDE + 8, SIDE), (-8, SIDE)]
    land(pen, water, lit((74, 174, 214), time), lit((18, 84, 146), time))
    for k in range(1, 4):
        y = horizon + 9 * k
        for _ in range(5):
            x = rng.uniform(-10, 214)
            pen.line(
                [(x, y), (x + 6, y - 2), (x + 12, y), (x + 18, y - 2), (x + 24, y)],
                lit((128, 206, 230), time),
                1.1,
                smooth=True,
            )
    for x in (rng.uniform(10, 60), rng.uniform(90, 140), rng.uniform(170, 214)):
        for dx in (-5, 0, 5):
            high, lean = rng.uniform(16, 30), rng.uniform(-4, 4)
            weed = [(x + dx, 218), (x + dx + lean, 218 - high / 2), (x + dx - lean, 218 - high)]
            pen.line(weed, lit((46, 134, 118), time), 3, smooth=True)
    land(pen, hills(rng, 215, 5, 5), lit((222, 200, 150), time), lit((190, 164, 116), time))
    for _ in range(9):
        r = rng.uniform(1, 2.6)
        x, y = rng.uniform(4, 220), rng.uniform(horizon + 40, 208)
        pen.oval(x, y, r, r, lit((150, 212, 234), time))
        pen.oval(x, y, r * 0.66, r * 0.66, lit((70, 150, 196), time))


def street(pen: Pen, rng: random.Random, time: str, horizon: int) -> None:
    x = -6.0
    while x < SIDE:
        wide, high = rng.uniform(28, 46), rng.uniform(34, 92)
        wall = lit(
            rng.choice(((196, 176, 170), (176, 186, 204), (212, 196, 176), (166, 178, 186), (190, 168, 186))), time
        )
        top = horizon + 8 - high
        pen.box(x, top, x + wide, horizon + 10, wall)
        pen.box(x + wide - 5, top, x + wide, horizon + 10, dark(wall, 0.12))
        pen.box(x - 1, top - 3, x + wide + 1, top + 1, dark(wall, 0.25))
        for y in range(round(top) + 7, horizon - 2, 13):
            for k in range(3):
                left = x + 4 + k * (wide - 8) / 3
                on = time != "day" and rng.random() < 0.55
                pane: Colour = (255, 222, 132) if on else mix(wall, (96, 128, 164), 0.6)
                pen.box(left, y, left + (wide - 8) / 3 - 3, y + 8, pane)
        x += wide
    land(
        pen,
        [(0, horizon + 6), (SIDE, horizon + 6), (SIDE, SIDE), (0, SIDE)],
        lit((206, 202, 200), time),
        lit((190, 186, 186), time),
    )
    for x in range(-20, SIDE, 26):
        pen.line([(x + 8, horizon + 7), (x, horizon + 24)], lit((178, 174, 174), time), 1)
    land(
        pen,
        [(0, horizon + 24), (SIDE, horizon + 24), (SIDE, SIDE), (0, SIDE)],
        lit((112, 114, 126), time),
        lit((88, 90, 102), time),
    )
    pen.box(0, horizon + 23, SIDE, horizon + 27, lit((232, 228, 222), time))
    shift = rng.randint(0, 40)
    for x in range(-shift, SIDE, 44):
        pen.shape(
            [(x + 3, horizon + 60), (x + 27, horizon + 60), (x + 24, horizon + 65), (x, horizon + 65)],
            lit((244, 238, 220), time),
        )


WALLS: tuple[Colour, ...] = ((244, 226, 198), (202, 222, 214), (240, 208, 198), (208, 216, 236), (232, 230, 204))


def living_room(pen: Pen, rng: random.Random, time: str, sky: str, horizon: int) -> None:
    dim = {"day": 0.0, "sunset": 0.08, "night": 0.3}[time]
    shade: Colour = (70, 52, 84)
    wall = mix(rng.choice(WALLS), shade, dim)
    land(pen, [(0, 0), (SIDE, 0), (SIDE, horizon + 2), (0, horizon + 2)], wall, dark(wall, 0.07))
    for x in range(rng.randint(4, 16), SIDE, 18):
        pen.box(x, 0, x + 6, horizon, light(wall, 0.2))
    wood = mix(rng.choice(((204, 154, 104), (178, 126, 88), (216, 176, 128))), shade, dim)
    land(pen, [(0, horizon), (SIDE, horizon), (SIDE, SIDE), (0, SIDE)], wood, dark(wood, 0.16))
    for y in (horizon + 14, horizon + 31, horizon + 52):
        pen.line([(0, y), (SIDE, y)], dark(wood, 0.14), 1)
    pen.box(0, horizon - 5, SIDE, horizon + 1, mix(CREAM, shade, dim))
    left = rng.choice((16, 128))
    frame = mix((252, 248, 238), shade, dim)
    pen.box(left, 18, left + 80, 92, frame, 2)
    corner = (round((left + 5) * pen.scale), round(23 * pen.scale))
    pane = Pen(gradient(SKIES[time, sky], (round(70 * pen.scale), round(64 * pen.scale))), pen.scale)
    if time == "night":
        for _ in range(16):
            pane.oval(rng.uniform(0, 70), rng.uniform(0, 50), 0.8, 0.8, CREAM)
        pane.oval(20, 18, 8, 8, (250, 244, 214))
    elif time == "sunset":
        pane.oval(46, 50, 13, 13, (255, 226, 128))
    else:
        cloud(pane, 34, 22, 0.5, (252, 252, 252), (214, 232, 244))
    pane.shape(hills(rng, 56, 8, 12), lit((126, 178, 112), time))
    pen.image.paste(pane.image, corner)
    pen.box(left + 38.5, 22, left + 41.5, 88, frame)
    pen.box(left + 4, 53, left + 76, 56, frame)
    pen.box(left - 4, 90, left + 84, 96, frame, 2)
    cloth = mix(rng.choice(((206, 110, 98), (110, 150, 130), (120, 130, 176), (220, 170, 96))), shade, dim)
    for side in (left - 3, left + 83):
        inner = 15 if side < left else -15
        drape = [
            (side - inner * 0.4, 14),
            (side + inner, 14),
            (side + inner * 0.8, 50),
            (side + inner * 0.3, 100),
            (side - inner * 0.4, 100),
        ]
        pen.shape(drape, cloth)
    pen.box(left - 12, 11, left + 92, 15, dark(wood, 0.3), 2)
    other = 150 if left < 100 else 28
    pen.box(other, 30, other + 44, 64, dark(wood, 0.2), 1)
    pen.box(other + 4, 34, other + 40, 60, mix((214, 232, 236), shade, dim))
    pen.shape(
        [(other + 4, 60), (other + 16, 44), (other + 24, 52), (other + 32, 40), (other + 40, 60)],
        mix((150, 176, 160), shade, dim),
    )
    rug = mix(rng.choice(((214, 130, 110), (128, 160, 170), (190, 150, 180))), shade, dim)
    pen.oval(112, 204, 94, 16, rug)
    pen.oval(112, 204, 84, 12.5, light(rug, 0.3))
    pen.oval(112, 204, 76, 10, rug)
