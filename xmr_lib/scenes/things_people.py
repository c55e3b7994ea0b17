"""People and the snowman, seen from the front."""

import random

from .pen import CREAM, INK, Colour, Number, Pen, brightness, dark, light, mix
from .things import thing

SKINS: tuple[Colour, ...] = ((250, 214, 184), (232, 184, 144), (196, 140, 98), (134, 88, 62))
HAIRS: tuple[Colour, ...] = ((58, 42, 38), (108, 70, 44), (200, 150, 76), (168, 84, 44))
TROUSERS: tuple[Colour, ...] = ((66, 78, 112), (92, 92, 102), (118, 100, 82))


def face(pen: Pen, x: Number, y: Number, skin: Colour) -> None:
    """Eyes, cheeks and a smile around (x, y)."""
    for side in (-1, 1):
        pen.oval(x + side * 4.4, y, 1.5, 2, INK)
        pen.oval(x + side * 7.2, y + 4.6, 2.2, 1.5, mix(skin, (236, 92, 92), 0.34))
    pen.line([(x - 3.6, y + 5.5), (x, y + 7.6), (x + 3.6, y + 5.5)], (150, 62, 58), 1.4, smooth=True)


@thing(56, 116)
def man(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    skin, hair, trousers = look.choice(SKINS), look.choice(HAIRS), look.choice(TROUSERS)
    for side in (-1, 1):
        pen.line([(28 + side * 6, 70), (28 + side * 7, 108)], trousers if side < 0 else dark(trousers, 0.14), 11)
        pen.shape(
            [
                (28 + side * 2, 115),
                (28 + side * 2, 108),
                (28 + side * 10, 107),
                (28 + side * 15, 112),
                (28 + side * 15, 115),
            ],
            (72, 52, 46),
        )
    wave = look.random() < 0.4
    hand = (51, 22) if wave else (49, 70)
    pen.line([(40, 43), (47, 38 if wave else 56), hand], dark(colour, 0.12), 9, smooth=True)
    pen.oval(*hand, 4.6, 4.6, skin)
    pen.line([(16, 43), (9, 56), (7, 68)], dark(colour, 0.12), 9, smooth=True)
    pen.oval(7, 71, 4.6, 4.6, skin)
    pen.box(23, 28, 33, 40, dark(skin, 0.12), 3)
    pen.shape([(16, 38), (28, 35), (40, 38), (42, 50), (40, 76), (16, 76), (14, 50)], colour, smooth=True, under=3)
    pen.shape([(23, 36.5), (33, 36.5), (28, 43)], skin)
    pen.line([(28, 45), (28, 73)], dark(colour, 0.22), 1)
    pen.box(15, 72, 41, 76, (84, 62, 50), 1)
    pen.oval(28, 18, 13, 14.5, skin, 2)
    pen.shape([(14, 18), (15, 6), (28, 0), (41, 6), (42, 18), (38, 10), (28, 8), (18, 10)], hair, smooth=True)
    face(pen, 28, 18, skin)


@thing(60, 116)
def woman(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    skin, hair = look.choice(SKINS), look.choice(HAIRS)
    pen.shape(
        [(30, 0), (45, 8), (47, 26), (50, 46), (38, 50), (22, 50), (10, 46), (13, 26), (15, 8)], hair, smooth=True
    )
    for side in (-1, 1):
        pen.line([(30 + side * 6, 84), (30 + side * 6, 108)], skin if side < 0 else dark(skin, 0.08), 6)
        pen.oval(30 + side * 7, 112, 6, 3.4, dark(colour, 0.4) if brightness(colour) > 90 else (190, 70, 70))
    pen.line([(20, 43), (10, 55), (8, 68)], skin, 6.5, smooth=True)
    pen.line([(40, 43), (50, 55), (52, 68)], dark(skin, 0.08), 6.5, smooth=True)
    pen.box(26, 30, 34, 40, dark(skin, 0.12), 3)
    dress = [
        (20, 38),
        (27, 39),
        (33, 39),
        (40, 38),
        (41, 56),
        (47, 74),
        (54, 92),
        (30, 97),
        (6, 92),
        (13, 74),
        (19, 56),
    ]
    pen.shape(dress, colour, smooth=True, under=4)
    pen.shape([(25, 38), (35, 38), (30, 43)], skin)
    pen.line([(19.5, 58), (40.5, 58)], CREAM if brightness(colour) < 215 else (210, 130, 120), 3)
    pen.oval(30, 19, 12.5, 14, skin, 2)
    fringe = [(16, 22), (16, 8), (30, 1), (44, 8), (44, 22), (40, 14), (32, 8), (22, 14)]
    pen.shape(fringe, hair, smooth=True)
    face(pen, 30, 19, skin)


@thing(76, 112)
def snowman(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    snow: Colour = (244, 248, 252)
    for points in (
        [(20, 56), (6, 44), (2, 36)],
        [(6, 44), (1, 46)],
        [(56, 56), (70, 44), (74, 36)],
        [(70, 44), (75, 46)],
    ):
        pen.line(points, (112, 78, 54), 2.6)
    pen.oval(38, 88, 29, 23, snow, 7)
    pen.oval(38, 58, 21, 19, snow, 6)
    pen.oval(38, 31, 16, 15, snow, 4)
    pen.box(24, 40, 52, 48, colour, 4, under=2)
    pen.shape([(45, 46), (54, 46), (56, 66), (47, 67)], dark(colour, 0.14))
    for x in (48, 51, 54):
        pen.line([(x, 66), (x + 0.3, 70)], light(colour, 0.2), 1.4)
    pen.box(22, 15, 54, 20, (56, 54, 66), 2)
    pen.box(27, 1, 49, 18, (56, 54, 66), 2)
    pen.box(27, 11, 49, 15, colour)
    for x in (32, 44):
        pen.eye(x, 27, 2.3)
    pen.shape([(37, 30), (56, 35), (37, 35)], (242, 136, 44))
    pen.line([(31, 38), (36, 39.5), (41, 38.6)], INK, 1.4, smooth=True)
    for y in (56, 65, 82):
        pen.oval(37, y, 2.2, 2.2, INK)
