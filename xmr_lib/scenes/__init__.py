"""The embedded dataset ``scenes``: pictures and captions that the library draws itself."""

from .write import write_scenes

__all__ = ["write_scenes"]
