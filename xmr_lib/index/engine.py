"""What an engine is: vectors by number, and the nearest of them by inner product."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int

from ..registry import Registry

Ids = Int[np.ndarray, " items"]
Nearest = tuple[Int[np.ndarray, "queries top"], Float[np.ndarray, "queries top"]]
"""Numbers of the nearest items, best first, and their inner products; -1 and -inf where there are fewer."""


class Engine(ABC):
    """Vectors under numbers that the caller gives. One class a file; it registers itself in ``ENGINES``.

    What was added is found at once, and is safe after ``save``. After a kill, an engine has what the last
    ``save`` left, or more: whoever fills it compares ``ids`` with what should be there.

    Args:
        folder: where it keeps its files; made when it is needed, opened if there is something.
        dim: length of a vector.
        uri: address of a server, of an engine that has one.

    Raises:
        XmrError: its package is not installed, its files are damaged or of another length of vector, or its server
            does not answer.
    """

    exact: ClassVar[bool] = False
    """Whether it finds the very nearest."""

    @abstractmethod
    def __init__(self, folder: str | Path, dim: int, uri: str = ""): ...

    @abstractmethod
    def __len__(self) -> int:
        """Return how many vectors it has."""

    @abstractmethod
    def ids(self) -> Ids:
        """Return the numbers of all its vectors, ascending."""

    @abstractmethod
    def add(self, ids: Ids, vectors: Float[np.ndarray, "items dim"]) -> None:
        """Add vectors under numbers that are not there yet."""

    @abstractmethod
    def remove(self, ids: Ids) -> None:
        """Take vectors out; numbers that are not there are none of its business."""

    @abstractmethod
    def search(self, queries: Float[np.ndarray, "queries dim"], top: int) -> Nearest:
        """Return the ``top`` items with the highest inner products with each query."""

    @abstractmethod
    def save(self) -> None:
        """Make all that was added or removed safe against a kill.

        Raises:
            XmrError: the disk is full or can't be written to.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections; what was not saved may be lost."""


ENGINES: Registry[type[Engine]] = Registry("engine")
