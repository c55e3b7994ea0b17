"""A small vector pen: smooth filled shapes with a shaded underside, in picture units, on an oversized canvas."""

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageChops, ImageDraw

Number = int | float
Point = tuple[Number, Number]
Colour = tuple[int, int, int]

INK: Colour = (48, 42, 48)
CREAM: Colour = (250, 247, 240)
CIRCLE = [(math.cos(k * math.pi / 20), math.sin(k * math.pi / 20)) for k in range(40)]


def mix(a: Colour, b: Colour, share: Number) -> Colour:
    """Blend two colours; ``share`` is that of ``b``, 0 to 1."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def dark(colour: Colour, share: Number = 0.22) -> Colour:
    """A deeper tone; towards a warm ink, since black would look dirty."""
    return mix(colour, (30, 18, 44), share)


def light(colour: Colour, share: Number = 0.35) -> Colour:
    """A paler tone."""
    return mix(colour, (255, 252, 244), share)


def brightness(colour: Colour) -> float:
    """Perceived brightness, 0 to 255 (the weights of Rec. 601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def curve(points: Sequence[Point], closed: bool = True, steps: int = 8) -> list[Point]:
    """Catmull-Rom spline through the points."""
    p = np.asarray(points, dtype=np.float64)
    p = np.vstack([p[-1], p, p[:2]]) if closed else np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    a, b, c, d = (p[k : len(p) - 3 + k, None] for k in range(4))
    out = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    dots: list[Point] = [(x, y) for x, y in out.reshape(-1, 2).tolist()]
    return dots if closed else [*dots, points[-1]]


def ring(x: Number, y: Number, rx: Number, ry: Number, turn: Number = 0) -> list[Point]:
    """Outline of an ellipse around (x, y), turned clockwise by ``turn`` degrees."""
    if not turn:
        return [(x + rx * u, y + ry * v) for u, v in CIRCLE]
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return [(x + rx * u * cos - ry * v * sin, y + rx * u * sin + ry * v * cos) for u, v in CIRCLE]


def rounded(x0: Number, y0: Number, x1: Number, y1: Number, radius: Number) -> list[Point]:
    """Outline of a rectangle with round corners."""
    r = min(radius, (x1 - x0) / 2, (y1 - y0) / 2)
    corners = ((x1 - r, y1 - r, 0), (x0 + r, y1 - r, 90), (x0 + r, y0 + r, 180), (x1 - r, y0 + r, 270))
    turns = [(x, y, math.radians(start + a)) for x, y, start in corners for a in (0, 22.5, 45, 67.5, 90)]
    return [(x + r * math.cos(a), y + r * math.sin(a)) for x, y, a in turns]


class Pen:
    """Draws in units of final pixels on an image that is ``scale`` times as large; fills cover what was there."""

    def __init__(self, image: Image.Image, scale: Number) -> None:
        self.image, self.scale = image, scale
        self.draw = ImageDraw.Draw(image)

    def _dots(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.scale, y * self.scale) for x, y in points]

    def _stencil(self, outline: Sequence[Point]) -> tuple[Image.Image, tuple[int, int]]:
        """An empty mask as large as the outline (masks of the whole canvas would cost most of the time)."""
        xs, ys = zip(*outline, strict=True)
        left, top = math.floor(min(xs) * self.scale), math.floor(min(ys) * self.scale)
        size = math.ceil(max(xs) * self.scale) + 1 - left, math.ceil(max(ys) * self.scale) + 1 - top
        return Image.new("L", size), (left, top)

    def _cut(self, mask: Image.Image, corner: tuple[int, int], points: Sequence[Point], value: int) -> None:
        dots = [(x * self.scale - corner[0], y * self.scale - corner[1]) for x, y in points]
        ImageDraw.Draw(mask).polygon(dots, fill=value)

    def _pour(self, fill: Colour, mask: Image.Image, corner: tuple[int, int]) -> None:
        self.image.paste(fill, (*corner, corner[0] + mask.width, corner[1] + mask.height), mask)

    def shape(self, points: Sequence[Point], fill: Colour, smooth: bool = False, under: Number = 0) -> None:
        """Fill an outline; ``under`` is the depth of the darker rim at its underside."""
        outline = curve(points) if smooth else points
        self.draw.polygon(self._dots(outline), fill=fill)
        if under:
            # The shape minus itself moved up is just the underside.
            mask, corner = self._stencil(outline)
            self._cut(mask, corner, outline, 255)
            self._cut(mask, corner, [(x, y - under) for x, y in outline], 0)
            self._pour(dark(fill, 0.16), mask, corner)

    def oval(self, x: Number, y: Number, rx: Number, ry: Number, fill: Colour, under: Number = 0) -> None:
        """Fill an ellipse around (x, y)."""
        self.shape(ring(x, y, rx, ry), fill, under=under)

    def box(
        self, x0: Number, y0: Number, x1: Number, y1: Number, fill: Colour, radius: Number = 0, under: Number = 0
    ) -> None:
        """Fill a rectangle, its corners round if ``radius`` > 0."""
        corners: list[Point] = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
        self.shape(rounded(x0, y0, x1, y1, radius) if radius else corners, fill, under=under)

    def line(self, points: Sequence[Point], fill: Colour, width: Number, smooth: bool = False) -> None:
        """A stroke with round ends."""
        dots = self._dots(curve(points, closed=False) if smooth else points)
        self.draw.line(dots, fill=fill, width=max(1, round(width * self.scale)), joint="curve")
        r = width * self.scale / 2
        for x, y in (dots[0], dots[-1]):
            self.draw.ellipse([x - r, y - r, x + r, y + r], fill=fill)

    def inside(self, outline: Sequence[Point], shapes: Sequence[Sequence[Point]], fill: Colour) -> None:
        """Fill shapes, but only where they lie inside the outline: stripes, patches, panels."""
        whole, corner = self._stencil(outline)
        self._cut(whole, corner, outline, 255)
        parts = Image.new("L", whole.size)
        for points in shapes:
            self._cut(parts, corner, points, 255)
        self._pour(fill, ImageChops.multiply(whole, parts), corner)

    def eye(self, x: Number, y: Number, r: Number, iris: Colour = INK) -> None:
        """A round eye with a glint."""
        self.oval(x, y, r, r, iris)
        if iris != INK:
            self.oval(x, y, r * 0.42, r * 0.85, INK)
        self.oval(x + r * 0.35, y - r * 0.4, r * 0.34, r * 0.34, CREAM)
