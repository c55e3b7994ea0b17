"""A scene becomes a picture: background, then every thing with its shadow, then the boxes of what can be seen."""

import random

from PIL import Image, ImageChops, ImageFilter, ImageOps

from . import (  # noqa: F401  (the kinds register themselves)
    backgrounds_country,
    backgrounds_places,
    things_animals,
    things_objects,
    things_outdoors,
    things_people,
    things_vehicles,
)
from .layout import SIDE, Placement, Stage
from .pen import Colour, Pen
from .sky import draw_sky, glow, lit
from .things import THINGS, sprite
from .world import Scene

OVERSAMPLING = 3
TINTS: dict[str, Colour] = {"day": (255, 255, 255), "sunset": (255, 240, 228), "night": (206, 212, 240)}
"""What the light leaves of the things' colours: far less of a change than on the ground, so that names still fit."""
COUNTRY = {
    "park": backgrounds_country.park,
    "forest": backgrounds_country.forest,
    "farm": backgrounds_country.farm,
    "mountains": backgrounds_country.mountains,
    "desert": backgrounds_country.desert,
    "snow": backgrounds_country.snow,
    "beach": backgrounds_places.beach,
    "sea": backgrounds_places.sea,
    "street": backgrounds_places.street,
}
Box = tuple[float, float, float, float]
Area = tuple[int, int, int, int]
FAINT = [round(v * 0.34) for v in range(256)]


def draw_background(scene: Scene, horizon: int, rng: random.Random) -> Pen:
    """Draw all that lies behind the things, on the oversized canvas."""
    pen = Pen(Image.new("RGB", (SIDE * OVERSAMPLING, SIDE * OVERSAMPLING)), OVERSAMPLING)
    if scene.background == "living room":
        backgrounds_places.living_room(pen, rng, scene.time, scene.sky, horizon)
    else:
        draw_sky(pen, rng, scene.time, scene.sky, horizon)
        COUNTRY[scene.background](pen, rng, scene.time, horizon)
    return pen


def stand(pen: Pen, placed: Placement, scene: Scene, rng: random.Random) -> tuple[Image.Image, Area]:
    """Set one thing into the picture; return its mask and the mask's place on the oversized canvas."""
    group, kind = placed.group, THINGS[placed.group.kind]
    aloft = group.band == "sky"
    layer = sprite(group.kind, group.colour, placed.scale * OVERSAMPLING, rng, aloft)
    if placed.flip:
        layer = ImageOps.mirror(layer)
    mask = layer.getchannel("A")
    width, height = kind.width * placed.scale, kind.height * placed.scale
    left, top = round((placed.x - width / 2) * OVERSAMPLING), round((placed.y - height) * OVERSAMPLING)
    area = left, top, left + mask.width, top + mask.height
    if group.band == "ground":
        reach = 0.5 if kind.casts else 0.44
        glow(pen, placed.x, placed.y - 1, width * reach * 1.25, 5 + width * 0.07, (24, 20, 44), 150)
    elif group.band == "surface":
        glow(pen, placed.x, placed.y, width * 0.62, 6, (12, 52, 96), 150)
    # A faint dark halo parts a thing from a background of its own colour: white on snow, green on grass.
    halo = mask.reduce(OVERSAMPLING).filter(ImageFilter.BoxBlur(1.5)).point(FAINT)
    lower = left, top + OVERSAMPLING, area[2], area[3] + OVERSAMPLING
    pen.image.paste((30, 22, 50), lower, halo.resize(mask.size, Image.Resampling.BILINEAR))
    colours = layer.convert("RGB")
    if scene.time != "day":
        colours = ImageChops.multiply(colours, Image.new("RGB", layer.size, TINTS[scene.time]))
    pen.image.paste(colours, area, mask)
    if group.band == "surface":
        # Foam along the waterline, so that it floats and does not hover.
        for dx in range(-3, 4):
            x, y = placed.x + dx * width / 7.5, placed.y - 1 + abs(dx) % 2
            pen.oval(x, y, width / 11, 2.6, lit((206, 236, 244), scene.time))
    return mask, area


def draw_scene(scene: Scene, stage: Stage, rng: random.Random) -> tuple[Image.Image, list[tuple[str, Box]]]:
    """Draw a laid-out scene.

    Returns:
        the picture, 224×224 RGB, and for every thing its kind and the box (x, y, width, height; pixels) of what
        of it can be seen.
    """
    pen = draw_background(scene, stage.horizon, rng)
    owner, areas = Image.new("L", pen.image.size), []
    for number, placed in enumerate(stage.placements, start=1):
        mask, area = stand(pen, placed, scene, rng)
        owner.paste(number, area, mask)
        areas.append(area)
    boxes = []
    for number, (placed, area) in enumerate(zip(stage.placements, areas, strict=True), start=1):
        seen = owner.crop(area).point([255 * (v == number) for v in range(256)]).getbbox()
        if seen is not None:
            edges = (seen[0] + area[0], seen[1] + area[1], seen[2] + area[0], seen[3] + area[1])
            x0, y0, x1, y1 = (edge / OVERSAMPLING for edge in edges)
            boxes.append((placed.group.kind, (round(x0, 2), round(y0, 2), round(x1 - x0, 2), round(y1 - y0, 2))))
    # At a whole factor the plain mean is as smooth as Lanczos and takes a quarter of its time.
    return pen.image.reduce(OVERSAMPLING), boxes
