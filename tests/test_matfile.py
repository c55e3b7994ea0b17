"""A v7.3 file may point at other files: only what lies in it itself is features."""

import h5py
import numpy as np
import pytest

from xmr_lib.course.matfile import mat_columns, mat_shape
from xmr_lib.errors import XmrError

VALUES = np.arange(12, dtype=np.float32).reshape(4, 3)


def virtual(file, source):
    layout = h5py.VirtualLayout(shape=(4, 3), dtype="f4")
    layout[:] = h5py.VirtualSource(source, "feats", shape=(4, 3))
    file.create_virtual_dataset("feats", layout)


def external(file, source):
    file.create_dataset("feats", (4, 3), "f4", external=[(str(source), 0, 48)])


def linked(file, source):
    file["feats"] = h5py.ExternalLink(str(source), "feats")


def soft(file, source):
    file["other"] = VALUES
    file["feats"] = h5py.SoftLink("/other")


@pytest.mark.parametrize("how", [virtual, external, linked, soft])
@pytest.mark.parametrize("there", [True, False])
def test_what_lies_elsewhere_is_not_read(tmp_path, how, there):
    source = tmp_path / "secret.h5"
    if there:
        with h5py.File(source, "w") as file:
            file["feats"] = VALUES
    with h5py.File(tmp_path / "a.mat", "w") as file:
        how(file, source)
    with pytest.raises(XmrError, match="'feats' is no plain matrix of floats; save the matrix itself"):
        mat_shape(tmp_path / "a.mat", "feats")


def test_a_block_that_unpacks_to_gigabytes_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file.create_dataset("feats", (40, 1 << 22), "f4", chunks=(40, 1 << 22), compression="gzip")
    with pytest.raises(XmrError, match="blocks of 640 MB"):
        next(mat_columns(tmp_path / "a.mat", "feats", 0, 8))


def test_a_plain_dataset_in_blocks_is_read(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file.create_dataset("feats", data=VALUES, chunks=(2, 3), compression="gzip")
    assert mat_shape(tmp_path / "a.mat", "feats") == (3, 4)
    np.testing.assert_array_equal(np.concatenate(list(mat_columns(tmp_path / "a.mat", "feats", 1, 2))), VALUES[1:])
