"""The layouts that a dataset may come in: a reader is one file in this package, and registers itself here."""

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path

from ..errors import XmrError
from .captioned import CaptionedImages


class Layout(ABC):
    """What a reader tells of its layout."""

    looked_for: str
    """The files that it is recognised by, for the error message that lists what was looked for."""

    @abstractmethod
    def recognise(self, path: Path) -> bool:
        """Tell whether a folder, or a file, is of this layout; the path exists."""

    @abstractmethod
    def read(self, path: Path, name: str | None) -> CaptionedImages:
        """Read the dataset; ``name`` is its slug, None: what the data call themselves, else the folder's name."""


_LAYOUTS: dict[str, tuple[int, Layout]] = {}


def register_layout(name: str, order: int) -> Callable[[type[Layout]], type[Layout]]:
    """Return the decorator that makes a class known as a layout.

    Args:
        name: names the layout here; each only once.
        order: where a path fits several layouts, the lowest number reads it.

    Raises:
        XmrError: there is a layout of this name or of this order.
    """

    def register(layout: type[Layout]) -> type[Layout]:
        for other, (place, _) in _LAYOUTS.items():
            if name == other or order == place:
                raise XmrError(f"layout {name!r} (order {order}): there is {other!r} (order {place}); both are unique")
        _LAYOUTS[name] = order, layout()
        return layout

    return register


def registered_layouts() -> dict[str, Layout]:
    """Return all layouts by name, in the order in which they are tried."""
    _import_readers()
    return {name: layout for name, (_, layout) in sorted(_LAYOUTS.items(), key=lambda item: item[1][0])}


@cache
def _import_readers() -> None:
    """Import this package's files: those that are readers register themselves."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        import_module(f"{__package__}.{module.name}")
