"""Kills, full disks, two writers, damage: nothing half-written is ever taken for whole."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from xmr_lib.errors import XmrError
from xmr_lib.features.store import FeatureStore
from xmr_lib.features.store_writer import AlreadyThere, NotFinite, StoreWriter

# One way to write a ragged store of 12 items, used by this process and by those that are killed.
WRITE = """
import numpy as np
from xmr_lib.features.store_writer import StoreWriter

def write(folder, rows=40, items=12, every=3, after_commit=lambda writer: None):
    with StoreWriter(folder, {"extractor": "test"}, (25,), ragged=True) as writer:
        for item in range(writer.done, items):
            lengths = np.array([rows + item])
            values = np.random.default_rng(item).random((rows + item, 25), dtype=np.float32)
            writer.append(np.array([100 - item]), values, lengths)
            if item % every == every - 1:
                writer.commit()
                after_commit(writer)
        return writer.finish()
"""

KILLED = (
    WRITE
    + """
import sys, time
from pathlib import Path

def after_commit(writer):
    if writer.done == 6:
        # What follows reaches the disk, but no journal says so.
        writer.append(np.array([999]), np.ones((3000, 25), np.float32), np.array([3000]))
        for file in writer._files.values():
            file.flush()
        print("half-way", flush=True)
        time.sleep(60)

write(Path(sys.argv[1]), after_commit=after_commit)
"""
)

KILLED_AT_EVERY_LINE = (
    WRITE
    + """
import itertools, os, signal, sys
from pathlib import Path
from xmr_lib import paths
from xmr_lib.errors import XmrError
from xmr_lib.features import store_writer
from xmr_lib.features.store import FeatureStore

base, watched = Path(sys.argv[1]), {paths.__file__, store_writer.__file__}
# A kill does not lose what the system has taken over; flushing to the disk only costs time here.
os.fsync = lambda handle: None

def trace_lines(visit):
    def trace(frame, event, argument):
        if frame.f_code.co_filename not in watched:
            return None
        if event == "line":
            visit((frame.f_code.co_filename, frame.f_lineno))
        return trace
    sys.settrace(trace)

def kill_at(moment):
    moments = itertools.count()
    def visit(line):
        if next(moments) == moment:
            os.kill(os.getpid(), signal.SIGKILL)
    trace_lines(visit)

def contents(folder):
    return {name: (folder / name).read_bytes() for name in ("ids.npy", "meta.json", "offsets.npy", "values.npy")}

def write_small(folder):
    write(folder, rows=1, items=3, every=2)

visited = []
trace_lines(visited.append)
write_small(base / "whole")
sys.settrace(None)
first = {line: moment for moment, line in reversed(list(enumerate(visited)))}
last = {line: moment for moment, line in enumerate(visited)}
moments = sorted({*first.values(), *last.values()})

whole, resumed, ended_early = contents(base / "whole"), 0, 0
for moment in moments:
    folder = base / f"killed{moment}"
    child = os.fork()
    if not child:
        kill_at(moment)
        write_small(folder)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status
    if folder.exists():
        ended_early += 1
    else:
        try:
            FeatureStore.open(folder)
            raise SystemExit(f"opened after a kill at moment {moment}")
        except XmrError:
            pass
        resumed += (folder.with_name(folder.name + ".partial") / "journal.json").exists()
        write_small(folder)
    assert contents(folder) == whole, visited[moment]
print(len(moments), resumed, ended_early)
"""
)

FULL = (
    WRITE
    + """
import json, resource, subprocess, sys
from pathlib import Path
from xmr_lib.errors import XmrError
from xmr_lib.features.store import FeatureStore

base, how = Path(sys.argv[1]), sys.argv[2]

def limit(size):
    if how == "tmpfs":
        subprocess.run(["mount", "-o", f"remount,size={size}", str(base)], check=True)
    else:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

def names(folder):
    return ("ids.npy", "meta.json", "offsets.npy", "values.npy")

told, resumed = set(), set()
for size in range(4096, 1 << 20, 4096):
    folder = base / f"store{size}"
    limit(size)
    try:
        write(folder)
        limit(1 << 24)
        break
    except XmrError as error:
        limit(1 << 24)
        told.add(str(error))
    try:
        FeatureStore.open(folder)
        raise SystemExit("opened what a full disk left")
    except XmrError:
        pass
    with StoreWriter(folder, {"extractor": "test"}, (25,), ragged=True) as writer:
        resumed.add(writer.done)
    write(folder)
    found = {name: (folder / name).read_bytes().hex() for name in names(folder)}
    for path in folder.iterdir():
        path.unlink()
print(json.dumps({"told": sorted(told), "resumed": sorted(resumed), "found": found}))
"""
)


def write(folder: Path, rows: int = 40) -> FeatureStore:
    scope: dict = {}
    exec(WRITE, scope)
    return scope["write"](folder, rows)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_kill_in_the_middle_loses_only_what_was_not_committed(tmp_path):
    folder = tmp_path / "store"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "half-way\n"
        process.kill()
        assert process.wait() == -9
    with pytest.raises(XmrError, match="incomplete feature store"):
        FeatureStore.open(folder)
    with StoreWriter(folder, {"extractor": "test"}, (25,), ragged=True) as writer:
        assert writer.done == 6
    write(folder)
    write(tmp_path / "whole")
    assert contents(folder) == contents(tmp_path / "whole")


def test_a_kill_at_any_line_of_the_writer(tmp_path):
    """At the first and at the last time that each line is run."""
    ran = subprocess.run(
        [sys.executable, "-c", KILLED_AT_EVERY_LINE, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    kills, resumed, ended_early = map(int, ran.stdout.split())
    # They met every phase: before the first commit, between the first and the renaming, and after it.
    assert kills - resumed - ended_early > 20 and resumed > 50 and ended_early > 5


def test_a_full_disk_at_any_size(tmp_path):
    """On a real small disk where a private mount can be had, else under a real limit to the size of files."""
    mount = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=2m none "$1" && shift && exec "$@"', "sh"]
    try:
        can_mount = subprocess.run([*mount, str(tmp_path), "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        can_mount = False
    command = [sys.executable, "-c", FULL, str(tmp_path), "tmpfs" if can_mount else "limit"]
    command = [*mount, str(tmp_path), *command] if can_mount else command
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert all("the disk is full" in line and "\n" not in line for line in result["told"])
    # It failed before the first commit and after others.
    assert {0, 3, 6} <= set(result["resumed"])
    whole = write(tmp_path / "whole").folder
    assert {name: bytes.fromhex(data) for name, data in result["found"].items()} == contents(whole)


def test_a_full_disk_is_told_by_every_method(tmp_path, monkeypatch):
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with StoreWriter(tmp_path / "store", {}, (2,)) as writer:
        writer.append(np.arange(3), np.ones((3, 2), np.float32))
        writer.commit()
        writer.append(np.arange(3, 5), np.ones((2, 2), np.float32))
        monkeypatch.setattr(os, "fsync", full)
        for method in (writer.commit, writer.finish):
            with pytest.raises(XmrError, match=r"the disk is full; .* goes on after the 3 items that are safe"):
                method()
    monkeypatch.undo()
    with StoreWriter(tmp_path / "store", {}, (2,)) as writer:
        assert writer.done == 3


def test_an_append_that_failed_half_way_is_never_committed(tmp_path, monkeypatch):
    with StoreWriter(tmp_path / "store", {}, (2,)) as writer:
        monkeypatch.setitem(writer._files, "ids", open(os.devnull, "rb"))  # noqa: SIM115
        with pytest.raises(XmrError, match="can't be written"):
            writer.append(np.arange(3), np.ones((3, 2), np.float32))
        monkeypatch.undo()
        with pytest.raises(XmrError, match="an append failed half-way"):
            writer.commit()


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(XmrError, match="can't be written"), StoreWriter(tmp_path / "file" / "store", {}, (2,)):
        pass


@pytest.mark.parametrize("ends_well", [True, False])
def test_a_second_writer_waits_and_finds_the_store_or_goes_on(tmp_path, capsys, ends_well):
    found = []

    def second():
        try:
            with StoreWriter(tmp_path / "store", {}, (2,)) as writer:
                found.append(writer.done)
        except AlreadyThere:
            found.append(len(FeatureStore.open(tmp_path / "store")))

    with StoreWriter(tmp_path / "store", {}, (2,)) as first:
        other = threading.Thread(target=second)
        other.start()
        first.append(np.arange(2), np.ones((2, 2), np.float32))
        first.commit()
        other.join(0.3)
        assert other.is_alive() and not found
        first.append(np.arange(2, 3), np.ones((1, 2), np.float32))
        if ends_well:
            first.finish()
    other.join()
    assert found == [3 if ends_well else 2]
    assert "store: another process is making it; waiting for it" in capsys.readouterr().err


@pytest.mark.parametrize(("dtype", "value", "told"), [("float32", np.nan, "float32"), ("float16", 1e6, "float16")])
def test_what_is_not_finite_is_not_stored(tmp_path, dtype, value, told):
    values = np.ones((5, 2), np.float32)
    values[3, 1] = value
    with StoreWriter(tmp_path / "store", {}, (2,), ragged=True, dtype=dtype) as writer:
        with pytest.raises(NotFinite, match=f"the features of id 12 are not finite as {told}") as error:
            writer.append(np.array([10, 11, 12]), values, np.array([2, 0, 3]))
        assert error.value.item == 2
        writer.append(np.array([10]), values[:2], np.array([2]))
        assert len(writer.finish()) == 1


def test_a_store_without_checksums_is_believed(tmp_path):
    """As older versions wrote them."""
    write(tmp_path / "store")
    meta = json.loads((tmp_path / "store" / "meta.json").read_text())
    for key in ("checksum", "checksums"):
        del meta[key]
    (tmp_path / "store" / "meta.json").write_text(json.dumps(meta))
    store = FeatureStore.open(tmp_path / "store")
    assert store.blocks is None
    store.take(store.ids)


def test_only_the_rows_asked_for_are_looked_at(tmp_path):
    values = np.random.default_rng(0).normal(size=(4000, 100)).astype(np.float32)
    with StoreWriter(tmp_path / "store", {}, (100,)) as writer:
        writer.append(np.arange(4000), values)
        writer.finish()
    path = tmp_path / "store" / "values.npy"
    data = bytearray(path.read_bytes())
    data[-7] ^= 4
    path.write_bytes(data)
    store = FeatureStore.open(tmp_path / "store")
    np.testing.assert_array_equal(store.take(np.arange(5, 2000, 7)), values[5:2000:7])
    with pytest.raises(XmrError, match=r"damaged: bytes of values.npy near row 3932 are not those"):
        store.take(np.array([3, 3999]))
    with pytest.raises(XmrError, match="delete it and run again"):
        store.verify()


def test_a_whole_store_is_not_written_again(tmp_path):
    write(tmp_path / "store")
    with pytest.raises(XmrError, match="is there already"):
        write(tmp_path / "store")


@pytest.mark.parametrize(
    "other", [{"meta": {"extractor": "other"}}, {"row_shape": (5, 5)}, {"ragged": False}, {"dtype": "float64"}]
)
def test_what_other_settings_left_is_not_gone_on_with(tmp_path, other):
    settings = {"meta": {"extractor": "test"}, "row_shape": (25,), "ragged": True}
    with StoreWriter(tmp_path / "store", **settings) as writer:
        writer.append(np.arange(2), np.ones((5, 25), np.float32), np.array([2, 3]))
        writer.commit()
    with StoreWriter(tmp_path / "store", **{**settings, **other}) as writer:
        assert writer.done == 0


@pytest.mark.parametrize("harm", ["no values", "short values", "no journal", "not json", "half a journal", "a list"])
def test_a_damaged_partial_store_is_begun_anew(tmp_path, harm):
    with StoreWriter(tmp_path / "store", {"extractor": "test"}, (25,), ragged=True) as writer:
        writer.append(np.arange(2), np.ones((5, 25), np.float32), np.array([2, 3]))
        writer.commit()
    values, journal = tmp_path / "store.partial" / "values.npy", tmp_path / "store.partial" / "journal.json"
    {
        "no values": values.unlink,
        "short values": lambda: os.truncate(values, 300),
        "no journal": journal.unlink,
        "not json": lambda: journal.write_text('{"made": '),
        "half a journal": lambda: journal.write_text('{"items": 2}'),
        "a list": lambda: journal.write_text("[1, 2]"),
    }[harm]()
    assert contents(write(tmp_path / "store").folder) == contents(write(tmp_path / "whole").folder)


@pytest.mark.parametrize(
    "file, content",
    [
        ("meta.json", b""),
        ("meta.json", b'{"made_by": {"extr'),
        ("meta.json", b"[1, 2]"),
        ("meta.json", b'{"ragged": true}'),
        ("meta.json", b'{"made_by": 3, "ragged": true, "skipped": {}}'),
        ("meta.json", b"\xff\xfe"),
        ("ids.npy", b""),
        ("ids.npy", b"not npy"),
        ("offsets.npy", None),
        ("values.npy", None),
    ],
)
def test_a_damaged_store_is_told_in_one_line(tmp_path, file, content):
    folder = write(tmp_path / "store").folder
    (folder / file).write_bytes((folder / file).read_bytes()[:-8] if content is None else content)
    with pytest.raises(XmrError, match=r"store: the feature store is damaged \(.*\); delete it and run again") as told:
        FeatureStore.open(folder)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("arrays", [{"ids.npy": np.arange(11)}, {"offsets.npy": np.array([0, 5, 3])}])
def test_arrays_that_do_not_fit_each_other(tmp_path, arrays):
    folder = write(tmp_path / "store").folder
    for name, array in arrays.items():
        np.save(folder / name, array)
    with pytest.raises(XmrError, match="damaged"):
        FeatureStore.open(folder)


@pytest.mark.parametrize("file", ["meta.json", "ids.npy", "offsets.npy", "values.npy"])
def test_a_missing_file_is_named(tmp_path, file):
    folder = write(tmp_path / "store").folder
    (folder / file).unlink()
    with pytest.raises(XmrError, match=rf"incomplete feature store \({file} is missing\)"):
        FeatureStore.open(folder)


def test_a_store_that_cannot_be_read(tmp_path):
    folder = write(tmp_path / "store").folder
    (folder / "meta.json").unlink()
    (folder / "meta.json").mkdir()
    with pytest.raises(XmrError, match="can't be read"):
        FeatureStore.open(folder)
