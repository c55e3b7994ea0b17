"""A pickle of NumPy arrays, read without letting it run code.

``pickle`` imports and calls whatever a file names. Here nothing that a file names is ever imported or called: a small
interpreter of the opcodes that NumPy's arrays need (protocols 2 to 5) builds plain records of its own, and refuses all
else. It keeps only where each array's bytes lie in the file, so that gigabytes are indexed in megabytes of memory.
"""

import io
import math
import pickletools
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from jaxtyping import Float32
from tqdm import tqdm

from .lines import named, sized

# What NumPy's arrays ask for, under the names of all its versions; the values are names of our own, never called.
ALLOWED = {
    "numpy.ndarray": "ndarray",
    "numpy.dtype": "dtype",
    "numpy.core.multiarray._reconstruct": "reconstruct",
    "numpy._core.multiarray._reconstruct": "reconstruct",
    "numpy.core.numeric._frombuffer": "frombuffer",
    "numpy._core.numeric._frombuffer": "frombuffer",
    "_codecs.encode": "encode",
    "builtins.bytes": "bytes",
    "__builtin__.bytes": "bytes",
}
# Opcodes with text or bytes behind them → number of bytes that hold the length.
LITERALS = {"SHORT_BINSTRING": 1, "BINSTRING": 4, "SHORT_BINBYTES": 1, "BINBYTES": 4, "BINBYTES8": 8, "BYTEARRAY8": 8}
TEXTS = {"SHORT_BINUNICODE": 1, "BINUNICODE": 4, "BINUNICODE8": 8}
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
NUMBERS = ("BININT1", "BININT2", "BININT", "LONG1", "BINFLOAT")
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
DTYPES = ("f2", "f4", "f8", "O8", "O")
LONGEST_NAME = 100
STEPS_A_CELL, MORE_STEPS = 64, 1000
"""Opcodes for an array, and for what is around them all: NumPy needs 11 to 29, and 49 with a dtype of its own."""
BYTES_A_STEP, FREE_STEPS = 32, 100_000
"""A large file consists of values: without this bound a file of nothing but opcodes takes fifty times its size."""
LARGEST_PART = 16 << 20
"""Bytes that are read at once: a cell of 14,000 words."""
MOST_AXES, LARGEST_AXIS = 64, 1 << 48
SAVE_AGAIN = "copy the file again, or save it again with numpy.save"


class Refused(Exception):
    """What the file holds is not what NumPy's arrays of floats need."""


@dataclass(frozen=True, slots=True)
class Name:
    """One of the values of ``ALLOWED``."""

    name: str


@dataclass(frozen=True, slots=True)
class Literal:
    """Text or bytes in the file: where they lie."""

    start: int
    stop: int
    size: int
    """Bytes that it stands for: protocol 2 writes bytes as Latin-1 text, of which some take two bytes in the file."""
    kind: str
    """``bytes``; ``text``, ``text beyond Latin-1``; or ``encoded``: text that the pickle makes bytes of."""
    text: str | None
    """The text itself, if it is short enough to be a name."""


@dataclass(slots=True)
class DType:
    name: str
    order: str = "="


@dataclass(slots=True)
class PickledArray:
    """One array in the file: what it is, and where its values lie."""

    shape: tuple[int, ...] | None = None
    dtype: np.dtype | None = None
    fortran: bool = False
    data: Literal | list | None = None
    """For an array of objects: the objects, in C order whatever ``fortran`` says."""

    def fill(self, shape: object, dtype: object, fortran: object, data: object) -> None:
        if type(shape) is not tuple or not is_shape(shape):
            raise Refused(f"an array has a shape that none can have; {SAVE_AGAIN}")
        if type(dtype) is not DType or type(fortran) is not bool:
            raise Refused("an array has no dtype or no order")
        self.shape, self.fortran, self.data = shape, fortran, data
        self.dtype = np.dtype(dtype.name).newbyteorder(dtype.order)
        due = math.prod(shape) * (1 if self.dtype.hasobject else self.dtype.itemsize)
        if type(data) is Literal and data.kind not in ("bytes", "encoded"):
            raise Refused(f"an array's values are text, not bytes, at byte {data.start}; {SAVE_AGAIN}")
        if type(data) is not (list if self.dtype.hasobject else Literal):
            raise Refused("the values of an array are of the wrong kind")
        have = len(data) if type(data) is list else data.size
        if have != due:
            raise Refused(f"an array of shape {sized(shape)} needs {due} bytes or objects and has {have}")

    def read(self, file: BinaryIO) -> Float32[np.ndarray, "..."]:
        """Return the values, float32 (float64 loses its last digits), from the open file.

        Raises:
            EOFError, ValueError: the file is no longer the one that was indexed.
        """
        file.seek(self.data.start)
        raw = file.read(self.data.stop - self.data.start)
        if len(raw) < self.data.stop - self.data.start:
            raise EOFError("it has become shorter")
        raw = raw.decode("utf-8").encode("latin1") if self.data.kind == "encoded" else raw
        values = np.frombuffer(raw, self.dtype).reshape(self.shape, order="F" if self.fortran else "C")
        # A double beyond what float32 holds becomes infinite, which its reader refuses.
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(values, dtype=np.float32).reshape(self.shape)


class Parts:
    """A file that gives its bytes in parts which a feature file can need: ``pickletools`` reads what it is told to."""

    def __init__(self, file: BinaryIO) -> None:
        place = file.tell()
        self.file, self.size = file, file.seek(0, io.SEEK_END)
        self.tell = file.tell
        file.seek(place)

    def read(self, size: int) -> bytes:
        if size > LARGEST_PART:
            if size > self.size - self.tell():
                raise EOFError("it is cut off")
            raise Refused(f"a part of it has {size} bytes, more than an array of a caption's words has; copy it again")
        return self.file.read(size)

    def readline(self) -> bytes:
        # For the names that end at a line break.
        return self.file.readline(10 * LONGEST_NAME)


class Interpreter:
    """A pickle machine that can only put together tuples, lists and the records above.

    Args:
        file: stands at the pickle.
        cells: number of arrays that are due in it.
    """

    def __init__(self, file: Parts, cells: int) -> None:
        self.file = file
        self.stack: list = []
        self.below_marks: list[list] = []
        self.memo: dict[int, object] = {}
        # Each step makes one small object at most: this bounds the memory as well as the time.
        self.most_steps = min(STEPS_A_CELL * cells + MORE_STEPS, file.size // BYTES_A_STEP + FREE_STEPS)

    def run(self, bar: tqdm) -> object:
        for count, (opcode, argument, position) in enumerate(pickletools.genops(self.file)):
            if count == self.most_steps:
                raise Refused(f"its pickle takes {count} steps and more, which its cells do not need; save it again")
            self.step(opcode.name, argument, position)
            if opcode.name == "APPENDS":
                bar.update(position - bar.n)
        if len(self.stack) != 1 or self.below_marks:
            raise Refused("the pickle does not end with one object")
        return self.stack[0]

    def step(self, opcode: str, argument: object, position: int) -> None:
        if opcode == "MEMOIZE":
            self.memo[len(self.memo)] = self.top()
        elif opcode in ("BINGET", "LONG_BINGET"):
            if argument not in self.memo:
                raise Refused("the pickle takes what it has not kept")
            self.stack.append(self.memo[argument])
        elif opcode in ("BINPUT", "LONG_BINPUT"):
            self.memo[argument] = self.top()
        elif opcode in NUMBERS:
            self.stack.append(argument)
        elif opcode in CONSTANTS:
            self.stack.append(CONSTANTS[opcode])
        elif opcode in TUPLES:
            self.stack.append(self.pop(TUPLES[opcode]))
        elif opcode in LITERALS:
            # A string of Python 2 comes here decoded as Latin-1; in the file it is bytes.
            text = argument if type(argument) is str and len(argument) <= LONGEST_NAME else None
            start = position + 1 + LITERALS[opcode]
            self.stack.append(Literal(start, self.file.tell(), len(argument), "bytes", text))
        elif opcode in TEXTS:
            text = argument if len(argument) <= LONGEST_NAME else None
            start, kind = position + 1 + TEXTS[opcode], "text" if is_latin1(argument) else "text beyond Latin-1"
            self.stack.append(Literal(start, self.file.tell(), len(argument), kind, text))
        elif opcode == "MARK":
            self.below_marks.append(self.stack)
            self.stack = []
        elif opcode == "TUPLE":
            items = self.pop_to_mark()
            self.stack.append(tuple(items))
        elif opcode == "EMPTY_TUPLE":
            self.stack.append(())
        elif opcode == "EMPTY_LIST":
            self.stack.append([])
        elif opcode == "APPENDS":
            items = self.pop_to_mark()
            self.top_list().extend(items)
        elif opcode == "APPEND":
            (item,) = self.pop(1)
            self.top_list().append(item)
        elif opcode in ("GLOBAL", "INST"):
            self.stack.append(allowed(argument.replace(" ", ".")))
        elif opcode == "STACK_GLOBAL":
            module, name = self.pop(2)
            if type(module) is not Literal or type(name) is not Literal:
                raise Refused("the pickle asks for what has no name")
            self.stack.append(allowed(f"{module.text}.{name.text}"))
        elif opcode == "REDUCE":
            function, arguments = self.pop(2)
            self.stack.append(made_by(function, arguments))
        elif opcode == "BUILD":
            (state,) = self.pop(1)
            build(self.top(), state)
        elif opcode not in ("PROTO", "FRAME", "STOP"):
            raise Refused(f"the pickle uses opcode {opcode}; a feature file needs only numpy's arrays")

    def top(self) -> object:
        if not self.stack:
            raise Refused("the pickle takes more than it has put down")
        return self.stack[-1]

    def top_list(self) -> list:
        target = self.top()
        if type(target) is not list:
            raise Refused("the pickle adds to what is no list")
        return target

    def pop_to_mark(self) -> list:
        if not self.below_marks:
            raise Refused("the pickle takes more than it has put down")
        items, self.stack = self.stack, self.below_marks.pop()
        return items

    def pop(self, count: int) -> tuple:
        items = tuple(self.stack[-count:])
        if len(items) < count:
            raise Refused("the pickle takes more than it has put down")
        del self.stack[-count:]
        return items


def is_latin1(text: str) -> bool:
    try:
        text.encode("latin1")
    except UnicodeError:
        return False
    return True


def is_shape(shape: tuple) -> bool:
    """Say whether NumPy could have an array of that shape; before anything multiplies thousands of sizes."""
    return len(shape) <= MOST_AXES and all(type(size) is int and 0 <= size < LARGEST_AXIS for size in shape)


def allowed(name: str) -> Name:
    if name not in ALLOWED:
        raise Refused(f"the pickle asks for {named(name)}; a feature file needs only numpy's arrays")
    return Name(ALLOWED[name])


def made_by(function: object, arguments: object) -> object:
    """Return our record of what NumPy's function would have made."""
    match function, arguments:
        case Name("reconstruct"), tuple():
            return PickledArray()
        case Name("frombuffer"), (data, dtype, shape, Literal(text="C" | "F" as order)):
            array = PickledArray()
            array.fill(shape, dtype, order == "F", data)
            return array
        case Name("dtype"), (Literal(text=name), *_):
            if name not in DTYPES:
                raise Refused(f"it holds arrays of dtype {named(repr(name))}; floats are needed, best float32")
            return DType(name)
        case Name("encode"), (Literal() as content, Literal(text="latin1")):
            if content.kind != "text":
                place = f"at byte {content.start}"
                raise Refused(f"{place} the pickle makes an array's bytes of {content.kind}; {SAVE_AGAIN}")
            return replace(content, kind="encoded", text=None)
        case Name("encode"), _:
            # Only texts of Latin-1 stand for bytes one by one; another encoding would not fit the size of its array.
            raise Refused("the pickle writes bytes in another way than numpy does")
        case Name("bytes"), ():
            # Protocol 2 writes no bytes at all in this way.
            return Literal(0, 0, 0, "bytes", None)
    raise Refused("the pickle calls what is no function of numpy's")


def build(target: object, state: object) -> None:
    """Fill an array, or set the byte order of a dtype."""
    match target, state:
        case PickledArray(), (_, shape, dtype, fortran, data):
            target.fill(shape, dtype, fortran, data)
        case DType(), (_, Literal(text="<" | ">" | "|" | "=" as order), *_):
            target.order = order
        case (PickledArray() | DType(), _) | (_, None):
            raise Refused("the pickle sets a state that is none of numpy's")
        case _:
            raise Refused("the pickle sets the state of what is no array")
