"""Things of the house and toys."""

import random

from .pen import CREAM, INK, Colour, Pen, brightness, curve, dark, light, ring
from .things import thing

WOOD: Colour = (164, 114, 72)


@thing(70, 70)
def ball(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    outline = ring(35, 35, 34, 34)
    pale = CREAM if brightness(colour) < 215 else (226, 96, 80) if colour[2] < 150 else (204, 212, 226)
    pen.shape(outline, colour)
    leaves = [curve([(24, 20), (46, -4), (60, -2), (44, 14)]), curve([(20, 30), (-6, 36), (-4, 58), (14, 48)])]
    leaves.append(curve([(33, 31), (66, 30), (74, 48), (52, 62)]))
    pen.inside(outline, leaves, pale)
    pen.oval(27, 26, 7, 7, pale)
    # Inside the ball but outside its lit disc: a crescent of shade.
    shade = ring(27, 25, 40, 40)
    pen.shape(ring(27, 26, 4.5, 4.5), dark(pale, 0.12))
    rim = [p for p in outline if (p[0] - 27) ** 2 + (p[1] - 25) ** 2 > 38**2]
    inner = [p for p in shade if (p[0] - 35) ** 2 + (p[1] - 35) ** 2 < 33**2]
    if rim and inner:
        pen.shape(sorted(rim, key=lambda p: p[1] - p[0]) + sorted(inner, key=lambda p: p[0] - p[1]), dark(colour, 0.2))
    pen.shape(ring(20, 14, 8, 4.5, -35), light(pale, 0.7))


@thing(56, 124)
def lamp(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    pen.box(25.5, 40, 30.5, 116, (120, 96, 76))
    pen.line([(29.6, 44), (29.6, 114)], (86, 66, 54), 1.2)
    pen.oval(28, 117, 20, 6.5, (104, 80, 64), 2.5)
    pen.line([(38, 44), (38, 62)], (214, 190, 140), 1.2)
    pen.oval(38, 64, 2.2, 2.2, (240, 200, 90))
    pen.oval(28, 46, 11, 5, (255, 240, 170))
    shade = [(15, 3), (41, 3), (55, 46), (1, 46)]
    pen.shape(shade, colour)
    pen.inside(shade, [ring(28, 48, 20, 24)], light(colour, 0.42) if brightness(colour) < 215 else (255, 244, 190))
    pen.inside(shade, [[(0, 41), (56, 41), (56, 47), (0, 47)], [(0, 2), (56, 2), (56, 6), (0, 6)]], dark(colour, 0.2))


@thing(70, 96)
def chair(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    leg = dark(WOOD, 0.15)
    for a, b in (((18, 62), (15, 90)), ((56, 62), (60, 90))):
        pen.line([a, b], dark(leg, 0.25), 5)
    pen.box(11, 2, 59, 50, WOOD, 9, under=2)
    pen.box(16, 7, 54, 46, colour, 7, under=3)
    for y in (18, 32):
        for x in (25, 35, 45):
            pen.oval(x, y, 1.7, 1.7, dark(colour, 0.3))
    for x in (13, 57):
        pen.line([(x, 46), (x, 60)], WOOD, 5)
    pen.shape([(8, 56), (62, 56), (68, 68), (2, 68)], colour, under=4)
    pen.shape([(8, 56), (62, 56), (63, 59), (7, 59)], light(colour, 0.25))
    for x in (6, 64):
        pen.line([(x, 69), (x, 93)], leg, 5.5)
    pen.box(2, 67, 68, 72, leg, 2)


@thing(88, 88)
def cake(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    plate = (222, 228, 236)
    pen.box(38, 76, 50, 85, plate)
    pen.oval(44, 85, 20, 3, plate)
    pen.oval(44, 76, 43, 5.5, plate, 2.5)
    for x0, y0, x1, y1 in ((8, 46, 80, 76), (20, 22, 68, 48)):
        pen.box(x0, y0, x1, y1, colour, 5, under=4)
        icing: Colour = CREAM if brightness(colour) < 215 else (240, 150, 170)
        pen.box(x0, y0, x1, y0 + 8, icing, 4)
        step = (x1 - x0) / 6
        for k in range(6):
            pen.oval(x0 + (k + 0.5) * step, y0 + 8, step / 2, 3.5 + 3 * (k % 2), icing)
    for x in (14, 29, 44, 59, 74):
        pen.oval(x, 68, 3.2, 3.2, (216, 56, 70))
    for x, tone in ((32, (86, 160, 210)), (44, (240, 120, 150)), (56, (110, 180, 110))):
        pen.box(x - 2, 10, x + 2, 23, tone, 1)
        pen.shape([(x, 1), (x + 3, 7), (x, 11), (x - 3, 7)], (252, 176, 56), smooth=True)
        pen.oval(x, 8, 1.2, 1.8, (255, 240, 170))


@thing(62, 120)
def guitar(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    pen.line([(12, 119), (22, 96)], INK, 3)
    pen.line([(50, 119), (40, 96)], INK, 3)
    pen.shape([(24, 2), (38, 2), (36, 20), (26, 20)], dark(WOOD, 0.3))
    for y in (6, 11, 16):
        pen.oval(22.5, y, 2.4, 1.8, CREAM)
        pen.oval(39.5, y, 2.4, 1.8, CREAM)
    body = [(31, 54), (45, 57), (49, 68), (46, 78), (54, 88), (56, 102), (46, 114), (31, 117)]
    body += [(62 - x, y) for x, y in body[-2:0:-1]]
    pen.shape(body, dark(colour, 0.3), smooth=True)
    pen.shape([(31 + (x - 31) * 0.9, 86 + (y - 86) * 0.93) for x, y in body], colour, smooth=True, under=4)
    pen.oval(31, 78, 9, 9, light(WOOD, 0.5))
    pen.oval(31, 78, 7.2, 7.2, INK)
    pen.box(27.5, 18, 34.5, 72, (96, 64, 46))
    for y in range(26, 70, 7):
        pen.line([(28, y), (34, y)], (214, 190, 140), 0.8)
    pen.box(22, 98, 40, 102.5, (70, 46, 38), 1.5)
    for x in (29, 31, 33):
        pen.line([(x, 8), (x, 99)], (240, 232, 214), 0.6)
