"""How a network sees a picture: squashed to a square, or the middle of it, as the network was trained."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8
from PIL import Image

BILINEAR = Image.Resampling.BILINEAR


@dataclass(frozen=True)
class Squash:
    """The whole picture, squashed to side × side."""

    side: int
    resample: Image.Resampling = BILINEAR

    def __call__(self, picture: Image.Image) -> UInt8[np.ndarray, "side side 3"]:
        return np.asarray(picture.resize((self.side, self.side), self.resample))

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
        short, long = sorted(picture.size)
        longer = int(self.shorter * long / short)
        wide = picture.width > picture.height
        width, height = (longer, self.shorter) if wide else (self.shorter, longer)
        picture = picture.resize((width, height), self.resample)
        left, top = self._start(width), self._start(height)
        return np.asarray(picture.crop((left, top, left + self.side, top + self.side)))

    def _start(self, length: int) -> int:
        return round((length - self.side) / 2) if self.rounded else (length - self.side) // 2

    @property
    def settings(self) -> dict:
        """What a store is told by."""
        crop = {"shorter": self.shorter, "resample": self.resample.name.lower(), "rounded": self.rounded}
        return {"side": self.side, "crop": crop}


View = Squash | CentreCrop
"""From a picture, upright and RGB, to its pixels."""
