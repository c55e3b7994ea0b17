"""Object arrays of arrays come back as NumPy wrote them; what else a pickle asks for is never run."""

import builtins
import os
import pickle
import re
import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import COURSE, memory_of

from xmr_lib.course.object_array import object_array_shape, read_cells, read_object_array
from xmr_lib.errors import XmrError

RNG = np.random.default_rng(0)


def object_array(cells: list[list[object]]) -> np.ndarray:
    array = np.empty((len(cells), len(cells[0])), dtype=object)
    for i, row in enumerate(cells):
        for k, cell in enumerate(row):
            array[i, k] = cell
    return array


def words(count: int, dtype: str = "float32") -> np.ndarray:
    return RNG.standard_normal((count, 30)).astype(dtype)


def save(path, pickled: bytes | object, shape=(2, 2), protocol: int = 4, descr: str = "|O"):
    """Write an ``.npy`` header with any pickle behind it."""
    pickled = pickled if isinstance(pickled, bytes) else pickle.dumps(pickled, protocol=protocol)
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}\n".encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + pickled)
    return path


def cells_of(path) -> list[np.ndarray | None]:
    return read_cells(path, read_object_array(path).cells)


def assert_same(path, array: np.ndarray) -> None:
    assert object_array_shape(path) == read_object_array(path).shape == array.shape
    # NumPy's own order of cells is the oracle: C order, whatever the memory's.
    for found, cell in zip(cells_of(path), array.ravel(order="C"), strict=True):
        if cell is None:
            assert found is None
        else:
            assert found.dtype == np.float32 and found.flags.c_contiguous and found.shape == cell.shape
            np.testing.assert_array_equal(found, cell.astype(np.float32))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2"])
def test_every_protocol_order_and_float(tmp_path, protocol, order, dtype):
    cells = [[words(n, dtype), np.asfortranarray(words(n + 2, dtype)), words(2 * n, dtype)[::2]] for n in (1, 4)]
    array = np.array(object_array(cells), dtype=object, order=order, copy=True)
    assert_same(save(tmp_path / "a.npy", array, shape=(2, 3), protocol=protocol), array)


@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_itself_saves(tmp_path, order):
    array = object_array([[words(3), None], [np.empty((0, 30), np.float32), words(78)], [words(1), words(2)]])
    array = np.array(array, order=order, copy=True)
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    assert_same(tmp_path / "a.npy", array)


def test_the_names_of_older_numpy_and_the_strings_of_python_2(tmp_path):
    array = object_array([[words(3), words(2)], [words(1), words(4)]])
    old = pickle.dumps(array, protocol=2).replace(b"numpy._core.", b"numpy.core.")
    assert b"numpy.core.multiarray" in old
    assert_same(save(tmp_path / "old.npy", old), array)
    # Python 2 wrote bytes as they are, where Python 3 writes protocol 2 by way of _codecs.encode.
    values = words(2)
    written = b"T" + struct.pack("<i", values.nbytes) + values.tobytes()
    save_one_cell(tmp_path / "python2.npy", written, rows=2, columns=30)
    assert_same(tmp_path / "python2.npy", object_array([[values]]))


def save_one_cell(path, written: bytes, rows: int, columns: int):
    """Write a cell of float32 whose values are what the opcodes ``written`` make."""
    sizes = b"".join(b"J" + struct.pack("<i", size) for size in (rows, columns))
    return save(
        path,
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x01K\x01\x86"
        b"cnumpy\ndtype\nU\x02O8K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb\x89]("
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01" + sizes + b"\x86"
        b"cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        + written + b"tbetb.",
        shape=(1, 1),
    )  # fmt: skip


def written_text(text: str) -> bytes:
    encoded = text.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(st.characters(max_codepoint=0x140) | st.characters(categories=["Cs", "Lo"]), min_size=8, max_size=8)
)
def test_any_text_that_bytes_are_made_of(tmp_path_factory, text):
    """Protocol 2 writes bytes as text; what Latin-1 can't encode is refused before anything is read."""
    written = b"c_codecs\nencode\n" + written_text(text) + written_text("latin1") + b"\x86R"
    path = save_one_cell(tmp_path_factory.mktemp("a") / "a.npy", written, rows=1, columns=2)
    if max(text) <= "\xff":
        np.testing.assert_array_equal(cells_of(path)[0], np.frombuffer(text.encode("latin1"), "<f4")[None])
        return
    place = path.read_bytes().index(written_text(text)) + 5
    told = f"at byte {place} the pickle makes an array's bytes of text beyond Latin-1; copy the file again"
    with pytest.raises(XmrError, match=rf"a\.npy: refused: {told}"):
        read_object_array(path)


@pytest.mark.parametrize("text", ["a" * 8, "ā" * 8, "\ud800" * 8])
def test_text_where_the_values_of_an_array_are_due(tmp_path, text):
    path = save_one_cell(tmp_path / "a.npy", written_text(text), rows=1, columns=2)
    place = path.read_bytes().index(written_text(text)) + 5
    with pytest.raises(XmrError, match=rf"a\.npy: refused: an array's values are text, not bytes, at byte {place};"):
        read_object_array(path)


def test_a_file_that_changes_after_it_was_indexed(tmp_path):
    array = object_array([[words(20), words(10)]])
    for protocol in (2, 4):
        path = save(tmp_path / "a.npy", array, shape=(1, 2), protocol=protocol)
        cells, content = read_object_array(path).cells, path.read_bytes()
        path.write_bytes(content[:2000])
        with pytest.raises(XmrError, match=r"a\.npy: not a whole \.npy file .*it has become shorter"):
            read_cells(path, cells)
        path.write_bytes(b"\xff" * len(content))
        if protocol == 2:
            with pytest.raises(XmrError, match=r"a\.npy: not a whole \.npy file"):
                read_cells(path, cells)
    path.unlink()
    with pytest.raises(XmrError, match=r"a\.npy: can't be read \(No such file or directory\)"):
        read_cells(path, cells)


def test_doubles_that_float32_can_not_hold_become_infinite_without_a_word(tmp_path):
    path = save(tmp_path / "a.npy", object_array([[np.array([1e300, 1.0])]]), shape=(1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(cells_of(path)[0], [np.inf, 1])


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_one_cell_in_several_places(tmp_path, protocol):
    shared = words(5)
    array = object_array([[shared, words(2)], [words(3), shared]])
    assert_same(save(tmp_path / "a.npy", array, protocol=protocol), array)


@settings(max_examples=30, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    lengths=st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=16, max_size=16),
    protocol=st.integers(2, 5),
)
def test_any_lengths(tmp_path_factory, shape, lengths, protocol):
    cells = [None if n is None else words(n) for n in lengths]
    array = object_array([[cells[4 * i + k] for k in range(shape[1])] for i in range(shape[0])])
    assert_same(save(tmp_path_factory.mktemp("a") / "a.npy", array, shape, protocol), array)


class Calls:
    """Pickles as a call of any function: unpickled by ``pickle`` or ``numpy.load`` it is run."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def exploits(marker) -> dict[str, tuple[object, str]]:
    command = f"open({str(marker)!r}, 'w').close()"
    shell = f"touch '{marker}'"
    return {
        "os.system": (Calls(os.system, shell), f"{os.name}.system"),
        "exec": (Calls(builtins.exec, command), ".exec"),
        "eval": (Calls(builtins.eval, command), ".eval"),
        "open": (Calls(open, str(marker), "w"), "io.open"),
        "getattr": (Calls(getattr, "text", "upper"), "getattr"),
        "numpy.load": (Calls(np.load, str(marker)), "numpy.load"),
    }


@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
@pytest.mark.parametrize("name", exploits(""))
@pytest.mark.parametrize("where", ["whole file", "a cell", "within a cell", "beside the array"])
def test_an_exploit_is_refused_and_never_run(tmp_path, name, where, protocol):
    marker = tmp_path / "marker"
    exploit, asked = exploits(marker)[name]
    array = object_array([[words(3), words(2)], [words(1), words(4)]])
    if where == "a cell":
        array[1, 1] = exploit
    elif where == "within a cell":
        array[1, 1] = object_array([[words(1), [exploit]]])
    content = {"whole file": exploit, "beside the array": (array, exploit)}.get(where, array)
    path = save(tmp_path / "a.npy", content, protocol=protocol)
    with pytest.raises(XmrError, match=r"a\.npy: refused: the pickle") as told:
        read_object_array(path)
    # Protocol 0 has opcodes that numpy.save never writes: it may be refused for one of them.
    assert asked in str(told.value) or protocol == 0
    assert "\n" not in str(told.value)
    assert not marker.exists()


def test_the_exploits_are_real(tmp_path):
    """The oracle of the test above: ``numpy.load`` runs what it refuses."""
    for name in ("os.system", "exec", "eval", "open"):
        marker = tmp_path / name
        np.load(save(tmp_path / "a.npy", exploits(marker)[name][0]), allow_pickle=True)
        assert marker.exists()


@pytest.mark.parametrize(
    "pickled, told",
    [
        (b"cos\nsystem\n(S'touch marker'\ntR.", "asks for os.system"),
        (b"\x80\x02cos\nsystem\nU\x05touch\x85R.", "asks for os.system"),
        (b"(S'touch marker'\nios\nsystem\n.", "refused"),
        (b"\x80\x02(ios\nsystem\n.", "asks for os.system"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "asks for os.system"),
        # A name that hides its end behind a line break, and one within an allowed module.
        (b"\x80\x04\x8c\x03o\ns\x8c\x06system\x93.", r"asks for 'o\\ns.system'"),
        (b"\x80\x04\x8c\x05numpy\x8c\x13f2py.os.system.call\x93.", "asks for numpy.f2py.os.system.call"),
        # Extension registry, persistent ids, out-of-band buffers, new objects.
        (b"\x80\x02\x82\x01.", "opcode EXT1"),
        (b"\x80\x02K\x01Q.", "opcode BINPERSID"),
        (b"\x80\x05\x97.", "opcode NEXT_BUFFER"),
        (b"\x80\x02cnumpy\nndarray\n)\x81.", "opcode NEWOBJ"),
        (b"\x80\x02}.", "opcode EMPTY_DICT"),
        # Allowed names in places that they are not meant for.
        (b"\x80\x02cnumpy\nndarray\n)R.", "no function of numpy's"),
        (b"\x80\x02cnumpy\nndarray\n}b.", "opcode EMPTY_DICT"),
        (b"\x80\x02cnumpy\nndarray\nNb.", "none of numpy's"),
        (b"\x80\x02cnumpy\nndarray\n)b.", "no array"),
        (b"\x80\x02cbuiltins\nbytes\nK\x05\x85R.", "no function of numpy's"),
        (b"\x80\x02K\x01K\x02\x86K\x03R.", "no function of numpy's"),
        (b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R.", "another way than numpy"),
        (b"\x80\x02cnumpy\ndtype\nX\x02\x00\x00\x00i8\x85R.", "dtype 'i8'"),
        (b"\x80\x02K\x01K\x02.", "does not end with one object"),
        (b"\x80\x02(.", "does not end with one object"),
        (b"\x80\x02\x86.", "takes more than it has put down"),
        (b"\x80\x02N.", "holds no array of objects"),
        (b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n)R.", "holds no array of objects"),
    ],
)
def test_odd_pickles_are_refused(tmp_path, pickled, told):
    with pytest.raises(XmrError, match=f"refused.*{told}"):
        read_object_array(save(tmp_path / "a.npy", pickled))


@pytest.mark.parametrize(
    "cell, told",
    [
        ("a man rides", r"cell \(0, 1\) is not an array of floats but text or bytes"),
        (b"a man rides", r"cell \(0, 1\) is not an array of floats but text or bytes"),
        ([words(2)], r"cell \(0, 1\) is not an array of floats but a list"),
        (3, r"cell \(0, 1\) is not an array of floats but a number"),
        (0.5, r"cell \(0, 1\) is not an array of floats but a number"),
        (object_array([[words(2)]]), r"cell \(0, 1\) is not an array of floats but an array of objects"),
        (np.arange(3), "dtype 'i8'"),
        (np.array(["a", "b"]), "dtype 'U1'"),
        (np.float32(3), "asks for numpy._core.multiarray.scalar"),
        ({"a": 1}, "opcode EMPTY_DICT"),
    ],
)
def test_cells_of_another_kind(tmp_path, cell, told):
    array = object_array([[words(2), cell], [words(1), words(1)]])
    with pytest.raises(XmrError, match=f"refused: .*{told}"):
        read_object_array(save(tmp_path / "a.npy", array))


def test_a_plain_array_and_a_header_that_does_not_fit(tmp_path):
    np.save(tmp_path / "plain.npy", words(4))
    for read in (object_array_shape, read_object_array):
        with pytest.raises(XmrError, match=r"plain array of float32, shape \(4, 30\)"):
            read(tmp_path / "plain.npy")
    array = object_array([[words(2), words(1)], [words(1), words(1)]])
    with pytest.raises(XmrError, match=r"header has shape \(4, 1\), its pickle \(2, 2\)"):
        read_object_array(save(tmp_path / "a.npy", array, shape=(4, 1)))


@pytest.mark.parametrize("axes", [65, 2000, 30_000])
def test_more_axes_than_an_array_has(tmp_path, axes):
    """Their product alone would take as long as the square of their number."""
    pickled = b"\x80\x04cnumpy.core.multiarray\n_reconstruct\n)R(K\x01(" + b"K\x7f" * axes + b"tNNNtb." + bytes(1000)
    with pytest.raises(XmrError, match="refused: an array has a shape that none can have; copy the file again"):
        read_object_array(save(tmp_path / "a.npy", pickled, shape=(1000,)))
    path = save(tmp_path / "a.npy", b"N.", shape=(1,) * min(axes, 3000))
    if axes <= 3000:
        told = rf"its header has shape \(1, 1, 1, 1, 1, 1, …\) of {axes} axes, and an array has 64 axes at most"
        with pytest.raises(XmrError, match=told):
            object_array_shape(path)


@pytest.mark.parametrize(
    "shape", ["(1,) * 9", "None", "(10**5000,)", "(True,)", "(-1,)", "(1, " * 90, "'" + "x" * 9000]
)
def test_odd_headers_give_one_short_line(tmp_path, shape):
    header = f"{{'descr': '|O', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + b"N.")
    with pytest.raises(XmrError) as told:
        object_array_shape(tmp_path / "a.npy")
    line = str(told.value).removeprefix(f"{tmp_path / 'a.npy'}: ")
    assert "\n" not in line and "()" not in line and len(line) < 300


@pytest.mark.parametrize("content", [b"", b"\x93NUM", b"not an npy file at all", b"PK\x03\x04" + bytes(100)])
def test_not_an_npy_file(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(XmrError, match=r"a\.npy: not a whole \.npy file"):
        read_object_array(tmp_path / "a.npy")


def test_a_missing_file(tmp_path):
    with pytest.raises(XmrError, match=r"a\.npy: can't be read \(No such file or directory\)"):
        read_object_array(tmp_path / "a.npy")


def test_a_file_cut_off_anywhere(tmp_path):
    array = object_array([[words(2), words(1)], [words(1), None]])
    whole = save(tmp_path / "a.npy", array).read_bytes()
    for size in range(0, len(whole) - 1, 7):
        (tmp_path / "a.npy").write_bytes(whole[:size])
        with pytest.raises(XmrError) as told:
            read_object_array(tmp_path / "a.npy")
        assert "\n" not in str(told.value)


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_a_file_with_any_byte_changed_is_read_or_refused(tmp_path, protocol):
    array = object_array([[words(1)[:, :2], None]])
    whole = bytearray(save(tmp_path / "a.npy", array, (1, 2), protocol).read_bytes())
    refused = 0
    for place in range(protocol % 2, len(whole), 2):
        changed = whole.copy()
        changed[place] ^= 1 << (place % 8)
        (tmp_path / "a.npy").write_bytes(changed)
        try:
            cells_of(tmp_path / "a.npy")
        except XmrError as told:
            refused += 1
            assert "\n" not in str(told)
    assert refused > 60


# All that the reader knows, and a few that it does not.
OPCODES = [
    b"N", b"K\x01", b"K\x00", b"J\xff\xff\xff\xff", b"\x8a\x09" + b"\x7f" * 9, b"\x89", b"(", b"t", b")", b"\x85",
    b"\x86", b"\x87", b"]", b"a", b"e", b"q\x00", b"h\x00", b"h\x07", b"\x94", b"R", b"b", b"\x93", b"U\x02f4",
    b"U\x00", b"C\x04abcd", b"\x8c\x02f4", b"\x8c\x06latin1", b"\x8c\x02\xc3\xa4", b"\x8c\x03\xed\xa0\x80",
    b"\x8c\x02O8", b"cnumpy\ndtype\n", b"c_codecs\nencode\n", b"cbuiltins\nbytes\n",
    b"cnumpy.core.multiarray\n_reconstruct\n", b"U\x01C", b"U\x01<", b"cnumpy.core.numeric\n_frombuffer\n", b"}",
    b"I12\n", b"V\\ud800\n", b"\x88", b"G" + bytes(8), b"\x96" + bytes(8),
]  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(opcodes=st.lists(st.sampled_from(OPCODES), max_size=20), cut=st.booleans())
def test_opcodes_in_any_order_give_one_line(tmp_path_factory, opcodes, cut):
    pickled = b"\x80\x04" + b"".join(opcodes) + (b"" if cut else b".")
    path = save(tmp_path_factory.getbasetemp() / "any.npy", pickled, shape=())
    with pytest.raises(XmrError) as told:
        cells_of(path)
    assert "\n" not in str(told.value) and "()" not in str(told.value)


@pytest.mark.parametrize("sizes", [(2**62, 30), (-1, 30), (2**31, 2**31), (3, 30), (True, 60), (60,), ()])
@pytest.mark.parametrize("protocol", [2, 4])
def test_absurd_shapes(tmp_path, sizes, protocol):
    class Shaped:
        def __reduce__(self):
            function, arguments, state = words(2).__reduce__()
            return function, arguments, (state[0], sizes, *state[2:])

    path = save(tmp_path / "a.npy", object_array([[Shaped()]]), shape=(1, 1), protocol=protocol)
    if sizes == (60,):
        assert read_object_array(path).cells[0].shape == (60,)
        return
    with pytest.raises(XmrError, match="refused: an array"):
        read_object_array(path)


@pytest.mark.parametrize(
    "opcode", [b"B\xff\xff\xff\x7f", b"\x8e" + b"\xff" * 7 + b"\x0f", b"\x96" + b"\xff" * 7 + b"\x7f"]
)
def test_absurd_sizes_of_bytes_and_places_in_the_memo(tmp_path, opcode):
    with pytest.raises(XmrError, match=r"not a whole \.npy file"):
        read_object_array(save(tmp_path / "a.npy", b"\x80\x04" + opcode + b"abc."))
    # ``pickle`` itself would make room for four thousand million places here.
    with pytest.raises(XmrError, match="holds no array"):
        read_object_array(save(tmp_path / "a.npy", b"\x80\x04Nr\xff\xff\xff\xff."))


# Memory: files of nothing but opcodes, which make more than their own size.

IMPORTS = COURSE + "from pathlib import Path\nfrom xmr_lib.course.object_array import read_object_array"
CODE = "read_object_array(Path(sys.argv[1]))"
HOSTILE = {
    "MEMOIZE": (b"N", b"\x94"),
    "BINPUT": (b"N", b"".join(b"r" + struct.pack("<I", place) for place in range(1 << 16, 3 << 16))),
    "MARK": (b"", b"("),
    "EMPTY_LIST": (b"", b"]"),
    "lists in a list": (b"]", b"]a"),
    "tuples in tuples": (b"N", b"\x85"),
    "text": (b"", b"\x8c\0\x94"),
    "arrays": (b"cnumpy.core.multiarray\n_reconstruct\nq\0)q\1", b"h\0h\1R"),
}


def write_hostile(path, name: str, size: int, cells: int):
    before, repeated = HOSTILE[name]
    return save(path, b"\x80\x04" + before + repeated * (size // len(repeated)), shape=(cells,))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_of_opcodes_is_refused_after_what_its_cells_need(tmp_path, name):
    path = write_hostile(tmp_path / "a.npy", name, 1 << 20, cells=4)
    with pytest.raises(XmrError, match=r"a\.npy: refused: its pickle takes 1256 steps and more"):
        read_object_array(path)


@pytest.mark.parametrize("name", HOSTILE)
def test_nor_does_it_help_to_declare_a_cell_for_each_byte(tmp_path, name):
    path = write_hostile(tmp_path / "a.npy", name, 4 << 20, cells=3 << 20)
    megabytes, said = memory_of(IMPORTS, CODE, path)
    assert re.search("refused: its pickle takes 2[23]", said) and megabytes < 40


def test_more_cells_than_bytes(tmp_path):
    path = save(tmp_path / "a.npy", np.full(1000, None), shape=(1 << 40, 5))
    for read in (object_array_shape, read_object_array):
        with pytest.raises(XmrError, match=r"its header has shape \(1099511627776, 5\): more cells than the file has"):
            read(path)


LARGE = 64 << 20


@pytest.mark.parametrize(
    "content, told",
    [
        (b"\x80\x04B" + struct.pack("<I", LARGE), "refused: a part of it has 67108864 bytes"),
        (b"\x80\x04X" + struct.pack("<I", LARGE), "refused: a part of it has 67108864 bytes"),
        (b"\x80\x04\x96" + struct.pack("<Q", LARGE), "refused: a part of it has 67108864 bytes"),
        (b"\x80\x04\x8b" + struct.pack("<I", LARGE), "refused: a part of it has 67108864 bytes"),
        (b"\x80\x04B" + struct.pack("<I", LARGE + 1), "not a whole .npy file"),
        (b"\x80\x04c", "not a whole .npy file"),
        (b"\x80\x04I", "not a whole .npy file"),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", LARGE), "refused: a part of it has 67108864 bytes"),
    ],
)
def test_a_part_that_no_array_needs_is_not_read(tmp_path, content, told):
    path = tmp_path / "a.npy"
    if content.startswith(b"\x80"):
        save(path, content, shape=(1,))
    else:
        path.write_bytes(content)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + LARGE)
    megabytes, said = memory_of(IMPORTS, CODE, path)
    assert told in said and megabytes < 10


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_many_small_cells_each_with_a_dtype_of_its_own(tmp_path, protocol):
    """The most steps that NumPy takes for a cell: 49."""
    cells = [[words(1, ">f4"), words(1, ">f4").copy(order="F")] for _ in range(100)]
    assert len({id(cell.dtype) for row in cells for cell in row}) == 200
    assert_same(save(tmp_path / "a.npy", object_array(cells), (100, 2), protocol), object_array(cells))
