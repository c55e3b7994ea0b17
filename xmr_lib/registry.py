"""Names → classes: what registers itself, here or in a plugin, can be named in a config."""

import inspect
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

from .errors import XmrError, listed

T = TypeVar("T")
PLUGINS = "xmr.plugins"
"""Entry point group: each entry names a module that registers something when it is imported."""


class Registry(Generic[T]):
    """Things of one kind by name, in the order of their registration.

    Args:
        kind: what they are, for messages: ``loss``.
    """

    def __init__(self, kind: str):
        self.kind = kind
        self._known: dict[str, T] = {}

    def register(self, *names: str) -> Callable[[T], T]:
        """Return a decorator that registers a class or function under these names.

        Raises:
            XmrError: a name that something else has already.
        """

        def decorate(thing: T) -> T:
            for name in names:
                other = self._known.get(name)
                # A module that is imported anew (a notebook's reload) registers its own things again.
                if other is not None and _home(other) != _home(thing):
                    raise XmrError(f"{self.kind} {name!r} is registered by {_home(other)} already, not {_home(thing)}")
                self._known[name] = thing
            return thing

        return decorate

    def __getitem__(self, name: str) -> T:
        """Return what a name stands for.

        Raises:
            XmrError: nothing is registered under it; the message lists what is, and says how plugins come in.
        """
        if name not in self._known:
            load_plugins()
        if name not in self._known:
            raise XmrError(
                f"{self.kind} {name!r} is unknown; {listed(name, self._known)} (what a plugin brings is there "
                f"once its module was imported, or is an entry point of {PLUGINS})"
            )
        return self._known[name]

    def __contains__(self, name: str) -> bool:
        if name not in self._known:
            load_plugins()
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def items(self) -> Iterator[tuple[str, T]]:
        return iter(self._known.items())


_loaded: set[str] = set()


def load_plugins() -> None:
    """Import the modules that installed packages name as plugins, once."""
    for entry in entry_points(group=PLUGINS):
        if entry.value not in _loaded:
            _loaded.add(entry.value)
            entry.load()


def _home(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def settings_of(thing: Callable) -> dict[str, tuple[Any, Any]]:
    """Return the arguments of a class, each with annotation and default, as ``pydantic.create_model`` asks."""
    parameters = inspect.signature(thing).parameters.values()
    return {p.name: (p.annotation, ... if p.default is p.empty else p.default) for p in parameters}
