"""How a network sees a picture: squashed to a square, the middle of it, or in its own shape."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image

BILINEAR = Image.Resampling.BILINEAR
Frame = tuple[float, float, float, float]
"""Left, top, right, bottom, as shares of a picture."""
ALL: Frame = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Squash:
    """The whole picture, squashed to side × side."""

    side: int
    resample: Image.Resampling = BILINEAR

    def __call__(self, picture: Image.Image) -> UInt8[np.ndarray, "side side 3"]:
        return np.asarray(picture.resize((self.side, self.side), self.resample))

    def frame(self, size: tuple[int, int]) -> Frame:
        """Return the part of a picture of this size (width, height) that is seen."""
        return ALL

    @property
    def settings(self) -> dict:
        """What a store is told by. Of the bilinear one the side alone: stores of older versions say no more."""
        return {"side": self.side, **({} if self.resample == BILINEAR else {"resample": self.resample.name.lower()})}


@dataclass(frozen=True)
class CentreCrop:
    """The middle of the picture, once its shorter side has ``shorter`` pixels."""

    shorter: int
    side: int
    resample: Image.Resampling = BILINEAR
    rounded: bool = False
    """Where a crop can't lie in the very middle: torchvision rounds to the even pixel, Hugging Face takes the lower."""

    def __call__(self, picture: Image.Image) -> UInt8[np.ndarray, "side side 3"]:
        width, height = self._resized(picture.size)
        picture = picture.resize((width, height), self.resample)
        left, top = self._start(width), self._start(height)
        return np.asarray(picture.crop((left, top, left + self.side, top + self.side)))

    def frame(self, size: tuple[int, int]) -> Frame:
        """Return the part of a picture of this size (width, height) that is seen."""
        width, height = self._resized(size)
        left, top = self._start(width), self._start(height)
        return left / width, top / height, (left + self.side) / width, (top + self.side) / height

    def _resized(self, size: tuple[int, int]) -> tuple[int, int]:
        short, long = sorted(size)
        longer = int(self.shorter * long / short)
        return (longer, self.shorter) if size[0] > size[1] else (self.shorter, longer)

    def _start(self, length: int) -> int:
        return round((length - self.side) / 2) if self.rounded else (length - self.side) // 2

    @property
    def settings(self) -> dict:
        """What a store is told by."""
        crop = {"shorter": self.shorter, "resample": self.resample.name.lower(), "rounded": self.rounded}
        return {"side": self.side, "crop": crop}


@dataclass(frozen=True)
class Whole:
    """The whole picture in its own shape, as detectors see it: the shorter side has ``shorter`` pixels, unless the
    longer one would then have more than ``longest``."""

    shorter: int
    longest: int

    def __call__(self, picture: Image.Image) -> UInt8[np.ndarray, "height width 3"]:
        short, long = sorted(picture.size)
        scale = min(self.shorter / short, self.longest / long)
        width, height = (min(max(round(side * scale), 1), self.longest) for side in picture.size)
        return np.asarray(picture.resize((width, height), BILINEAR))

    def frame(self, size: tuple[int, int]) -> Frame:
        """Return the part of a picture of this size (width, height) that is seen."""
        return ALL

    @property
    def settings(self) -> dict:
        """What a store is told by."""
        return {"shorter": self.shorter, "longest": self.longest}


View = Squash | CentreCrop | Whole
"""From a picture, upright and RGB, to its pixels."""
Pixels = UInt8[np.ndarray, "images height width 3"] | list[UInt8[np.ndarray, "_ _ 3"]]
"""Of several pictures; in a list where a view leaves them of different sizes."""


def together(pictures: Sequence[UInt8[np.ndarray, "_ _ 3"]]) -> Pixels:
    """Return the pixels of pictures as one array, if they are all of one size."""
    return np.stack(pictures) if len({own.shape for own in pictures}) == 1 else list(pictures)
