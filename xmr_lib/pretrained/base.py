"""What pretrained weights are, wherever they come from; and those that come inside a package."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ..weights import Weights, packaged


@dataclass(frozen=True)
class Pretrained(ABC):
    """Weights that somebody publishes. A file of ``networks/`` or ``encoders/`` declares them, an encoder states them.

    What they were trained on, and their licence, is the encoder's own ``Provenance``.
    """

    name: str
    """As it is typed: ``xmr weights get NAME``."""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names that they can be asked for by: the publisher's own."""
        return ()

    @property
    @abstractmethod
    def origin(self) -> str:
        """Where they come from, in a word or two."""

    @abstractmethod
    def path(self) -> Path | None:
        """Return the file, or the folder, that they are read from; None where they are not here. Asks nobody else."""

    @abstractmethod
    def get(self) -> Path:
        """Download what is missing, with a progress bar, and return where they lie.

        Raises:
            XmrError: it is forbidden, or the download failed: cut, wrong, no room. A second call goes on.
        """

    def stated_bytes(self) -> int | None:
        """Return the size that the publisher states in what is installed here; None where it does not."""
        return None

    @abstractmethod
    def bytes_to_fetch(self) -> int:
        """Return how much ``get`` would download of weights that are not here; may ask the publisher.

        Raises:
            XmrError: downloads are forbidden, or the publisher was asked and there is no answer.
        """

    @property
    def size(self) -> int | None:
        """Bytes on this disk, else as stated; None where neither is known. Asks nobody else."""
        path = self.path()
        if path is None:
            return self.stated_bytes()
        files = [path] if path.is_file() else [file for file in path.iterdir() if file.is_file()]
        return sum(file.stat().st_size for file in files)


@dataclass(frozen=True)
class PackagedWeights(Pretrained):
    """Weights that an installed package ships; pip has fetched them."""

    package: str
    """Importable name."""
    pattern: str
    """Glob within the package's folder; matches one file."""

    @property
    def origin(self) -> str:
        return f"package {self.package.replace('_', '-')}"

    def path(self) -> Path | None:
        spec = find_spec(self.package)
        folders = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
        return next((file for folder in folders for file in sorted(folder.glob(self.pattern))), None)

    def bytes_to_fetch(self) -> int:
        self.find()
        return 0

    def get(self) -> Path:
        return self.find().path

    def find(self) -> Weights:
        """Return them.

        Raises:
            XmrError: the package is not installed; the message names it.
        """
        return packaged(self.name, self.package, self.pattern)
