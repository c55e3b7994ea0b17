"""What a MAT file says of its variables."""

from collections.abc import Iterable
from dataclasses import dataclass

MOST_VARIABLES = 10_000


@dataclass(frozen=True)
class Matrix:
    """One variable of a MAT file."""

    shape: tuple[int, ...] = ()
    """As MATLAB sees it."""
    unfit: str = ""
    """In words what it is, where that is no matrix of floats in this very file."""


def by_name(variables: Iterable[tuple[str, Matrix]]) -> dict[str, Matrix]:
    """Return the variables of a file by name; of two of one name nobody can say which is meant.

    Raises:
        ValueError: there are more variables than anybody saves in a file.
    """
    known: dict[str, Matrix] = {}
    for count, (name, matrix) in enumerate(variables):
        if count == MOST_VARIABLES:
            raise ValueError(f"it holds more than {MOST_VARIABLES} variables")
        known[name] = Matrix(unfit="there more than once; save the matrix alone") if name in known else matrix
    return known
