"""Vehicles and what flies or floats, facing right."""

import math
import random

from .pen import CREAM, INK, Colour, Number, Pen, brightness, curve, dark, light, mix, ring
from .things import thing

GLASS: Colour = (176, 218, 236)
STEEL: Colour = (176, 182, 192)


def wheel(pen: Pen, x: Number, y: Number, r: Number) -> None:
    """A tyre with a hub."""
    pen.oval(x, y, r, r, (44, 42, 50))
    pen.oval(x, y, r * 0.56, r * 0.56, STEEL, r * 0.15)
    pen.oval(x, y, r * 0.18, r * 0.18, (96, 98, 108))


@thing(122, 60)
def car(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    cabin = [(24, 26), (34, 8), (44, 3), (70, 3), (80, 8), (96, 27)]
    pen.shape(curve(cabin[:5], closed=False) + cabin[5:], colour)
    pen.shape([(32, 25), (40, 10), (56, 8), (56, 25)], GLASS)
    pen.shape([(61, 8), (73, 9), (86, 25), (61, 25)], GLASS)
    pen.shape([(44, 10), (50, 9), (40, 25), (34, 25)], light(GLASS, 0.6))
    body = [(3, 34), (10, 25), (30, 23), (88, 23), (110, 28), (119, 36), (119, 48), (60, 50), (4, 48)]
    pen.shape(body, colour, smooth=True, under=6)
    pen.line([(8, 37), (116, 37)], light(colour, 0.3) if brightness(colour) < 220 else STEEL, 1.5)
    pen.line([(59, 26), (59, 46)], dark(colour), 1.2)
    pen.line([(64, 31), (71, 31)], dark(colour, 0.4), 2)
    pen.oval(115, 33, 4, 3.6, (255, 236, 150))
    pen.box(2, 31, 7, 37, (226, 70, 60), 2)
    pen.box(0, 43, 122, 48, mix(STEEL, INK, 0.3), 2)
    for x in (28, 94):
        pen.oval(x, 47, 14, 14, dark(colour, 0.5))
        wheel(pen, x, 48, 11.5)


@thing(148, 82)
def bus(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    pen.box(2, 4, 146, 70, colour, 9, under=5)
    pen.box(6, 4, 142, 8, light(colour, 0.4), 2)
    for x in range(9, 105, 24):
        pen.box(x, 14, x + 20, 36, GLASS, 3)
        pen.shape([(x + 5, 14), (x + 10, 14), (x + 4, 36), (x, 36), (x, 33)], light(GLASS, 0.55))
    pen.box(108, 14, 125, 66, light(GLASS, 0.2), 3)
    pen.line([(116.5, 15), (116.5, 65)], dark(colour, 0.3), 1.6)
    pen.box(130, 14, 146, 42, GLASS, 3)
    pen.box(2, 46, 106, 52, CREAM if brightness(colour) < 220 else (214, 72, 66))
    pen.oval(142, 58, 3.6, 4, (255, 236, 150))
    pen.box(2, 54, 6, 62, (226, 70, 60), 1.5)
    for x in (30, 92):
        pen.oval(x, 68, 15, 15, dark(colour, 0.5))
        wheel(pen, x, 69, 12.5)
    wheel(pen, 132, 69, 12.5)


@thing(142, 82)
def truck(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    pen.box(4, 58, 136, 68, (84, 84, 96), 2)
    pen.box(2, 4, 94, 60, CREAM if brightness(colour) < 220 else (224, 218, 208), 3, under=5)
    pen.box(2, 22, 94, 38, colour if brightness(colour) < 220 else (250, 250, 250))
    for x in (25, 48, 71):
        pen.line([(x, 8), (x, 54)], (214, 208, 200), 1)
    cab = [(98, 20), (120, 20), (130, 40), (139, 44), (139, 64), (98, 64)]
    pen.shape(cab, colour, under=5)
    pen.shape([(103, 25), (118, 25), (126, 41), (103, 41)], GLASS)
    pen.shape([(107, 25), (112, 25), (106, 41), (103, 41)], light(GLASS, 0.55))
    pen.line([(104, 48), (110, 48)], dark(colour, 0.4), 2)
    pen.oval(136, 53, 3.4, 3.8, (255, 236, 150))
    pen.box(128, 62, 141, 68, STEEL, 2)
    for x in (20, 48, 116):
        wheel(pen, x, 68, 13)


@thing(104, 70)
def bicycle(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    for x in (22, 82):
        outer, inner = 21, 17.5
        for k in range(8):
            a = k * math.pi / 8
            pen.line(
                [
                    (x - inner * math.cos(a), 48 - inner * math.sin(a)),
                    (x + inner * math.cos(a), 48 + inner * math.sin(a)),
                ],
                STEEL,
                0.7,
            )
        for k in range(48):
            a, b = k * math.pi / 24, (k + 1.2) * math.pi / 24
            rim = outer - 2
            pen.line(
                [(x + rim * math.cos(a), 48 + rim * math.sin(a)), (x + rim * math.cos(b), 48 + rim * math.sin(b))],
                (52, 50, 58),
                3.6,
            )
        pen.oval(x, 48, 3, 3, STEEL)
    crank, seat, head = (48, 49), (38, 21), (73, 20)
    for tube in (
        [(22, 48), crank],
        [(22, 48), seat],
        [crank, seat],
        [crank, head],
        [(39.5, 24), head],
        [head, (82, 48)],
    ):
        pen.line(tube, colour, 4.6)
    pen.line([(72, 22), (70, 11), (80, 9), (84, 14)], (62, 60, 68), 3.2, smooth=True)
    pen.line([seat, (36, 14)], STEEL, 2.6)
    pen.shape([(26, 10), (46, 10), (48, 13), (38, 16), (28, 16)], (70, 52, 46), smooth=True)
    pen.oval(*crank, 6, 6, (92, 94, 104))
    pen.line([(43, 57), (53, 41)], (62, 60, 68), 2.4)
    for x, y in ((43, 57), (53, 41)):
        pen.line([(x - 4, y), (x + 4, y)], (62, 60, 68), 2.8)


@thing(104, 112, casts=False)
def boat(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    sail = CREAM if brightness(colour) < 220 else (232, 236, 240)
    pen.line([(50, 4), (50, 90)], (128, 88, 58), 4)
    pen.shape([(54, 8), (54, 78), (94, 78), (80, 48), (66, 24)], sail, under=3)
    pen.shape([(54, 56), (85, 56), (89, 66), (54, 66)], colour if brightness(colour) < 220 else (206, 212, 222))
    pen.shape([(46, 16), (46, 78), (12, 78), (30, 48)], light(colour, 0.12), under=3)
    pen.shape([(50, 2), (50, 12), (64, 7)], (226, 70, 60))
    hull = [(2, 84), (102, 84), (94, 98), (84, 110), (22, 110), (10, 100)]
    pen.shape(hull, colour, under=7)
    pen.shape([(2, 84), (102, 84), (99, 90), (5, 90)], CREAM if brightness(colour) < 220 else (196, 150, 104))
    for x in (34, 52, 70):
        pen.oval(x, 98, 3.4, 3.4, CREAM)
        pen.oval(x, 98, 2.2, 2.2, (96, 140, 170))


@thing(128, 66, casts=False)
def plane(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    pale = CREAM if brightness(colour) < 220 else (226, 230, 236)
    pen.shape([(62, 28), (48, 4), (58, 4), (84, 28)], dark(colour, 0.3))
    pen.shape([(20, 30), (2, 3), (17, 3), (36, 26)], colour)
    body = [(8, 30), (24, 25), (60, 21), (100, 22), (119, 29), (126, 36), (116, 43), (80, 46), (40, 43), (16, 36)]
    pen.shape(body, pale, smooth=True)
    pen.inside(curve(body), [[(0, 34), (128, 37), (128, 60), (0, 60)]], colour)
    for x in range(36, 100, 9):
        pen.box(x, 27.5, x + 5, 32.5, (98, 150, 190), 2)
    pen.shape([(105, 26), (113, 27), (120, 32), (106, 33)], (98, 150, 190))
    pen.shape([(52, 38), (82, 39), (50, 63), (36, 63)], dark(colour, 0.16))
    pen.shape([(10, 31), (26, 32), (10, 42), (1, 42)], dark(colour, 0.16))
    pen.box(58, 48, 74, 56, pale, 4, under=2)
    pen.box(71, 48, 75, 56, (80, 82, 94), 2)


@thing(80, 112, casts=False)
def balloon(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    bag = [(40, 1), (62, 7), (77, 25), (77, 44), (66, 63), (52, 80), (28, 80), (14, 63), (3, 44), (3, 25), (18, 7)]
    outline = curve(bag)
    stripe = CREAM if brightness(colour) < 215 else (232, 120, 90) if colour[2] < 150 else (206, 214, 226)
    pen.shape(bag, colour, smooth=True)
    pen.inside(outline, [ring(40, 40, 29, 52)], stripe)
    pen.inside(outline, [ring(40, 40, 17, 54)], colour)
    pen.inside(outline, [ring(40, 40, 6, 54)], stripe)
    pen.inside(outline, [[(0, 70), (80, 70), (80, 84), (0, 84)]], dark(colour, 0.3))
    pen.shape(ring(12, 30, 2.6, 10, 14), light(colour, 0.4))
    for top, bottom in ((28, 31), (52, 49), (40, 40)):
        pen.line([(top, 80), (bottom, 96)], (96, 74, 58), 1.2)
    pen.box(29, 94, 51, 111, (176, 122, 74), 4, under=3)
    pen.box(28, 93, 52, 98, (140, 92, 56), 2)
    for x in (34, 40, 46):
        pen.line([(x, 100), (x, 108)], (140, 92, 56), 1)


@thing(80, 116, casts=False)
def kite(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    tail = [(38, 76), (28, 86), (42, 96), (32, 106), (40, 114)]
    pen.line(tail, (244, 244, 240), 1.6, smooth=True)
    for (x, y), tone in zip(tail[1:4], ((248, 206, 66), (226, 80, 70), (80, 160, 210)), strict=True):
        pen.shape([(x, y), (x - 8, y - 5), (x - 8, y + 5)], tone)
        pen.shape([(x, y), (x + 8, y - 5), (x + 8, y + 5)], tone)
    top, left, right, foot, heart = (46, 1), (5, 30), (77, 32), (38, 78), (43, 31)
    pen.shape([top, right, heart], colour)
    pen.shape([top, left, heart], light(colour, 0.42))
    pen.shape([left, foot, heart], dark(colour, 0.12))
    pen.shape([right, foot, heart], light(colour, 0.22))
    for spar in ([top, foot], [left, right]):
        pen.line(spar, dark(colour, 0.45), 1.8)
