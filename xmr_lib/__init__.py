"""XMR: cross-modal retrieval of images and captions."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import RetrievalModel

__version__ = "0.2.0"
__all__ = ["RetrievalModel"]


def __getattr__(name: str) -> Any:
    # Only when it is asked for: the command's help must not wait for torch.
    if name == "RetrievalModel":
        from .model import RetrievalModel

        return RetrievalModel
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
