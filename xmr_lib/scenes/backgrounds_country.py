"""Backgrounds of field and wood: park, forest, farm, mountains, desert, snow."""

import random

from .pen import CREAM, Pen, Point, curve, dark, light, mix, ring
from .sky import SIDE, hills, land, lit, petals, pine, tuft


def park(pen: Pen, rng: random.Random, time: str, horizon: int) -> None:
    for x in range(-10, 240, 22):
        pen.oval(
            x + rng.uniform(-5, 5), horizon + 2, rng.uniform(15, 22), rng.uniform(12, 26), lit((104, 164, 112), time), 4
        )
    land(pen, hills(rng, horizon + 2, 6, 4), lit((152, 208, 110), time), lit((86, 160, 78), time))
    way = rng.choice((-1, 1))
    bend = [
        (112 + way * dx, y) for dx, y in ((34, horizon + 4), (10, horizon + 18), (40, horizon + 42), (-30, SIDE + 2))
    ]
    back = [
        (112 + way * dx, y) for dx, y in ((34, SIDE + 2), (76, horizon + 42), (28, horizon + 18), (40, horizon + 4))
    ]
    pen.shape(curve(bend, closed=False) + curve(back, closed=False), lit((232, 212, 168), time))
    for _ in range(16):
        tuft(pen, rng.uniform(4, 220), rng.uniform(horizon + 12, 222), lit((70, 142, 70), time))
    for _ in range(11):
        colour = rng.choice(((250, 250, 244), (250, 214, 96), (240, 150, 180)))
        petals(pen, rng.uniform(4, 220), rng.uniform(horizon + 12, 222), colour, time)


def forest(pen: Pen, rng: random.Random, time: str, horizon: int) -> None:
    for depth, (colour, number, size) in enumerate((((118, 170, 136), 13, 74), ((72, 134, 98), 10, 96))):
        for k in range(number):
            x = (k + 0.5) * SIDE / number + rng.uniform(-7, 7)
            pine(
                pen,
                x,
                horizon + 3 + 5 * depth,
                size * rng.uniform(0.8, 1.3),
                lit(mix(colour, (36, 84, 84), rng.uniform(0, 0.3)), time),
            )
    land(pen, hills(rng, horizon + 6, 7, 5), lit((122, 160, 84), time), lit((70, 106, 60), time))
    for x in (rng.uniform(-8, 8), rng.uniform(216, 232)):
        bark = lit((112, 82, 62), time)
        pen.shape([(x - 9, -2), (x + 9, -2), (x + 8, 150), (x + 15, 184), (x - 15, 184), (x - 8, 150)], bark)
        pen.shape([(x + 3, -2), (x + 9, -2), (x + 8, 150), (x + 15, 184), (x + 4, 180)], dark(bark, 0.25))
    for _ in range(14):
        tuft(pen, rng.uniform(4, 220), rng.uniform(horizon + 16, 222), lit((60, 96, 52), time))
    for _ in range(5):
        x, y = rng.uniform(8, 216), rng.uniform(horizon + 18, 220)
        pen.box(x - 1, y - 3, x + 1, y + 1, lit(CREAM, time))
        pen.shape(
            [(x - 4, y - 2.5), (x - 2.5, y - 6), (x + 2.5, y - 6), (x + 4, y - 2.5)],
            lit((204, 84, 70), time),
            smooth=True,
        )


def farm(pen: Pen, rng: random.Random, time: str, horizon: int) -> None:
    land(pen, hills(rng, horizon - 8, 12, 4), lit((150, 190, 120), time), lit((120, 170, 96), time))
    x = rng.choice((rng.uniform(24, 60), rng.uniform(160, 200)))
    tower = lit((226, 214, 196), time)
    pen.shape([(x - 5, horizon - 40), (x + 5, horizon - 40), (x + 8, horizon), (x - 8, horizon)], tower)
    pen.shape([(x - 7, horizon - 39), (x, horizon - 49), (x + 7, horizon - 39)], lit((168, 92, 78), time))
    turn = rng.uniform(0.2, 1.3)
    for k in range(4):
        sail = ring(x, horizon - 40, 22, 2.2, 57.3 * turn + 90 * k)[:40]
        pen.shape([p for p in sail[30:] + sail[:11]] + [(x, horizon - 40)], lit((246, 240, 226), time))
    land(pen, hills(rng, horizon + 2, 3, 3), lit((226, 200, 112), time), lit((206, 178, 92), time))
    middle = rng.uniform(60, 164)
    for k in range(-9, 10):
        foot: list[Point] = [(middle + k * 9, horizon + 3), (middle + k * 17, horizon + 34)]
        pen.line(foot, lit((190, 158, 78), time), 1.4)
    land(pen, hills(rng, horizon + 33, 3, 3), lit((146, 194, 98), time), lit((92, 152, 72), time))
    wood = lit((236, 226, 206), time)
    for y in (horizon + 22, horizon + 31):
        pen.box(0, y, SIDE, y + 3.4, wood)
    for x in range(rng.randint(0, 20), SIDE, 27):
        pen.shape(
            [
                (x, horizon + 18),
                (x + 2.5, horizon + 15),
                (x + 5, horizon + 18),
                (x + 5, horizon + 42),
                (x, horizon + 42),
            ],
            wood,
        )
    for _ in range(15):
        tuft(pen, rng.uniform(4, 220), rng.uniform(horizon + 48, 222), lit((76, 136, 62), time))


def mountains(pen: Pen, rng: random.Random, time: str, horizon: int) -> None:
    for depth, (rock, number) in enumerate((((150, 164, 196), 4), ((110, 124, 160), 3))):
        for k in range(number):
            x = (k + 0.5) * SIDE / number + rng.uniform(-16, 16)
            top, half = horizon - rng.uniform(62, 96) + 24 * depth, rng.uniform(52, 74)
            tone = lit(rock, time)
            foot = horizon + 6
            pen.shape([(x, top), (x + half, foot), (x - half, foot)], tone)
            pen.shape(
                [(x, top), (x + half, foot), (x + half * 0.1, foot), (x - half * 0.06, (top + foot) / 2)],
                dark(tone, 0.16),
            )
            cap = (foot - top) * 0.32
            edge = half * 0.32
            ragged = [(x, top), (x + edge, top + cap), (x + edge * 0.45, top + cap * 0.78), (x, top + cap * 1.12)]
            ragged += [(x - edge * 0.45, top + cap * 0.78), (x - edge, top + cap)]
            pen.shape(ragged, lit((248, 250, 254), time))
    land(pen, hills(rng, horizon + 4, 10, 4), lit((128, 182, 116), time), lit((96, 150, 90), time))
    for _ in range(7):
        pine(pen, rng.uniform(4, 220), horizon + rng.uniform(4, 14), rng.uniform(16, 28), lit((62, 118, 92), time))
    land(pen, hills(rng, horizon + 20, 8, 3), lit((166, 206, 112), time), lit((104, 164, 80), time))
    for _ in range(9):
        x, y = rng.uniform(4, 220), rng.uniform(horizon + 30, 222)
        pen.shape([(x - 6, y), (x - 4, y - 4), (x + 1, y - 6), (x + 6, y)], lit((172, 172, 172), time), smooth=True)
    for _ in range(12):
        petals(
            pen,
            rng.uniform(4, 220),
            rng.uniform(horizon + 28, 222),
            rng.choice(((250, 250, 246), (190, 150, 226))),
            time,
        )


def desert(pen: Pen, rng: random.Random, time: str, horizon: int) -> None:
    for _ in range(2):
        x, half, high = rng.uniform(10, 214), rng.uniform(22, 40), rng.uniform(20, 38)
        rock = lit((206, 128, 92), time)
        pen.shape(
            [
                (x - half, horizon + 4),
                (x - half * 0.7, horizon - high),
                (x + half * 0.7, horizon - high),
                (x + half, horizon + 4),
            ],
            rock,
        )
        pen.shape(
            [
                (x - half * 0.78, horizon - high * 0.7),
                (x + half * 0.78, horizon - high * 0.7),
                (x + half * 0.82, horizon - high * 0.5),
                (x - half * 0.82, horizon - high * 0.5),
            ],
            dark(rock, 0.14),
        )
    for k, (top, low) in enumerate(
        (((244, 206, 140), (236, 188, 118)), ((248, 214, 150), (232, 180, 108)), ((246, 206, 138), (222, 166, 96)))
    ):
        land(pen, hills(rng, horizon + 3 + 22 * k, 12, 4), lit(top, time), lit(low, time))
    for _ in range(rng.randint(2, 4)):
        x, y, s = rng.uniform(10, 214), horizon + rng.uniform(12, 34), rng.uniform(0.7, 1.1)
        green = lit((92, 148, 96), time)
        pen.line([(x, y), (x, y - 30 * s)], green, 6 * s)
        pen.line([(x, y - 12 * s), (x - 9 * s, y - 13 * s), (x - 9 * s, y - 22 * s)], green, 4.4 * s, smooth=True)
        pen.line([(x, y - 9 * s), (x + 8 * s, y - 10 * s), (x + 8 * s, y - 18 * s)], green, 4.4 * s, smooth=True)
        pen.line([(x - 1, y), (x - 1, y - 29 * s)], light(green, 0.25), 1)
    for _ in range(9):
        x, y = rng.uniform(0, 210), rng.uniform(horizon + 40, 222)
        pen.line([(x, y), (x + 8, y - 2), (x + 16, y)], lit((214, 160, 96), time), 1, smooth=True)


def snow(pen: Pen, rng: random.Random, time: str, horizon: int) -> None:
    far, near = lit((206, 224, 240), time), lit((246, 250, 254), time)
    land(pen, hills(rng, horizon - 12, 18, 4), far, mix(far, near, 0.5))
    for _ in range(9):
        size = rng.uniform(20, 36)
        pine(pen, rng.uniform(4, 220), horizon + rng.uniform(0, 6), size, lit((92, 142, 136), time), near)
    land(pen, hills(rng, horizon + 4, 9, 4), near, lit((222, 234, 246), time))
    land(pen, hills(rng, horizon + 36, 9, 3), lit((250, 252, 255), time), lit((206, 222, 240), time))
    for _ in range(60):
        r = rng.choice((0.8, 1.1, 1.5))
        pen.oval(
            rng.uniform(0, SIDE), rng.uniform(0, SIDE), r, r, (206, 216, 240) if time == "night" else (255, 255, 255)
        )
