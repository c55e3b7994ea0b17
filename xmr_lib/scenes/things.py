"""What a drawn thing is: a name, its natural box and how the pen draws it. The kinds are in ``things_*.py``."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from .pen import Colour, Number, Pen

Draw = Callable[[Pen, Colour, random.Random, bool], None]

COLOURS: dict[str, Colour] = {
    "red": (214, 56, 54),
    "orange": (240, 134, 44),
    "yellow": (248, 206, 66),
    "green": (76, 160, 86),
    "blue": (52, 112, 204),
    "purple": (132, 84, 178),
    "pink": (244, 142, 176),
    "brown": (142, 92, 58),
    "black": (54, 54, 64),
    "white": (246, 244, 238),
}


@dataclass(frozen=True)
class Thing:
    """A drawable kind. ``width`` and ``height`` are pixels of the 224 px picture at medium size."""

    name: str
    width: int
    height: int
    draw: Draw
    """``draw(pen, colour, look, aloft)``: faces right; ``look`` gives hair, patches …; ``aloft``: wings out."""
    casts: bool = True
    """Stands on feet, so a shadow lies below it."""


THINGS: dict[str, Thing] = {}


def thing(width: int, height: int, casts: bool = True) -> Callable[[Draw], Draw]:
    """Register a drawing function under its own name."""

    def register(draw: Draw) -> Draw:
        name = draw.__name__
        THINGS[name] = Thing(name, width, height, draw, casts)
        return draw

    return register


def sprite(name: str, colour: str, scale: Number, look: random.Random, aloft: bool = False) -> Image.Image:
    """Draw one thing alone on a transparent ground, facing right, ``scale`` pixels per unit."""
    kind = THINGS[name]
    image = Image.new("RGBA", (round(kind.width * scale), round(kind.height * scale)))
    kind.draw(Pen(image, scale), COLOURS[colour], look, aloft)
    return image
