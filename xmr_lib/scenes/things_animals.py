"""Animals, facing right."""

import random

from .pen import CREAM, INK, Colour, Pen, brightness, curve, dark, light, mix, ring, rounded
from .things import thing

ROSE: Colour = (240, 150, 160)


@thing(96, 80)
def dog(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    deep, pale = dark(colour, 0.3), light(colour, 0.45)
    ear = deep if brightness(colour) > 90 else light(colour, 0.22)
    for x in (24, 55):
        pen.box(x, 46, x + 9, 77, deep, 4)
    pen.line([(15, 42), (6, 32), (6, 16)], colour, 7, smooth=True)
    body = [(11, 44), (17, 34), (36, 33), (56, 30), (68, 38), (68, 54), (56, 60), (38, 56), (22, 60), (12, 54)]
    pen.shape(body, colour, smooth=True, under=5)
    for x in (14, 61):
        pen.box(x, 46, x + 10, 79, colour, 5)
        pen.box(x, 72, x + 13, 79, pale, 3.5)
    head = [(59, 40), (59, 20), (66, 9), (77, 9), (84, 17), (93, 21), (94, 29), (86, 34), (76, 36), (70, 46)]
    pen.shape(head, colour, smooth=True, under=3)
    pen.shape([(80, 25), (88, 19), (94, 22), (94, 29), (86, 34), (79, 33)], pale, smooth=True)
    pen.line([(61, 39), (72, 44)], (222, 60, 60) if colour[0] < 200 else (56, 110, 200), 4.5)
    pen.oval(68, 47, 3, 3, (248, 206, 66))
    pen.shape([(63, 10), (70, 12), (71, 27), (65, 36), (57, 30), (58, 18)], ear, smooth=True)
    pen.oval(92.5, 21, 3, 2.6, INK)
    pen.shape([(83, 32), (89, 32), (88, 40), (84, 40)], (235, 110, 125), smooth=True)
    pen.eye(78, 18, 2.8, INK if brightness(colour) > 90 else (150, 96, 50))


@thing(78, 90)
def cat(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    stripe = dark(colour, 0.34) if brightness(colour) > 90 else light(colour, 0.16)
    if brightness(colour) > 220:
        stripe = dark(colour, 0.16)
    pen.line([(52, 82), (68, 82), (73, 66), (66, 52), (70, 40)], colour, 8, smooth=True)
    pen.line([(67, 48), (70, 40)], stripe, 8)
    body = [(22, 52), (34, 44), (46, 52), (56, 68), (56, 84), (46, 89), (22, 89), (12, 84), (13, 66)]
    pen.shape(body, colour, smooth=True, under=3)
    outline = curve(body)
    bars = [[(8, y), (22, y + 2), (22, y + 4), (8, y + 6)] for y in (58, 67, 76)]
    bars += [[(60, y), (47, y + 2), (47, y + 4), (60, y + 6)] for y in (58, 67, 76)]
    pen.inside(outline, bars, stripe)
    pen.oval(34, 66, 9, 13, light(colour, 0.5))
    for x in (22, 36):
        pen.box(x, 66, x + 10, 88, colour, 5)
        pen.oval(x + 5, 86, 6.5, 4, light(colour, 0.5))
    for side in (-1, 1):
        pen.shape([(34 + side * 27, 2), (34 + side * 28, 28), (34 + side * 7, 12)], colour)
        pen.shape([(34 + side * 24, 8), (34 + side * 25, 22), (34 + side * 13, 14)], ROSE)
    pen.oval(34, 30, 28, 22, colour, 3)
    pen.inside(ring(34, 30, 28, 22), [[(x, 6), (x + 4, 6), (x + 3, 17), (x + 1, 17)] for x in (25, 32, 39)], stripe)
    pen.oval(28, 39, 8, 6.5, light(colour, 0.6))
    pen.oval(40, 39, 8, 6.5, light(colour, 0.6))
    for x in (22, 46):
        pen.eye(x, 28, 5.4, (120, 190, 90))
    pen.shape([(30.5, 34), (37.5, 34), (34, 38.5)], (226, 110, 125))
    pen.line([(34, 38), (34, 42)], INK, 1)
    pen.line([(28, 42), (34, 43), (40, 42)], INK, 1.2, smooth=True)
    for side in (-1, 1):
        for dy in (-3, 2):
            pen.line([(34 + side * 14, 39 + dy / 2), (34 + side * 33, 37 + dy)], mix(INK, CREAM, 0.45), 0.9)


@thing(80, 66)
def bird(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    wing, belly = dark(colour, 0.25) if brightness(colour) > 90 else light(colour, 0.25), light(colour, 0.55)
    if aloft:
        pen.shape([(38, 34), (46, 32), (54, 4), (34, 12)], dark(wing, 0.2), smooth=True)
    else:
        for x in (37, 46):
            pen.line([(x, 50), (x, 62), (x + 6, 64)], (222, 140, 40), 2.6)
    pen.shape([(24, 34), (2, 26), (4, 34), (1, 42), (24, 46)], wing)
    body = [(20, 40), (34, 29), (52, 18), (64, 12), (73, 20), (72, 32), (62, 46), (46, 54), (30, 50)]
    pen.shape(body, colour, smooth=True, under=3)
    pen.inside(curve(body), [ring(58, 46, 17, 14, -30)], belly)
    pen.shape([(72, 19), (80, 24), (72, 28)], (246, 170, 50))
    pen.eye(66, 21, 3)
    if aloft:
        pen.shape([(32, 38), (50, 35), (46, 14), (26, 1), (12, 2), (22, 18)], wing, smooth=True)
        for tip in ((20, 8), (26, 6)):
            pen.line([tip, (38, 30)], dark(wing, 0.25), 1.2)
    else:
        pen.shape([(14, 44), (28, 32), (46, 30), (50, 40), (38, 48), (24, 48)], wing, smooth=True)
        pen.line([(20, 44), (42, 42)], dark(wing, 0.25), 1.2)


@thing(92, 60, casts=False)
def fish(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    fin, belly = dark(colour, 0.22) if brightness(colour) > 90 else light(colour, 0.28), light(colour, 0.5)
    pen.shape([(26, 30), (3, 8), (8, 30), (2, 52)], fin, smooth=True)
    pen.shape([(36, 14), (46, 1), (64, 4), (62, 16)], fin, smooth=True)
    pen.shape([(46, 46), (44, 58), (56, 58), (60, 44)], fin, smooth=True)
    body = [(18, 30), (34, 15), (56, 10), (78, 18), (90, 31), (78, 43), (56, 49), (34, 44)]
    pen.shape(body, colour, smooth=True)
    outline = curve(body)
    pen.inside(outline, [ring(60, 52, 34, 15)], belly)
    stripes = look.random() < 0.5
    if stripes:
        pen.inside(outline, [ring(x, 30, 3.4, 26) for x in (38, 52)], light(colour, 0.6))
    else:
        for x, y in ((32, 28), (42, 22), (42, 34), (52, 28), (52, 17)):
            pen.line([(x, y - 4), (x - 3, y), (x, y + 4)], fin, 1.5, smooth=True)
    pen.line([(67, 17), (63, 29), (67, 41)], fin, 2, smooth=True)
    pen.shape([(58, 32), (46, 30), (45, 40)], fin, smooth=True)
    pen.oval(77, 25, 5.2, 5.2, CREAM)
    pen.eye(78, 25, 3.2)
    pen.line([(83, 36), (87, 34)], INK, 1.5)


@thing(112, 104)
def horse(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    mane = dark(colour, 0.5) if brightness(colour) > 90 else light(colour, 0.3)
    if brightness(colour) > 220:
        mane = (206, 190, 168)
    hoof = dark(colour, 0.6) if brightness(colour) > 90 else light(colour, 0.35)
    far = dark(colour, 0.24)
    for legs, tone in ((((30, 34, 30), (64, 62, 68)), far), (((20, 18, 22), (72, 74, 72)), colour)):
        for hip, knee, foot in legs:
            pen.line([(hip, 60), (knee, 78), (foot, 98)], tone, 8.5, smooth=True)
            pen.box(foot - 5, 96, foot + 6, 103, hoof, 2)
    pen.shape([(16, 44), (6, 50), (2, 80), (10, 78), (14, 64), (20, 54)], mane, smooth=True)
    body = [(13, 50), (24, 41), (46, 44), (64, 40), (78, 46), (80, 60), (70, 68), (46, 67), (26, 69), (14, 62)]
    pen.shape(body, colour, smooth=True, under=5)
    neck = [(62, 46), (72, 30), (80, 14), (90, 12), (92, 24), (86, 40), (80, 60), (70, 60)]
    pen.shape(neck, colour, smooth=True)
    pen.shape([(82, 10), (84, 1), (89, 9)], colour)
    head = [(80, 14), (88, 8), (96, 14), (106, 26), (108, 33), (102, 37), (92, 31), (84, 28)]
    pen.shape(head, colour, smooth=True, under=2)
    pen.shape([(98, 26), (106, 27), (109, 33), (102, 38), (97, 33)], light(colour, 0.35), smooth=True)
    crest = [(88, 7), (80, 10), (68, 26), (58, 46), (66, 46), (74, 38), (76, 30), (82, 24), (83, 16), (90, 14)]
    pen.shape(crest, mane, smooth=True)
    pen.eye(91, 18, 2.6)
    pen.oval(105, 30, 1.2, 1.2, INK)


@thing(112, 84)
def cow(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    patch = CREAM if brightness(colour) < 200 else (186, 176, 172)
    for x in (26, 64):
        pen.box(x, 52, x + 9, 80, dark(colour, 0.3), 2)
    pen.line([(12, 32), (4, 46), (5, 62)], colour, 3.5, smooth=True)
    pen.oval(5, 64, 3.5, 5, dark(colour, 0.4))
    pen.shape([(38, 58), (56, 58), (52, 69), (42, 69)], ROSE, smooth=True)
    body = rounded(10, 24, 84, 62, 15)
    pen.shape(body, colour, under=5)
    shift = look.randint(-4, 4)
    blots = [ring(28 + shift, 32, 12, 11, 20), ring(54 + shift, 50, 15, 10, -15), ring(66 + shift, 27, 8, 6)]
    pen.inside(body, blots, patch)
    for x in (14, 72):
        pen.box(x, 50, x + 10, 83, colour, 2)
        pen.box(x, 76, x + 10, 83, INK if brightness(colour) > 90 else light(colour, 0.3), 2)
    for side in (-1, 1):
        pen.line([(88 + side * 8, 14), (88 + side * 14, 10), (88 + side * 13, 3)], (232, 216, 184), 4, smooth=True)
        pen.shape(ring(88 + side * 16, 20, 7, 4, side * -15), dark(colour, 0.15))
    pen.shape([(76, 14), (88, 10), (100, 14), (100, 32), (96, 46), (80, 46), (76, 32)], colour, smooth=True)
    pen.shape([(85, 12), (91, 12), (92, 34), (84, 34)], patch, smooth=True)
    pen.oval(88, 42, 13, 9, ROSE, 2)
    for x in (83, 93):
        pen.oval(x, 41, 1.7, 2.2, (160, 80, 96))
    for x in (80, 96):
        pen.oval(x, 25, 4, 4, CREAM)
        pen.eye(x, 25.5, 2.8)


@thing(98, 78)
def sheep(pen: Pen, colour: Colour, look: random.Random, aloft: bool) -> None:
    face = (74, 64, 66) if brightness(colour) > 90 else (150, 134, 128)
    for x in (26, 38, 58, 68):
        pen.box(x, 54, x + 7, 77, dark(face, 0.2) if x in (38, 58) else face, 2)
    curls = [(18, 42), (24, 28), (38, 20), (54, 19), (68, 26), (76, 40), (68, 54), (52, 60), (34, 59), (22, 54)]
    for x, y in curls:
        pen.oval(x, y, 13, 12, colour, 3)
    pen.oval(46, 40, 30, 20, colour)
    for x, y in ((30, 34), (46, 30), (60, 38), (38, 46), (54, 50)):
        pen.line([(x - 5, y), (x, y + 4), (x + 5, y)], dark(colour, 0.14), 1.8, smooth=True)
    pen.shape(ring(72, 30, 8, 4, -25), dark(face, 0.15))
    pen.shape([(72, 22), (84, 18), (94, 26), (96, 40), (88, 50), (78, 46), (72, 34)], face, smooth=True)
    for x, y in ((72, 20), (79, 15), (87, 18)):
        pen.oval(x, y, 7, 6, colour, 2)
    for x in (81, 90):
        pen.oval(x, 31, 3.4, 3.6, CREAM)
        pen.eye(x + 0.5, 31.5, 2.2)
    pen.line([(84, 43), (88, 45), (92, 43)], dark(face, 0.5), 1.5, smooth=True)
