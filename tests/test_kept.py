"""What the cache holds: told, verified and thrown away by the command."""

import os
import time

import numpy as np
import pytest
import torch
from course_twin import write_course_twin
from filelock import FileLock
from typer.testing import CliRunner

from xmr_lib.cli import app
from xmr_lib.course import feature_files, import_vgg
from xmr_lib.data import read_dataset
from xmr_lib.errors import XmrError
from xmr_lib.features.store_writer import StoreWriter
from xmr_lib.kept import LEFTOVER, STORE, TENSORS, UNFINISHED, kept
from xmr_lib.tensor_file import read_tensors, write_tensors

AN_HOUR_AGO = time.time() - 4000


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A store, a checkpoint, and what three kills left."""
    monkeypatch.setenv("XMR_CACHE", str(tmp_path))
    features, checkpoints = tmp_path / "d-1234" / "features", tmp_path / "d-1234" / "checkpoints" / "m"
    for name in ("whole", "half"):
        with StoreWriter(features / name, {}, (2,)) as writer:
            writer.append(np.arange(3), np.ones((3, 2), np.float32))
            writer.commit()
            if name == "whole":
                writer.finish()
    write_tensors(checkpoints / "seed0.safetensors", {"a": torch.ones(3)}, {"identity": "{}"})
    write_tensors(tmp_path / "e-5678" / "checkpoints" / "m" / "seed0.safetensors", {"a": torch.ones(3)}, {})
    for path in (checkpoints / ".seed0.safetensors.abc.tmp", features / "gone.lock"):
        path.touch()
        os.utime(path, (AN_HOUR_AGO, AN_HOUR_AGO))
    (checkpoints / ".seed1.safetensors.abc.tmp").touch()
    return tmp_path


def xmr(*command):
    result = CliRunner().invoke(app, ["cache", *command])
    if isinstance(result.exception, XmrError):
        return result.output, str(result.exception)
    assert result.exception is None, result.exception
    return result.output, ""


def test_everything_is_listed_with_its_kind(cache):
    kinds = {str(one.path.relative_to(cache / "d-1234")): one.kind for one in kept(cache) if one.dataset == "d-1234"}
    assert kinds == {
        "features/whole": STORE,
        "features/half.partial": UNFINISHED,
        "features/gone.lock": LEFTOVER,
        "checkpoints/m/seed0.safetensors": TENSORS,
        "checkpoints/m/.seed0.safetensors.abc.tmp": LEFTOVER,
        "checkpoints/m/.seed1.safetensors.abc.tmp": UNFINISHED,
    }
    output, _ = xmr("list")
    assert "d-1234/features/whole" in output and output.splitlines()[-1].endswith("7 things")


def test_what_changed_is_found_and_the_rest_is_whole(cache):
    output, told = xmr("verify")
    assert output.count(": whole") == 3 and not told
    values = cache / "d-1234" / "features" / "whole" / "values.npy"
    data = bytearray(values.read_bytes())
    data[-1] ^= 1
    values.write_bytes(data)
    output, told = xmr("verify")
    assert output.count(": whole") == 2 and "values.npy near row 0" in output
    assert told.startswith("1 of 3 are damaged")


def test_only_what_kills_left_goes_unless_more_is_asked_for(cache):
    output, _ = xmr("prune")
    assert "2 things would be deleted; add --yes" in output
    assert len(kept(cache)) == 7
    xmr("prune", "--yes")
    assert len(kept(cache)) == 5 and not [one for one in kept(cache) if one.kind == LEFTOVER]
    xmr("prune", "--dataset", "e", "--yes")
    assert {one.dataset for one in kept(cache)} == {"d-1234"}
    xmr("prune", "--older-than", "0.01", "--yes")
    assert len(kept(cache)) == 4


def test_what_another_process_writes_stays(cache):
    with FileLock(str(cache / "d-1234" / "features" / "half") + ".lock"):
        output, _ = xmr("prune", "--dataset", "d-1234", "--yes")
    assert "1 are being written by another process and stay" in output
    assert (cache / "d-1234" / "features" / "half.partial").exists()
    assert not (cache / "d-1234" / "features" / "whole").exists()


def test_a_source_that_changed_after_its_import_is_found(tmp_path, monkeypatch):
    """In its middle, with its size and its time kept: opening looks at its ends alone."""
    monkeypatch.setenv("XMR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(feature_files, "MEGABYTE", 1000)
    folder = write_course_twin(tmp_path / "course", images=40, with_images=False)
    store = tmp_path / "cache" / "c-1" / "features" / "vgg"
    import_vgg(folder / "vgg_feats.mat", read_dataset(folder), store)
    assert xmr("verify", "--sources") == (f"{store.relative_to(tmp_path / 'cache')}: whole\n", "")
    source = folder / "vgg_feats.mat"
    times, data = source.stat(), bytearray(source.read_bytes())
    data[len(data) // 2] ^= 1
    source.write_bytes(data)
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    import_vgg(source, read_dataset(folder), store)
    assert xmr("verify")[1] == ""
    output, told = xmr("verify", "--sources")
    assert f"{source} is not as it was when it was imported" in output and "1 of 1 are damaged" in told


def test_tensors_are_read_as_they_were_written_and_older_files_are_believed(tmp_path):
    from safetensors.torch import save_file

    tensors = {"half": torch.randn(3, 2).to(torch.bfloat16), "turned": torch.randn(3, 2).T, "one": torch.tensor(2.0)}
    write_tensors(tmp_path / "a", tensors, {"key": "ü"})
    facts, found = read_tensors(tmp_path / "a", "x", "y")
    assert facts == {"key": "ü"} and found.keys() == tensors.keys()
    assert all(torch.equal(found[name], tensors[name]) for name in tensors)
    save_file({"one": torch.tensor(2.0)}, tmp_path / "b", {"key": "v"})
    assert read_tensors(tmp_path / "b", "x", "y")[0] == {"key": "v"}
    with pytest.raises(XmrError, match=r"c: (can't be read|not x)"):
        read_tensors(tmp_path / "c", "x", "y")
