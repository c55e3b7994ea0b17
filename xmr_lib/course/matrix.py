"""What a MAT file says of one of its variables."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Matrix:
    """One variable of a MAT file."""

    shape: tuple[int, ...] = ()
    """As MATLAB sees it."""
    unfit: str = ""
    """In words what it is, where that is no matrix of floats in this very file."""
