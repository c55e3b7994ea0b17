"""What stands or grows outdoors."""

import random

from .pen import CREAM, INK, Colour, Pen, brightness, curve, dark, light, mix
from .things import thing

WOOD: Colour = (148, 102, 66)


@thing(108, 134)
def tree(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    trunk = [(46, 133), (49, 104), (47, 80), (61, 80), (59, 104), (64, 133), (55, 130)]
    pen.shape(trunk, WOOD, smooth=True)
    pen.shape([(55, 84), (61, 80), (59, 104), (63, 131), (56, 128)], dark(WOOD, 0.25), smooth=True)
    pen.line([(54, 96), (40, 78)], WOOD, 4.5)
    pen.line([(54, 92), (70, 74)], dark(WOOD, 0.2), 4.5)
    crowns = (
        (26, 62, 25, 21),
        (82, 62, 25, 21),
        (54, 70, 30, 21),
        (34, 36, 26, 24),
        (76, 38, 25, 23),
        (54, 26, 26, 25),
    )
    for x, y, rx, ry in crowns:
        pen.oval(x, y, rx, ry, colour, 5)
    pen.oval(54, 52, 32, 26, colour)
    for x, y, rx, ry in (
        (44, 20, 13, 9),
        (27, 40, 11, 8),
        (72, 34, 10, 7),
        (52, 46, 11, 8),
        (28, 62, 8, 5),
        (78, 58, 10, 6),
    ):
        pen.oval(x, y, rx, ry, light(colour, 0.2))
    for _ in range(7):
        pen.oval(look.uniform(16, 92), look.uniform(22, 78), 2.6, 2.2, dark(colour, 0.2))


@thing(128, 118)
def house(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    roof = (158, 74, 60) if not colour[0] > 180 or brightness(colour) > 190 else (92, 84, 104)
    pen.box(88, 8, 102, 44, (170, 110, 90))
    pen.box(85, 6, 105, 12, (140, 88, 74), 1.5)
    pen.box(12, 50, 116, 117, colour)
    for y in range(60, 116, 9):
        pen.line([(13, y), (115, y)], dark(colour, 0.1), 0.9)
    pen.shape([(12, 50), (116, 50), (116, 57), (12, 57)], dark(colour, 0.28))
    pen.shape([(1, 54), (26, 14), (102, 14), (127, 54)], roof, under=4)
    for y in (24, 34, 44):
        pen.line([(20 - (y - 24) * 0.62, y), (108 + (y - 24) * 0.62, y)], dark(roof, 0.18), 1.2)
    door = light(WOOD, 0.05)
    pen.box(53, 78, 75, 117, CREAM, 2)
    pen.box(55, 80, 73, 117, door, 2)
    pen.oval(69.5, 99, 1.8, 1.8, (248, 206, 66))
    for x in (20, 84):
        pen.box(x, 68, x + 24, 94, CREAM, 1.5)
        pen.box(x + 2.5, 70.5, x + 21.5, 91.5, (164, 210, 230))
        pen.line([(x + 12, 70), (x + 12, 92)], CREAM, 1.8)
        pen.line([(x + 2, 81), (x + 22, 81)], CREAM, 1.8)
        pen.box(x - 2, 94, x + 26, 98, CREAM, 1)
        for dx in (3, 9, 15, 21):
            pen.oval(x + dx, 94, 3, 2.6, (96, 160, 84))


@thing(112, 64)
def bench(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    iron = (66, 66, 78)
    for x in (14, 92):
        pen.line([(x, 4), (x + 2, 38), (x - 3, 62)], iron, 4.5)
        pen.line([(x + 2, 40), (x + 8, 62)], iron, 4.5)
    for y in (5, 15, 25):
        pen.box(2, y, 110, y + 8, colour, 3, under=2)
    pen.box(0, 37, 112, 43, light(colour, 0.15), 2.5)
    pen.box(0, 43.5, 112, 49, colour, 2.5, under=2)
    for x in (14, 92):
        pen.line([(x - 4, 30), (x + 8, 29)], iron, 4)


@thing(62, 92)
def flower(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    leaf = (88, 158, 78)
    pen.line([(31, 34), (33, 60), (31, 91)], (74, 138, 70), 4.5, smooth=True)
    pen.shape([(32, 84), (12, 78), (3, 60), (20, 66)], leaf, smooth=True)
    pen.shape([(32, 78), (50, 72), (60, 54), (43, 60)], dark(leaf, 0.12), smooth=True)
    reach = 17
    spots = [(0, -1), (0.87, -0.5), (0.87, 0.5), (0, 1), (-0.87, 0.5), (-0.87, -0.5)]
    for k, (dx, dy) in enumerate(spots):
        pen.oval(31 + dx * reach, 30 + dy * reach, 12, 12, light(colour, 0.16) if k % 2 else colour, 2.5)
    heart = (248, 200, 60) if colour[2] > 90 or brightness(colour) < 150 else (146, 88, 48)
    pen.oval(31, 30, 10.5, 10.5, heart, 2.5)
    for dx, dy in ((-3, -3), (3, -2), (0, 3), (-4, 2), (5, 3)):
        pen.oval(31 + dx, 30 + dy, 1.2, 1.2, dark(heart, 0.3))


@thing(124, 86)
def tent(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    for peg, eave in (((2, 84), (18, 64)), ((122, 84), (108, 66))):
        pen.line([peg, eave], (232, 226, 212), 1.3)
    pen.shape([(44, 4), (100, 12), (120, 84), (84, 84)], dark(colour, 0.22))
    pen.shape([(44, 4), (84, 84), (6, 84)], colour)
    pen.shape([(44, 4), (62, 84), (24, 84)], mix(INK, colour, 0.12))
    pen.shape([(44, 4), (24, 84), (19, 84), (30, 56)], light(colour, 0.35))
    pen.shape([(44, 4), (62, 84), (69, 84), (56, 50)], light(colour, 0.35))
    pen.line([(92, 36), (98, 82)], dark(colour, 0.4), 1.2)
    pen.line([(44, 5), (44, 1)], WOOD, 3)
    pen.line([(44, 4), (100, 12)], light(colour, 0.25), 2.4)


@thing(112, 112)
def umbrella(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    pen.line([(56, 4), (56, 111)], (232, 222, 204), 4.6)
    pen.line([(57.5, 50), (57.5, 111)], (200, 186, 164), 1.8)
    rim = [
        (110, 51),
        (101, 46),
        (92, 51),
        (83, 46),
        (74, 51),
        (65, 46),
        (56, 51),
        (47, 46),
        (38, 51),
        (29, 46),
        (20, 51),
    ]
    rim += [(11, 46), (2, 51)]
    dome = curve([(2, 51), (9, 30), (28, 13), (56, 6), (84, 13), (103, 30), (110, 51)], closed=False)
    outline = dome + rim[1:]
    pale = CREAM if brightness(colour) < 215 else light((232, 120, 90), 0.1) if colour[2] < 150 else (206, 214, 226)
    pen.shape(outline, colour)
    panels = [
        curve([(56, 5), (a, 26), (b, 54)], closed=False) + curve([(d, 54), (c, 26), (56, 5)], closed=False)
        for a, b, c, d in ((18, 20, 33, 38), (78, 74, 94, 92))
    ]
    pen.inside(outline, panels, pale)
    pen.inside(outline, [[(0, 44), (112, 44), (112, 54), (0, 54)]], dark(colour, 0.18))
    pen.inside(
        outline, [[(20, 44), (38, 44), (38, 54), (20, 54)], [(74, 44), (92, 44), (92, 54), (74, 54)]], dark(pale, 0.14)
    )
    pen.oval(56, 5, 4, 4, (248, 206, 66))
