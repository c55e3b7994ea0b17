"""Skies by time of day, and the light that they throw on everything else."""

import random
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from .pen import CREAM, Colour, Number, Pen, Point, mix, ring

SIDE = 224
SKIES: dict[tuple[str, str], tuple[Colour, Colour, Colour]] = {
    ("day", "clear"): ((84, 170, 232), (146, 208, 242), (216, 240, 248)),
    ("day", "cloudy"): ((140, 162, 184), (178, 194, 208), (218, 226, 230)),
    ("sunset", "clear"): ((104, 84, 156), (232, 122, 112), (254, 206, 128)),
    ("sunset", "cloudy"): ((122, 98, 138), (204, 128, 124), (240, 186, 140)),
    ("night", "clear"): ((16, 22, 58), (34, 46, 96), (70, 84, 138)),
    ("night", "cloudy"): ((28, 32, 56), (48, 54, 82), (82, 90, 116)),
}
"""Colours at the top, in the middle and at the horizon."""
LIGHT: dict[str, tuple[tuple[float, float, float], Colour, float]] = {
    "day": ((1.0, 1.0, 1.0), (255, 255, 255), 0.0),
    "sunset": ((1.0, 0.88, 0.82), (226, 110, 90), 0.08),
    "night": ((0.5, 0.54, 0.68), (30, 40, 112), 0.34),
}
"""What is left of red, green and blue on the ground; the colour of the air and its share."""


def lit(colour: Colour, time: str) -> Colour:
    """A colour of the ground in the light of the time of day."""
    shares, air, depth = LIGHT[time]
    red, green, blue = (round(c * share) for c, share in zip(colour, shares, strict=True))
    return mix((red, green, blue), air, depth)


def gradient(stops: tuple[Colour, ...], size: tuple[int, int]) -> Image.Image:
    """A vertical gradient through the colours."""
    rows = np.linspace(0, len(stops) - 1, size[1])
    column = np.stack([np.interp(rows, range(len(stops)), channel) for channel in zip(*stops, strict=True)], axis=1)
    return Image.fromarray(column.round().astype(np.uint8)[:, None]).resize(size, Image.Resampling.NEAREST)


@cache
def glow_mask(strength: int) -> Image.Image:
    """A soft disc, ``strength`` of 255 in the middle; made once, since every shadow and light uses it."""
    return Image.radial_gradient("L").point(lambda v: round(max(0.0, 1 - v / 180) ** 1.6 * strength))


def glow(pen: Pen, x: Number, y: Number, rx: Number, ry: Number, colour: Colour, strength: int) -> None:
    """Lay a soft oval light, or with a dark colour a soft shadow, over what is there."""
    size = max(1, round(2 * rx * pen.scale)), max(1, round(2 * ry * pen.scale))
    mask = glow_mask(strength).resize(size, Image.Resampling.BILINEAR)
    corner = round((x - rx) * pen.scale), round((y - ry) * pen.scale)
    pen.image.paste(colour, (corner[0], corner[1], corner[0] + size[0], corner[1] + size[1]), mask)


def land(pen: Pen, outline: list[Point], top: Colour, bottom: Colour) -> None:
    """Fill an outline with a vertical gradient."""
    low, high = min(y for _, y in outline), max(y for _, y in outline)
    first, last = max(0, round(low * pen.scale)), min(pen.image.height, round(high * pen.scale))
    size = pen.image.width, max(1, last - first)
    mask = Image.new("L", size)
    ImageDraw.Draw(mask).polygon([(x * pen.scale, y * pen.scale - first) for x, y in outline], fill=255)
    pen.image.paste(gradient((top, bottom), size), (0, first), mask)


def hills(rng: random.Random, y: Number, rise: Number, steps: int) -> list[Point]:
    """A rolling line from left to right around height ``y``, closed along the lower edge of the picture."""
    phase, second = rng.uniform(0, 6.28), rng.uniform(0, 6.28)
    x = np.linspace(-2, SIDE + 2, 40)
    line = y - rise * (0.5 * np.sin(x / SIDE * steps + phase) + 0.3 * np.sin(x / SIDE * steps * 2.3 + second))
    return [*((a, b) for a, b in zip(x.tolist(), line.tolist(), strict=True)), (SIDE + 2, SIDE), (-2, SIDE)]


def cloud(pen: Pen, x: Number, y: Number, size: Number, tone: Colour, under: Colour) -> None:
    """A flat-bottomed heap of round puffs."""
    puffs = ((-20, 0, 10), (-9, -6, 13), (6, -9, 15), (19, -2, 11), (30, 2, 7), (-29, 3, 6))
    for dx, dy, r in puffs:
        pen.oval(x + dx * size, y + (dy + 2.5) * size, r * size, r * size * 0.72, under)
    for dx, dy, r in puffs:
        pen.oval(x + dx * size, y + dy * size, r * size, r * size * 0.68, tone)


def draw_sky(pen: Pen, rng: random.Random, time: str, sky: str, horizon: int) -> None:
    """Fill the picture above the horizon: gradient, sun or moon, stars, clouds."""
    stops = SKIES[time, sky]
    height = round((horizon + 40) * pen.scale)
    pen.image.paste(gradient(stops, (pen.image.width, height)), (0, 0))
    x, y = rng.choice((rng.uniform(22, 60), rng.uniform(164, 202))), rng.uniform(20, 40)
    if time == "night":
        for _ in range(46 if sky == "clear" else 9):
            r = rng.choice((0.5, 0.7, 0.7, 1.1))
            pen.oval(rng.uniform(2, 222), rng.uniform(2, horizon * 0.86), r, r, (236, 238, 255))
        if sky == "clear":
            glow(pen, x, y, 46, 46, (180, 194, 240), 120)
            pen.oval(x, y, 12, 12, (250, 244, 214))
            # A bite of sky makes the disc a crescent.
            pen.oval(x + 5.5, y - 3, 10, 10, mix(stops[0], stops[1], 0.5))
    elif time == "sunset":
        y = horizon - rng.uniform(2, 14)
        glow(pen, x, y, 90, 60, (255, 232, 160), 190 if sky == "clear" else 90)
        if sky == "clear":
            pen.oval(x, y, 17, 17, (255, 226, 128))
    elif sky == "clear":
        glow(pen, x, y, 54, 54, (255, 250, 214), 200)
        pen.oval(x, y, 13, 13, (255, 222, 92))
    tone, under = mix(stops[2], CREAM, 0.8), mix(stops[1], stops[2], 0.6)
    if time == "night":
        tone, under = mix(stops[2], CREAM, 0.16), stops[1]
    elif time == "sunset":
        tone, under = mix(stops[2], (255, 214, 196), 0.7), mix(stops[0], stops[1], 0.6)
    if sky == "cloudy":
        for k in range(5):
            place = (k + 0.5) * 45 + rng.uniform(-16, 16)
            cloud(pen, place, rng.uniform(12, horizon * 0.55), rng.uniform(0.65, 1.05), tone, under)
    elif rng.random() < 0.5:
        cloud(pen, rng.uniform(30, 194), rng.uniform(24, horizon * 0.5), rng.uniform(0.35, 0.5), tone, under)


def pine(pen: Pen, x: Number, y: Number, size: Number, colour: Colour, snow: Colour | None = None) -> None:
    """A small fir, its foot at (x, y)."""
    pen.box(x - size * 0.06, y - size * 0.16, x + size * 0.06, y, mix(colour, (84, 60, 50), 0.6))
    for k in range(3):
        top, half = y - size * (1 - 0.26 * k), size * (0.18 + 0.07 * k)
        pen.shape([(x, top), (x + half, top + size * 0.36), (x - half, top + size * 0.36)], colour)
        if snow:
            pen.shape([(x, top), (x + half * 0.5, top + size * 0.18), (x - half * 0.5, top + size * 0.18)], snow)


def tuft(pen: Pen, x: Number, y: Number, colour: Colour) -> None:
    """Three blades of grass."""
    for dx in (-2.5, 0, 2.5):
        pen.line([(x, y), (x + dx, y - 4.5 + abs(dx) * 0.4)], colour, 1)


def petals(pen: Pen, x: Number, y: Number, colour: Colour, time: str) -> None:
    """A tiny meadow flower."""
    for dx, dy in ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)):
        pen.shape(ring(x + dx, y + dy, 1.1, 1.1), lit(colour, time))
    pen.oval(x, y, 0.8, 0.8, lit((250, 210, 80), time))
