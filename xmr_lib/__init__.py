"""XMR: cross-modal retrieval of images and captions."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .model import RetrievalModel
    from .runtime import Runtime

__version__ = "0.2.0"
__all__ = ["RetrievalModel", "Runtime"]


def __getattr__(name: str) -> Any:
    # Only when it is asked for: the command's help must not wait for torch.
    if name == "RetrievalModel":
        from .model import RetrievalModel

        return RetrievalModel
    if name == "Runtime":
        from .runtime import Runtime

        return Runtime
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
