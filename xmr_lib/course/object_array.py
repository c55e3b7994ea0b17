"""Object arrays of float arrays in ``.npy`` files: indexed without running what their pickle asks for."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from tqdm import tqdm

from ..errors import XmrError
from .lines import named, sized, told
from .safe_pickle import MOST_AXES, Interpreter, Literal, Parts, PickledArray, Refused, is_shape


@dataclass(frozen=True)
class ObjectArray:
    """An array whose cells are arrays of floats or None; ``cells`` are in C order."""

    shape: tuple[int, ...]
    cells: list[PickledArray | None]


def object_array_shape(path: str | Path) -> tuple[int, ...]:
    """Return the shape that the file's header gives, without reading further.

    Raises:
        XmrError: the file is missing, not ``.npy``, holds plain numbers, or declares more cells than it has bytes.
    """
    path = Path(path)
    with _opened(path) as file:
        return _header_shape(file)


def read_object_array(path: str | Path) -> ObjectArray:
    """Index a pickled object array of float arrays; ``read_cells`` then reads the values of some of them.

    Raises:
        XmrError: the file is missing, cut off or damaged, holds something else, or its pickle asks for anything but
            NumPy's arrays (nothing of what it asks for is imported or run), or for more of them than it declares.
    """
    path = Path(path)
    with _opened(path) as file, tqdm(total=path.stat().st_size, unit="B", unit_scale=True, desc=path.name) as bar:
        shape = _header_shape(file)
        array = Interpreter(file, math.prod(shape)).run(bar)
        if type(array) is not PickledArray or array.dtype is None or not array.dtype.hasobject:
            raise Refused("the pickle holds no array of objects")
        if array.shape != shape:
            raise Refused(f"its header has shape {sized(shape)}, its pickle {sized(array.shape)}")
        for index, cell in enumerate(array.data):
            if cell is not None and (type(cell) is not PickledArray or cell.dtype is None or cell.dtype.hasobject):
                place = tuple(int(i) for i in np.unravel_index(index, shape))
                raise Refused(f"cell {sized(place)} is not an array of floats but {_kind(cell)}")
        return ObjectArray(shape, array.data)


def read_cells(path: str | Path, cells: Sequence[PickledArray | None]) -> list[Float32[np.ndarray, "..."] | None]:
    """Return the values of some cells of the file that ``read_object_array`` has indexed.

    Raises:
        XmrError: the file is missing, or no longer the one that was indexed.
    """
    path = Path(path)
    with _opened(path) as file:
        return [None if cell is None else cell.read(file.file) for cell in cells]


@contextmanager
def _opened(path: Path) -> Iterator[Parts]:
    """Open a file and tell in one line what is wrong with it."""
    try:
        with path.open("rb") as file:
            yield Parts(file)
    except Refused as error:
        raise XmrError(f"{path}: refused: {error}") from None
    except OSError as error:
        raise XmrError(f"{path}: can't be read ({error.strerror or error})") from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, MemoryError, EOFError) as error:
        # All that a cut-off or damaged file, or one with absurd sizes in it, can make of the reading above.
        raise XmrError(f"{path}: not a whole .npy file of an object array ({told(error)}); copy it again") from None


def _header_shape(file: Parts) -> tuple[int, ...]:
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise Refused(f"version {version} of the .npy format; save it again with numpy.save")
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        shape, _, dtype = read(file)
    except Refused:
        raise
    except Exception as error:
        # NumPy's reader parses the header as Python, and damage shows itself in any of the parser's errors.
        raise ValueError(f"in its header: {told(error)}") from None
    if not is_shape(shape):
        raise Refused(f"its header has shape {sized(shape)}, and an array has {MOST_AXES} axes at most; save it again")
    if not dtype.hasobject:
        kind = named(str(dtype))
        raise Refused(f"it is a plain array of {kind}, shape {sized(shape)}; an array of objects is needed")
    if math.prod(shape) > file.size:
        raise Refused(f"its header has shape {sized(shape)}: more cells than the file has bytes; copy it again")
    return shape


def _kind(cell: object) -> str:
    if type(cell) is PickledArray:
        return "empty" if cell.dtype is None else "an array of objects"
    words = {Literal: "text or bytes", int: "a number", float: "a number", bool: "true or false", list: "a list"}
    return words.get(type(cell), "a part of an array")
