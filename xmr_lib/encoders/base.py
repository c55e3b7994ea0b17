"""What an encoder is: one file, one class per pretrained or fixed way from photographs or captions to features.

A class registers itself under the name that slugs begin with::

    @ENCODERS.register("colours")
    class Colours(ImageEncoder):
        provenance = Provenance(())
        row_shape, side = (3,), 32

        def features(self, pixels):
            return pixels.mean((1, 2)).astype("float32")
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import numpy as np
from jaxtyping import Float, UInt8
from torch import nn

from ..data.captioned import CaptionedImages
from ..data.files import beside
from ..errors import XmrError
from ..features.extract import extract_images
from ..features.shares import extract_shared
from ..features.spec import FeatureSpec
from ..features.store import FeatureStore
from ..features.view import Squash, View
from ..pretrained import Pretrained
from ..provenance import Provenance
from ..ragged import Ragged
from ..runtime import CPU, Runtime
from ..weights import Weights


@dataclass(frozen=True)
class Site:
    """Where an encoder is opened on a dataset: what it may learn from, and where it keeps what it learned."""

    dataset: CaptionedImages
    cache: str | Path
    """Folder of the dataset's stores."""
    seed: int = 0
    profile: str = "full"
    """Name of the profile: what is learned in another one is another thing."""
    fasttext_epochs: int = 10
    detector_epochs: int = 2
    runtime: Runtime = CPU

    def __post_init__(self) -> None:
        object.__setattr__(self, "cache", Path(self.cache))

    def beside(self, name: str) -> Path:
        """Return the path of a file of this name beside the captions, whether there is one or not."""
        return beside(self.dataset.source or Path(), name)


def copy_of(networks: str | Path | None, name: str) -> Path | None:
    """Return the one file of a network that a saved model has a copy of; None where it has none."""
    files = sorted((Path(networks) / name).glob("*")) if networks else []
    return files[0] if len(files) == 1 else None


def weights_name(name: str) -> str:
    """Return the name of a network, which may be a path, as that of a folder."""
    return quote(name, safe="-_.")


def copy_of_folder(networks: str | Path | None, name: str) -> Path | None:
    """Return the folder of a network that a saved model has a copy of; None where it has none."""
    folder = Path(networks) / weights_name(name) if networks else None
    return folder if folder and folder.is_dir() else None


class Encoder(ABC):
    """One encoder, ready for use on one spec. Nothing large is loaded before it is needed."""

    modality: ClassVar[str]
    outputs: ClassVar[tuple[str, ...]] = ("",)
    """What can be taken of it, by name; the first is the default and has no name."""
    asks_for_source: ClassVar[bool] = False
    """Whether a slug must name weights of the user's: ``bert:FOLDER``."""
    known_sources: ClassVar[tuple[str, ...]] = ()
    """Of an encoder that asks for a source: the names that it vouches for."""
    provenance: ClassVar[Provenance] = Provenance(("unknown",))

    runtime: Runtime = CPU
    """Where its network computes; set by whoever opens it, before anything large is loaded."""

    def __init__(self, spec: FeatureSpec):
        self.spec = spec

    @classmethod
    def open(cls, spec: FeatureSpec, site: Site) -> "Encoder":
        """Make it ready on a dataset; what it learns there (words, a detector) is kept in ``site.cache``.

        Raises:
            XmrError: its weights or files can't be had.
        """
        return cls(spec)

    @classmethod
    def restore(cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None) -> "Encoder":
        """Make it ready from what ``save`` wrote; ``networks``: folder of copies of pretrained networks, or None.

        Raises:
            XmrError: something is missing or damaged.
        """
        return cls(spec)

    def save(self, folder: str | Path) -> None:  # noqa: B027 (most learn nothing)
        """Write what was learned on the dataset, if anything, into a folder that is there and empty."""

    def networks(self) -> tuple[Weights, ...]:
        """Return the pretrained networks or vectors that it stands on and that ``save`` leaves out."""
        return ()

    @classmethod
    def check_layers(cls, spec: FeatureSpec) -> None:
        """Refuse layers that can't be told apart here.

        Raises:
            XmrError: as said.
        """
        if spec.layers:
            raise XmrError(f"features {spec.slug!r}: {spec.encoder} has no layers to choose from")

    @classmethod
    @abstractmethod
    def yields(cls, spec: FeatureSpec) -> str:
        """``vector``, ``rows`` or ``map``; see ``FeatureSpec.yields``."""

    @classmethod
    def space(cls, spec: FeatureSpec) -> str:
        """Name of the space that its vectors share with those of the other modality; empty where they share none."""
        return ""

    @classmethod
    def provenance_of(cls, spec: FeatureSpec) -> Provenance:
        """What a spec's weights were trained on; an encoder with a source looks there."""
        return cls.provenance

    @classmethod
    def pretrained_of(cls, spec: FeatureSpec) -> tuple[Pretrained, ...]:
        """The published weights that a spec stands on, for ``xmr weights`` and ``xmr weights get``.

        Those that are made here, or come with the data, are none.
        """
        return ()


class ImageEncoder(Encoder):
    """Photographs → features."""

    modality = "image"
    row_shape: tuple[int, ...]
    """Shape of the features of one image, or of one of its rows."""
    side: int = 224
    """Pixels of a side of what the network sees."""
    dtype: str = "float32"
    """Of what is stored."""
    of_pictures: bool = True
    """Whether its features are made of photographs here; else they come as files."""
    ragged: bool = False
    """Whether an image has several rows, as many as it takes."""
    weights: Weights | None = None
    batch: tuple[int, int] = (8, 64)
    """Images that its network sees at once: on the processor, on another device."""

    @classmethod
    def yields(cls, spec: FeatureSpec) -> str:
        return "vector"

    @property
    def view(self) -> View:
        """How a picture becomes the pixels that ``features`` gets: squashed, where an encoder says nothing else."""
        return Squash(self.side)

    @property
    def settings(self) -> dict:
        """Everything beside the weights that the values depend on, as JSON keeps it: a store is told by it."""
        return {**self.view.settings, "dtype": self.dtype}

    @abstractmethod
    def features(self, pixels: UInt8[np.ndarray, "images side side 3"]) -> np.ndarray | Ragged:
        """Return the features of a batch as they are stored: (images, *row_shape), or ragged rows."""

    def inputs(self, stored: np.ndarray | Ragged) -> np.ndarray | Ragged:
        """Return what a model is fed of what is stored."""
        return stored

    def networks(self) -> tuple[Weights, ...]:
        return (self.weights,) if self.weights else ()

    def store_folder(self, site: Site) -> Path:
        """Return where its store of a dataset lies."""
        return site.cache / "features" / self.spec.folder

    def store(self, dataset: CaptionedImages, folder: str | Path, strict: bool = False) -> FeatureStore:
        """Extract the features of all images of a dataset, or open what is there; see ``extract_images``."""
        batch = self.batch[not self.runtime.on_cpu]
        return extract_images(dataset, self, folder, strict, batch, self.runtime.workers)

    def share(self, dataset: CaptionedImages, folder: str | Path, strict: bool = False) -> None:
        """Make a store that is not there yet together with the other processes; see ``extract_shared``."""
        processes, batch = self.runtime.processes, self.batch[not self.runtime.on_cpu]
        rank, count, workers = processes.rank, processes.count, self.runtime.workers
        extract_shared(dataset, self, folder, rank, count, processes.wait, strict, batch, workers)

    def tail(self) -> nn.Module | None:
        """Return a copy of the pretrained layers between what is stored and its vectors, or None."""
        return None


@dataclass(frozen=True)
class Captions:
    """Captions as a text encoder gets them: ``raw`` for those with a tokenizer of their own, else ``tokens``."""

    raw: Sequence[str]
    tokens: Sequence[Sequence[str]]

    def __len__(self) -> int:
        return len(self.raw)


class TextEncoder(Encoder):
    """Captions → rows, one vector per word or token; or, of one that yields vectors, one per caption."""

    modality = "text"

    @classmethod
    def yields(cls, spec: FeatureSpec) -> str:
        return "rows"

    @abstractmethod
    def rows(self, captions: Captions) -> Ragged | Float[np.ndarray, "captions dim"]:
        """Return the vectors of the words or tokens of each caption, shape (words, dim), or its one, as stored."""

    def tail(self, layers: int) -> nn.Module | None:
        """Return a copy of the last layers of the network, to be trained on, or None."""
        return None

    def store_folder(self, site: Site) -> Path:
        """Return where its store of a dataset lies, if it keeps one."""
        return site.cache / "features" / self.spec.folder
