"""MAT files of every version: the values that are in them, nothing from elsewhere, in memory that a block decides."""

import struct
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from memory import COURSE, memory_of

from xmr_lib.course import chunks
from xmr_lib.course.matfile import mat_columns, mat_shape
from xmr_lib.errors import XmrError

VALUES = np.random.default_rng(0).standard_normal((4, 7)).astype(np.float32)


def read(path: Path, first: int = 0, step: int = 3) -> np.ndarray:
    assert mat_shape(path, "feats") == VALUES.shape
    return np.concatenate(list(mat_columns(path, "feats", first, step))).T


def element(kind: int, content: bytes, order: str = "<", size: int | None = None) -> bytes:
    size = len(content) if size is None else size
    return struct.pack(order + "II", kind, size) + content + bytes(-len(content) % 8)


def mat5_variable(name: bytes, shape: tuple[int, ...], stored: bytes, order: str = "<", flags: int = 7) -> bytes:
    content = element(6, struct.pack(order + "II", flags, 0), order)
    content += element(5, struct.pack(f"{order}{len(shape)}i", *shape), order) + element(1, name, order) + stored
    return element(14, content, order)


def write_mat5(path: Path, *variables: bytes, order: str = "<") -> Path:
    mark = struct.pack(order + "H", 0x0100) + (b"IM" if order == "<" else b"MI")
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + mark + b"".join(variables))
    return path


def packed(variable: bytes) -> bytes:
    made = zlib.compress(variable)
    return struct.pack("<II", 15, len(made)) + made


@pytest.mark.parametrize("first", [0, 2, 6])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("version", ["5", "4"])
def test_the_values_are_those_that_scipy_reads(tmp_path, version, compressed, first):
    kept = {"other": np.ones((3, 2)), "feats": VALUES, "text": "abc", "last": VALUES[:2]}
    scipy.io.savemat(tmp_path / "a.mat", kept, format=version, do_compression=compressed)
    np.testing.assert_array_equal(read(tmp_path / "a.mat", first), VALUES[:, first:])


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("kind, dtype", [(1, "i1"), (2, "u1"), (3, "i2"), (4, "u2"), (5, "i4"), (7, "f4"), (9, "f8")])
def test_floats_that_matlab_kept_as_smaller_numbers(tmp_path, order, kind, dtype):
    whole = np.arange(28).reshape(4, 7)
    stored = element(kind, whole.astype(order + dtype).tobytes(order="F"), order)
    path = write_mat5(tmp_path / "a.mat", mat5_variable(b"feats", (4, 7), stored, order, flags=6), order=order)
    np.testing.assert_array_equal(read(path), scipy.io.loadmat(path)["feats"])
    np.testing.assert_array_equal(read(path), whole)


def test_a_matrix_so_small_that_it_stands_in_its_tag(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"feats": np.float32([[5]]), "b": np.zeros((0, 0))})
    assert mat_shape(tmp_path / "a.mat", "b") == (0, 0)
    np.testing.assert_array_equal(next(mat_columns(tmp_path / "a.mat", "feats", 0, 3)), [[5]])


def test_doubles_become_float32(tmp_path):
    values = np.random.default_rng(0).random((4, 7))
    scipy.io.savemat(tmp_path / "a.mat", {"feats": values})
    rows = np.concatenate(list(mat_columns(tmp_path / "a.mat", "feats", 2, 3)))
    np.testing.assert_array_equal(rows, values.T[2:].astype(np.float32))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("number, dtype", enumerate(["f8", "f4", "i4", "i2", "u2", "u1"]))
def test_doubles_that_v4_kept_as_smaller_numbers(tmp_path, order, number, dtype):
    whole = np.arange(28).reshape(4, 7)
    kept = mat4_variable(b"text", (3, 2), bytes(6), order, mark=51) + mat4_variable(
        b"feats", (4, 7), whole.astype(order + dtype).tobytes(order="F"), order, mark=10 * number
    )
    (tmp_path / "a.mat").write_bytes(kept)
    np.testing.assert_array_equal(scipy.io.loadmat(tmp_path / "a.mat")["feats"], whole)
    for first in (0, 5):
        np.testing.assert_array_equal(read(tmp_path / "a.mat", first), whole[:, first:])


def mat4_variable(
    name: bytes, shape: tuple[int, int], values: bytes, order: str = "<", mark: int = 10, length: int | None = None
) -> bytes:
    mark += 1000 * (order == ">")
    length = len(name) + 1 if length is None else length
    return struct.pack(order + "5i", mark, *shape, 0, length) + name + b"\0" + values


@pytest.mark.parametrize(
    "content, told",
    [
        # A size below zero led SciPy back to the same variable, again and again.
        (mat4_variable(b"abcdefghijk", (-8, 1), b"", mark=10), r"a variable has the shape \(-8, 1\)"),
        (mat4_variable(b"feats", (4, 7), bytes(111)), "its variables need 138 bytes, and it has 137"),
        (mat4_variable(b"feats", (1 << 30, 1 << 30), b""), "its variables need 4611686018427387930 bytes"),
        (mat4_variable(b"feats", (4, 7), b"", length=1 << 30), "a name of 1073741824 letters"),
        (mat4_variable(b"feats", (4, 7), b"", length=-1), "a name of -1 letters"),
        (mat4_variable(b"feats", (4, 7), b"", mark=60), "begins with 60, which is none of MATLAB's marks"),
        (mat4_variable(b"feats", (4, 7), b"", mark=2010), "begins with 2010, which is none of MATLAB's marks"),
        (mat4_variable(b"feats", (4, 7), bytes(112)) + b"abc", "it is cut off"),
        (b"\0\0", "it is cut off"),
    ],
)
def test_damaged_v4_files(tmp_path, content, told):
    (tmp_path / "a.mat").write_bytes(content)
    with pytest.raises(XmrError, match=f"not a whole MAT file .*{told}"):
        mat_shape(tmp_path / "a.mat", "feats")


@pytest.mark.parametrize("version", ["4", "5"])
def test_two_matrices_of_one_name(tmp_path, version):
    """Readers differ in which of them they take."""
    if version == "4":
        (tmp_path / "a.mat").write_bytes(mat4_variable(b"feats", (1, 1), bytes(4)) * 2)
    else:
        variable = mat5_variable(b"feats", (1, 2), element(7, bytes(8)))
        write_mat5(tmp_path / "a.mat", variable, mat5_variable(b"b", (1, 2), element(7, bytes(8))), variable)
        assert mat_shape(tmp_path / "a.mat", "b") == (1, 2)
    with pytest.raises(XmrError, match="'feats' is no matrix of floats that can be read: it is there more than once"):
        mat_shape(tmp_path / "a.mat", "feats")


def test_more_variables_than_anybody_saves(tmp_path):
    (tmp_path / "a.mat").write_bytes(b"".join(mat4_variable(b"%d" % n, (0, 0), b"") for n in range(10_001)))
    with pytest.raises(XmrError, match="it holds more than 10000 variables"):
        mat_shape(tmp_path / "a.mat", "1")


def test_sizes_and_names_in_other_types_that_scipy_reads_too(tmp_path):
    content = element(6, struct.pack("<II", 7, 0)) + element(6, struct.pack("<2i", 4, 7))
    content += element(16, b"feats") + element(7, VALUES.tobytes(order="F"))
    path = write_mat5(tmp_path / "a.mat", element(14, content))
    np.testing.assert_array_equal(scipy.io.loadmat(path)["feats"], VALUES)
    np.testing.assert_array_equal(read(path), VALUES)


def test_damaged_v5_files(tmp_path):
    stored = element(7, VALUES.tobytes(order="F"))
    whole = mat5_variable(b"feats", (4, 7), stored)
    longer = element(14, whole[8:-8], size=len(whole) - 16) + mat5_variable(b"b", (4, 7), stored)
    for variable, told in (
        (
            mat5_variable(b"feats", (4, 7), element(77, bytes(112))),
            "'feats' has values of type 77, which are no numbers",
        ),
        (mat5_variable(b"feats", (4, 8), stored), r"'feats' has 112 bytes of values for the shape \(4, 8\)"),
        (longer, "the values of 'feats' go on beyond its end"),
    ):
        with pytest.raises(XmrError, match=f"not a whole MAT file .*{told}"):
            list(mat_columns(write_mat5(tmp_path / "a.mat", variable), "feats", 0, 3))
    write_mat5(tmp_path / "a.mat", whole)
    content = (tmp_path / "a.mat").read_bytes()
    for mark, told in ((b"\x00\x01XX", "its header names no order of bytes"), (b"\x00\x02IM", "its header is of v7.3")):
        (tmp_path / "a.mat").write_bytes(content[:124] + mark + content[128:])
        with pytest.raises(XmrError, match=f"not a whole MAT file .*{told}"):
            mat_shape(tmp_path / "a.mat", "feats")


def test_what_is_no_file(tmp_path):
    with pytest.raises(XmrError, match=r"absent: can't be read \(No such file or directory\)"):
        mat_shape(tmp_path / "absent", "feats")
    with pytest.raises(XmrError, match=r"can't be read \(Is a directory\)"):
        mat_shape(tmp_path, "feats")


# What lies elsewhere, or nowhere.


@pytest.fixture
def elsewhere(tmp_path) -> Path:
    """A file of this machine that is nobody's features, and an HDF5 file with a dataset."""
    (tmp_path / "secret").write_bytes(VALUES.tobytes())
    with h5py.File(tmp_path / "elsewhere.h5", "w") as file:
        file["feats"] = VALUES.T
    return tmp_path


def write_external(file: h5py.File, folder: Path) -> None:
    file.create_dataset("feats", VALUES.T.shape, "f4", external=[(str(folder / "secret"), 0, VALUES.nbytes)])


def write_link(file: h5py.File, folder: Path) -> None:
    file["feats"] = h5py.ExternalLink(str(folder / "elsewhere.h5"), "/feats")


def write_soft_link(file: h5py.File, folder: Path) -> None:
    file["other"], file["feats"] = VALUES.T, h5py.SoftLink("/other")


def write_virtual(file: h5py.File, folder: Path, source: str = "elsewhere.h5") -> None:
    layout = h5py.VirtualLayout(VALUES.T.shape, "f4")
    layout[:] = h5py.VirtualSource(str(folder / source), "feats", VALUES.T.shape)
    file.create_virtual_dataset("feats", layout)


def write_virtual_of_nothing(file: h5py.File, folder: Path) -> None:
    write_virtual(file, folder, "absent.h5")


def write_nothing(file: h5py.File, folder: Path) -> None:
    file.create_dataset("feats", VALUES.T.shape, "f4")


def write_half(file: h5py.File, folder: Path) -> None:
    dataset = file.create_dataset("feats", VALUES.T.shape, "f4", chunks=(3, 4), compression="gzip")
    dataset[:3] = VALUES.T[:3]


@pytest.mark.parametrize(
    "write, told",
    [
        (write_external, "it is a reference to values in other files"),
        (write_virtual, "it is a reference to values in other files"),
        (write_virtual_of_nothing, "it is a reference to values in other files"),
        (write_link, "it is a link to something else"),
        (write_soft_link, "it is a link to something else"),
        (write_nothing, "was never written as a whole, and HDF5 would read zeros"),
        (write_half, "was never written as a whole, and HDF5 would read zeros"),
    ],
)
def test_only_what_lies_in_the_file_itself_is_features(tmp_path, elsewhere, write, told):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        write(file, elsewhere)
    with pytest.raises(XmrError, match=told) as error:
        read(tmp_path / "a.mat")
    assert "\n" not in str(error.value)
    # Nor does the reader of values trust that somebody else has looked.
    with pytest.raises(XmrError, match=told.removeprefix("it is ")):
        list(mat_columns(tmp_path / "a.mat", "feats", 0, 3))


def test_links_beside_the_matrix_are_not_followed(tmp_path, elsewhere, monkeypatch):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["feats"], file["gone"] = VALUES.T, h5py.ExternalLink("/nowhere.h5", "/x")
        file["there"] = h5py.ExternalLink(str(elsewhere / "elsewhere.h5"), "/feats")
    opened = []
    getitem = h5py.Group.__getitem__
    monkeypatch.setattr(h5py.Group, "__getitem__", lambda group, name: opened.append(name) or getitem(group, name))
    np.testing.assert_array_equal(read(tmp_path / "a.mat"), VALUES)
    assert set(opened) == {"feats"}


@pytest.mark.parametrize("options", [{}, {"compression": "gzip", "shuffle": True, "fletcher32": True}])
def test_chunks_as_matlab_writes_them_are_read(tmp_path, options):
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file.create_dataset("feats", data=VALUES.T, chunks=(3, 4), maxshape=(None, None), **options)
    np.testing.assert_array_equal(read(tmp_path / "a.mat"), VALUES)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    chunked=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    options=st.fixed_dictionaries({"shuffle": st.booleans(), "fletcher32": st.booleans()}),
    dtype=st.sampled_from(["<f4", ">f4", "<f8", ">f8", "<f2"]),
    noise=st.booleans(),
    libver=st.sampled_from(["earliest", "latest"]),
    first=st.integers(0, 11),
    step=st.integers(1, 13),
)
def test_gzip_chunks_are_what_hdf5_reads(tmp_path_factory, shape, chunked, options, dtype, noise, libver, first, step):
    """Also where chunks reach beyond the matrix, and where gzip makes them larger."""
    path = tmp_path_factory.getbasetemp() / "chunks.mat"
    values = (np.random.default_rng(0).standard_normal(shape) if noise else np.ones(shape)).astype(dtype)
    with h5py.File(path, "w", libver=libver) as file:
        dataset = file.create_dataset(
            "feats", data=values, chunks=chunked, maxshape=(None, None), compression="gzip", **options
        )
        np.testing.assert_array_equal(dataset[:], values)
    blocks = list(mat_columns(path, "feats", first, step))
    expected = values[first:].astype(np.float32)
    assert [len(block) for block in blocks] == [len(expected[n : n + step]) for n in range(0, len(expected), step)]
    np.testing.assert_array_equal(np.concatenate([*blocks, expected[:0]]), expected)


@pytest.mark.parametrize(
    "stored, mask, told",
    [
        (zlib.compress(bytes(108)), 0, "a chunk has 108 bytes, and 112 are due"),
        (zlib.compress(bytes(113)), 0, "a chunk unpacks to more than it declares"),
        (zlib.compress(bytes(112))[:-1], 0, "a packed chunk is cut off"),
        (zlib.compress(bytes(112))[:-1] + b"\0", 0, "incorrect data check"),
        (b"no stream", 0, "incorrect header check"),
        (bytes(108), 1, "a chunk has 108 bytes, and 112 are due"),
    ],
)
def test_damaged_chunks(tmp_path, stored, mask, told):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        dataset = file.create_dataset("feats", (7, 4), "f4", chunks=(7, 4), compression="gzip")
        dataset.id.write_direct_chunk((0, 0), stored, filter_mask=mask)
    with pytest.raises(XmrError, match=f"not a whole MAT file .*{told}"):
        read(tmp_path / "a.mat")


@pytest.mark.parametrize("damaged", [False, True])
def test_a_chunk_that_gzip_left_out_has_only_hdf5s_own_checksum(tmp_path, damaged):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        plain = file.create_dataset("plain", data=VALUES.T, chunks=(7, 4), shuffle=True, fletcher32=True)
        _, stored = plain.id.read_direct_chunk((0, 0))
        options = {"compression": "gzip", "shuffle": True, "fletcher32": True}
        dataset = file.create_dataset("feats", (7, 4), "f4", chunks=(7, 4), **options)
        stored = bytes([stored[0] ^ damaged]) + stored[1:]
        dataset.id.write_direct_chunk((0, 0), stored, filter_mask=0b10)
    if not damaged:
        np.testing.assert_array_equal(read(tmp_path / "a.mat"), VALUES)
        return
    with pytest.raises(XmrError, match=r"not a whole MAT file .*filter returned failure"):
        read(tmp_path / "a.mat")


def test_floats_of_no_usual_kind_are_told(tmp_path):
    """HDF5 can convert them; what lies in a chunk is not what NumPy takes it for."""
    with h5py.File(tmp_path / "a.mat", "w") as file:
        kind = h5py.h5t.IEEE_F32LE.copy()
        kind.set_fields(31, 20, 11, 0, 20)
        h5py.h5d.create(file.id, b"feats", kind, h5py.h5s.create_simple((7, 4)))
    with pytest.raises(XmrError, match="'feats' is no matrix of floats that can be read: it is of float"):
        mat_shape(tmp_path / "a.mat", "feats")


# What is no matrix of floats.


def test_what_a_variable_is_instead_is_said(tmp_path):
    kept = {
        "whole": np.arange(3), "cells": np.array([[1], "a"], object), "text": "abc", "flags": np.array([True]),
        "complex": VALUES + 1j, "struct": {"a": 1}, "sparse": scipy.sparse.csc_matrix(np.eye(3)),
    }  # fmt: skip
    scipy.io.savemat(tmp_path / "a.mat", kept)
    for key, told in {
        "whole": "of int64", "cells": "a cell array", "text": "text", "flags": "of true and false",
        "complex": "of complex numbers", "struct": "a struct", "sparse": "a sparse matrix",
    }.items():  # fmt: skip
        with pytest.raises(XmrError, match=f"'{key}' is no matrix of floats that can be read: it is {told}$"):
            mat_shape(tmp_path / "a.mat", key)
    with pytest.raises(XmrError, match=r"no 'feats' in it, only cells, complex, flags, sparse, struct, text, whole$"):
        mat_shape(tmp_path / "a.mat", "feats")
    with h5py.File(tmp_path / "b.mat", "w") as file:
        file.create_group("feats")
        file["whole"], file["complex"], file["none"] = np.arange(3), VALUES + 1j, h5py.Empty("f4")
        # MATLAB keeps the sizes of an empty matrix as its values.
        file["zero"] = np.uint64([0, 0])
        file["zero"].attrs["MATLAB_empty"] = np.uint8(1)
    for key, told in {
        "feats": "a group", "whole": "of int64", "complex": "of complex64", "none": "empty", "zero": "empty",
    }.items():  # fmt: skip
        with pytest.raises(XmrError, match=f"'{key}' is no matrix of floats that can be read: it is {told}"):
            mat_shape(tmp_path / "b.mat", key)
    scipy.io.savemat(tmp_path / "c.mat", {"feats": VALUES + 1j}, format="4")
    with pytest.raises(XmrError, match="'feats' is no matrix of floats that can be read: it is of complex numbers"):
        mat_shape(tmp_path / "c.mat", "feats")


def test_names_of_a_file_neither_break_nor_flood_the_line(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        for number in range(50):
            file["x\ny" + "z" * 1000 + str(number)] = 1.0
    with pytest.raises(XmrError, match="and others") as error:
        mat_shape(tmp_path / "a.mat", "feats")
    assert "\n" not in str(error.value) and len(str(error.value)) < 1500


# Memory: small files that would become large ones.

IMPORTS = COURSE + "from pathlib import Path\nfrom xmr_lib.course.matfile import mat_columns, mat_shape"
CODE = (
    "mat_shape(Path(sys.argv[1]), 'feats'); [block.sum() for block in mat_columns(Path(sys.argv[1]), 'feats', 0, 2048)]"
)
ZEROS = 100 << 20


def pack_zeros(before: bytes, size: int) -> bytes:
    """Return a zlib stream of ``before`` and ``size`` zeros (whole megabytes) that takes no time to make."""

    def block(content: bytes) -> bytes:
        stream = zlib.compressobj(wbits=-15)
        return stream.compress(content) + stream.flush(zlib.Z_FULL_FLUSH)

    checksum = zlib.adler32(before)
    high, low = checksum >> 16, checksum & 0xFFFF
    end = b"\x03\x00" + struct.pack(">HH", (high + size * low) % 65521, low)
    return b"\x78\x9c" + block(before) + block(bytes(1 << 20)) * (size >> 20) + end


def test_a_small_v5_file_stays_small(tmp_path):
    """A name, a list of sizes, or values of 100 MB, packed into 100 kB."""
    flags, sizes = element(6, struct.pack("<II", 7, 0)), element(5, struct.pack("<2i", 4, 7))
    long_name = flags + sizes + struct.pack("<II", 1, ZEROS)
    many_axes = flags + struct.pack("<II", 5, ZEROS)
    more_values = flags + sizes + element(1, b"feats") + struct.pack("<II", 7, ZEROS)
    for content, told in (
        (long_name, "not a whole MAT file .*begins with 104857600 bytes of type 1"),
        (many_axes, "not a whole MAT file .*begins with 104857600 bytes of type 5"),
        (more_values, r"not a whole MAT file .*104857600 bytes of values for the shape \(4, 7\)"),
    ):
        made = pack_zeros(struct.pack("<II", 14, len(content) + ZEROS & 0xFFFFFFFF) + content, ZEROS)
        path = write_mat5(tmp_path / "a.mat", struct.pack("<II", 15, len(made)) + made)
        assert path.stat().st_size < 1e6
        with pytest.raises(XmrError, match=told):
            read(path)
    megabytes, said = memory_of(IMPORTS, CODE, path)
    assert "bytes of values" in said and megabytes < 40


def test_a_v5_matrix_is_read_a_block_at_a_time(tmp_path):
    content = element(6, struct.pack("<II", 7, 0)) + element(5, struct.pack("<2i", 1024, ZEROS >> 12))
    content += element(1, b"feats") + struct.pack("<II", 7, ZEROS)
    made = pack_zeros(struct.pack("<II", 14, len(content) + ZEROS) + content, ZEROS)
    path = write_mat5(tmp_path / "a.mat", struct.pack("<II", 15, len(made)) + made)
    megabytes, said = memory_of(IMPORTS, CODE, path)
    assert said == "read" and megabytes < 40


def test_a_v4_matrix_is_read_a_block_at_a_time(tmp_path):
    (tmp_path / "a.mat").write_bytes(mat4_variable(b"feats", (1024, ZEROS >> 12), b""))
    with (tmp_path / "a.mat").open("r+b") as file:
        file.truncate((tmp_path / "a.mat").stat().st_size + ZEROS)
    megabytes, said = memory_of(IMPORTS, CODE, tmp_path / "a.mat")
    assert said == "read" and megabytes < 40


def test_a_chunk_of_the_whole_matrix_is_unpacked_once(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file.create_dataset("feats", data=VALUES.T, chunks=(7, 4), compression="gzip", shuffle=True)
    unpacked = []
    monkeypatch.setattr(chunks, "_unpacked", lambda *of: unpacked.append(of) or zlib.decompress(of[0]))
    np.testing.assert_array_equal(read(tmp_path / "a.mat", step=2), VALUES)
    assert len(unpacked) == 1


@pytest.mark.parametrize("layout", [h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS])
def test_v73_matrices_without_chunks(tmp_path, layout):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_layout(layout)
        space = h5py.h5s.create_simple(VALUES.T.shape)
        dataset = h5py.h5d.create(file.id, b"feats", h5py.h5t.IEEE_F32BE, space, settings)
        h5py.Dataset(dataset)[:] = VALUES.T
    np.testing.assert_array_equal(read(tmp_path / "a.mat"), VALUES)


@pytest.mark.parametrize("filters", [{}, {"shuffle": True}, {"fletcher32": True}])
def test_a_v73_chunk_that_unpacks_to_more_than_it_declares(tmp_path, filters):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        dataset = file.create_dataset("feats", (7, 4), "f4", chunks=(7, 4), compression="gzip", **filters)
        dataset.id.write_direct_chunk((0, 0), pack_zeros(b"", ZEROS))
    megabytes, said = memory_of(IMPORTS, CODE, tmp_path / "a.mat")
    assert said.endswith("not a whole MAT file (a chunk unpacks to more than it declares); copy it again")
    assert megabytes < 40


def test_v73_chunks_far_larger_than_the_matrix(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        shape = {"shape": (7, 4), "chunks": (1 << 13, 1 << 13), "maxshape": (None, None)}
        dataset = file.create_dataset("feats", dtype="f4", compression="gzip", **shape)
        dataset.id.write_direct_chunk((0, 0), pack_zeros(b"", 256 << 20))
    megabytes, said = memory_of(IMPORTS, CODE, tmp_path / "a.mat")
    assert "has chunks of 268 MB and only 0.0 MB of values" in said and megabytes < 40


def test_another_packing_than_matlabs_is_told(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file.create_dataset("feats", data=VALUES.T, chunks=(7, 4), compression="lzf")
    with pytest.raises(XmrError, match="is packed in a way that MATLAB does not use; save it with gzip"):
        read(tmp_path / "a.mat")
