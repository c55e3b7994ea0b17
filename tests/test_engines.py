"""One suite over all engines, against sorting in numpy; then what only one of them has."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from xmr_lib.errors import XmrError
from xmr_lib.index.choice import EXACT_UP_TO, engine_for
from xmr_lib.index.engine import ENGINES
from xmr_lib.index.exact import ExactEngine
from xmr_lib.index.hnsw import HnswEngine
from xmr_lib.index.milvus import MilvusEngine

DIM, CLUSTERS, ITEMS = 32, 40, 2000
SERVER = os.environ.get("XMR_MILVUS_URI", "")
KINDS = ["exact", "exact16", "faiss", "milvus", "milvus-server"]
EXACT = {"exact": 1e-5, "exact16": 1e-3}
SCORE = {**EXACT, "faiss": 1e-3, "milvus": 1e-5, "milvus-server": 1e-5}
"""How far a score may be off: half precision, or single."""

# One way to open an engine and to make vectors, used by this process and by those that are started.
OPEN = """
import json, sys
import numpy as np
from pathlib import Path

def vectors(items, dim=32, clusters=40, seed=0):
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(clusters, dim))
    found = centres[rng.integers(0, clusters, items)] + 0.4 * rng.normal(size=(items, dim))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

def opened(kind, folder, dim=32, uri=""):
    if kind == "faiss":
        from xmr_lib.index.hnsw import HnswEngine
        return HnswEngine(folder, dim)
    if kind in ("milvus", "milvus-server"):
        from xmr_lib.index.milvus import MilvusEngine
        return MilvusEngine(folder, dim, uri if kind == "milvus-server" else "")
    from xmr_lib.index.exact import ExactEngine
    return ExactEngine(folder, dim, dtype="float16" if kind == "exact16" else "float32")
"""
exec(OPEN)
VECTORS, QUERIES = vectors(ITEMS), vectors(50, seed=1)
NUMBERS = np.random.default_rng(2).permutation(10 * ITEMS)[:ITEMS].astype(np.int64)


def best(queries, gallery, numbers, top):
    """The oracle: inner products in double precision, sorted."""
    scores = queries.astype(float) @ gallery.astype(float).T
    order = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    return numbers[order], np.take_along_axis(scores, order, 1)


def scores_of(queries, gallery, numbers, found):
    place = {number: row for row, number in enumerate(numbers.tolist())}
    return np.array(
        [[float(q @ gallery[place[n]]) for n in row] for q, row in zip(queries, found.tolist(), strict=True)]
    )


@pytest.fixture(params=KINDS)
def kind(request):
    if request.param == "faiss":
        pytest.importorskip("faiss")
    if request.param.startswith("milvus"):
        pytest.importorskip("pymilvus")
    if request.param == "milvus":
        pytest.importorskip("milvus_lite")
    if request.param == "milvus-server" and not SERVER:
        pytest.skip("needs XMR_MILVUS_URI")
    return request.param


@pytest.fixture
def make(kind, tmp_path):
    """Open the engine under test in one folder, as often as it is asked for; close what is open at the end."""
    open_now = []

    def make(dim=DIM):
        close()
        open_now.append(opened(kind, tmp_path / "engine", dim, SERVER))
        return open_now[-1]

    def close():
        while open_now:
            open_now.pop().close()

    make.close = close
    yield make
    if kind == "milvus-server":
        engine = make()
        engine._client.drop_collection(engine._name)
    close()


@pytest.fixture
def full(make):
    engine = make()
    engine.add(NUMBERS[:1500], VECTORS[:1500])
    engine.add(NUMBERS[1500:], VECTORS[1500:])
    return engine


def run(code, *arguments):
    command = [sys.executable, "-c", OPEN + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def test_the_nearest_are_those_of_sorting(kind, full):
    found, scores = full.search(QUERIES, 10)
    expected, right = best(QUERIES, VECTORS, NUMBERS, 10)
    assert found.dtype == np.int64 and scores.dtype == np.float32
    assert scores == pytest.approx(scores_of(QUERIES, VECTORS, NUMBERS, found), abs=SCORE[kind])
    assert (np.diff(scores, axis=1) <= 0).all()
    if kind == "exact":
        assert (found == expected).all()
    if kind in EXACT:
        assert scores == pytest.approx(right, abs=EXACT[kind])
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), expected.tolist(), strict=True)])
    assert recall >= 0.95
    one = [full.search(QUERIES[i : i + 1], 10)[0][0].tolist() for i in range(5)]
    assert one == found[:5].tolist()


def test_what_is_removed_is_gone_and_can_come_back(full):
    expected, _ = best(QUERIES, VECTORS, NUMBERS, 10)
    gone = np.unique(expected[:, :3])
    full.remove(np.concatenate([gone, [999_999]]))
    full.remove(np.array([], np.int64))
    kept = ~np.isin(NUMBERS, gone)
    assert len(full) == kept.sum() and full.ids().tolist() == sorted(NUMBERS[kept].tolist())
    found, _ = full.search(QUERIES, 10)
    assert (found >= 0).all() and not np.isin(found, gone).any()
    # Under the old number, with another vector.
    full.add(gone[:1], QUERIES[:1])
    found, scores = full.search(QUERIES[:1], 1)
    assert found.tolist() == [[gone[0]]] and scores[0, 0] == pytest.approx(1, abs=1e-3)
    assert len(full) == kept.sum() + 1


def test_a_region_that_was_removed_whole_hides_nothing(full):
    """An approximate engine walks from neighbour to neighbour; around the query, there are none left."""
    expected, _ = best(QUERIES[:1], VECTORS, NUMBERS, 300)
    full.remove(expected[0])
    kept = ~np.isin(NUMBERS, expected)
    found, _ = full.search(QUERIES[:1], 20)
    right, _ = best(QUERIES[:1], VECTORS[kept], NUMBERS[kept], 20)
    assert len(set(found[0].tolist()) & set(right[0].tolist())) >= 19


def test_items_fewer_than_asked_for_are_padded(make):
    engine = make()
    engine.add(NUMBERS[:3], VECTORS[:3])
    found, scores = engine.search(QUERIES[:2], 5)
    expected, _ = best(QUERIES[:2], VECTORS[:3], NUMBERS[:3], 3)
    assert found.tolist() == [[*row, -1, -1] for row in expected.tolist()]
    assert np.isneginf(scores[:, 3:]).all() and np.isfinite(scores[:, :3]).all()


def test_vectors_that_are_all_alike_are_all_found(make):
    engine = make()
    engine.add(NUMBERS[:300], np.repeat(VECTORS[:1], 300, 0))
    found, _ = engine.search(VECTORS[:1], 300)
    assert sorted(found[0].tolist()) == sorted(NUMBERS[:300].tolist())


def test_an_empty_engine_finds_nothing(make):
    engine = make()
    assert len(engine) == 0 and engine.ids().tolist() == []
    engine.add(np.array([], np.int64), np.empty((0, DIM), np.float32))
    engine.remove(np.array([3]))
    for queries in (QUERIES[:2], QUERIES[:0]):
        found, scores = engine.search(queries, 4)
        assert found.tolist() == [[-1] * 4] * len(queries) and np.isneginf(scores).all()
    engine.save()
    assert len(make()) == 0


def test_all_is_there_in_a_process_of_its_own(kind, full, make, tmp_path):
    full.remove(NUMBERS[:100])
    full.save()
    found, scores = full.search(QUERIES, 10)
    make.close()
    code = """
engine = opened(sys.argv[1], Path(sys.argv[2]), uri=sys.argv[3])
found, scores = engine.search(vectors(50, seed=1), 10)
print(json.dumps([len(engine), engine.ids().tolist(), found.tolist(), scores.tolist()]))
"""
    ran = run(code, kind, tmp_path / "engine", SERVER)
    # Not closed: the process ends by itself, and without a word.
    assert (ran.returncode, ran.stderr) == (0, "")
    length, ids, others, values = json.loads(ran.stdout)
    assert length == ITEMS - 100 and ids == sorted(NUMBERS[100:].tolist())
    assert others == found.tolist() and np.array(values) == pytest.approx(scores)


def test_more_is_added_to_what_was_saved(make):
    engine = make()
    engine.add(NUMBERS[:700], VECTORS[:700])
    engine.save()
    engine = make()
    engine.add(NUMBERS[700:], VECTORS[700:])
    engine.save()
    found, _ = make().search(VECTORS[650:750], 1)
    assert found[:, 0].tolist() == NUMBERS[650:750].tolist()


def test_another_length_of_vector_is_refused(make):
    engine = make()
    engine.add(NUMBERS[:5], VECTORS[:5])
    engine.save()
    with pytest.raises(XmrError, match="vectors of length 16 do not fit"):
        engine.add(NUMBERS[5:7], VECTORS[5:7, :16])
    with pytest.raises(XmrError, match="length 16"):
        engine.search(QUERIES[:, :16], 1)
    assert len(engine) == 5
    make.close()
    with pytest.raises(XmrError, match=f"has vectors of length {DIM}, not 16; use another folder"):
        make(16)
    assert len(make()) == 5


DAMAGE = {
    "exact": ["exact.json", "vectors-0.bin", "ids-0.bin"],
    "faiss": ["hnsw.npz", "hnsw-1.faiss"],
    "milvus": ["milvus.db/collections/vectors/schema.json", "**/data_*.parquet"],
}
# Without its list of files a folder is a new one, to two of them.
DAMAGES = [(kind, name, "cut") for kind, names in DAMAGE.items() for name in names]
DAMAGES += [
    ("exact", "vectors-0.bin", "missing"),
    ("exact", "ids-0.bin", "missing"),
    ("faiss", "hnsw-1.faiss", "missing"),
]


@pytest.mark.parametrize(("kind", "name", "how"), DAMAGES, indirect=["kind"])
def test_damage_is_told_in_one_line(make, tmp_path, name, how, capfd):
    engine = make()
    engine.add(NUMBERS[:50], VECTORS[:50])
    engine.save()
    make.close()
    [path] = (tmp_path / "engine").glob(name)
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    else:
        path.unlink()
    with pytest.raises(XmrError) as told:
        make()
    assert "\n" not in str(told.value) and str(tmp_path) in str(told.value)
    assert "delete the folder, index again" in str(told.value) or how == "missing"
    assert capfd.readouterr().err == ""


def test_after_a_kill_what_was_saved_is_there(kind, make, tmp_path):
    code = """
engine, rows = opened(sys.argv[1], Path(sys.argv[2]), uri=sys.argv[3]), vectors(2000)
engine.add(np.arange(600), rows[:600])
engine.remove(np.arange(50))
engine.save()
for start in range(600, 2000, 10):
    engine.add(np.arange(start, start + 10), rows[start : start + 10])
    print(start, flush=True)
engine.remove(np.arange(100, 200))
print("all", flush=True)
import time
time.sleep(60)
"""
    command = [sys.executable, "-c", OPEN + code, kind, str(tmp_path / "engine"), SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(30):
            assert process.stdout.readline()
        process.kill()
    engine = make()
    ids = engine.ids()
    # A busy machine may kill only after the last removal: what was saved and never removed is there.
    saved = {*range(50, 100), *range(200, 600)}
    assert len(engine) == len(ids) and saved <= set(ids.tolist()) and ids.min() >= 50
    rows = vectors(2000)
    found, scores = engine.search(rows[ids], 1)
    assert (found[:, 0] == ids).mean() >= (1 if kind == "exact" else 0.95)
    assert scores[:, 0] == pytest.approx(1, abs=2e-3)
    missing = np.setdiff1d(np.arange(50, 2000), ids)
    engine.add(missing, rows[missing])
    engine.save()
    assert make().ids().tolist() == list(range(50, 2000))


# The exact engine alone


def test_half_precision_takes_half_the_disk_and_is_kept(tmp_path):
    engine = ExactEngine(tmp_path, DIM, dtype="float16")
    engine.add(NUMBERS, VECTORS)
    engine.save()
    assert (tmp_path / "vectors-0.bin").stat().st_size == 2 * DIM * ITEMS
    again = ExactEngine(tmp_path, DIM)
    assert again.dtype == np.float16
    assert again.take(NUMBERS[[5, 3]]) == pytest.approx(VECTORS[[5, 3]], abs=1e-3)


def test_the_exact_engine_is_written_anew_once_half_is_gone(tmp_path):
    engine = ExactEngine(tmp_path, DIM)
    engine.add(NUMBERS, VECTORS)
    engine.save()
    engine.remove(NUMBERS[:999])
    engine.save()
    assert (tmp_path / "vectors-0.bin").stat().st_size == 4 * DIM * ITEMS
    engine.remove(NUMBERS[:1000])
    engine.save()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["exact.json", "ids-1.bin", "vectors-1.bin"]
    assert (tmp_path / "vectors-1.bin").stat().st_size == 4 * DIM * 1000
    engine.add(NUMBERS[:10], VECTORS[:10])
    engine.save()
    again = ExactEngine(tmp_path, DIM)
    numbers, gallery = np.append(NUMBERS[1000:], NUMBERS[:10]), np.append(VECTORS[1000:], VECTORS[:10], 0)
    assert (again.search(QUERIES, 7)[0] == best(QUERIES, gallery, numbers, 7)[0]).all()
    assert again.take(numbers) == pytest.approx(gallery)
    ids, rows = zip(*again.live(), strict=True)
    assert np.concatenate(ids).tolist() == numbers.tolist() and np.concatenate(rows) == pytest.approx(gallery)
    with pytest.raises(XmrError, match="not there; index again"):
        again.take(NUMBERS[500:501])


def test_a_reader_keeps_what_it_opened_while_a_writer_goes_on(tmp_path):
    writer = ExactEngine(tmp_path, DIM)
    writer.add(NUMBERS[:500], VECTORS[:500])
    writer.save()
    reader, late = ExactEngine(tmp_path, DIM), ExactEngine(tmp_path, DIM)
    expected = best(QUERIES, VECTORS[:500], NUMBERS[:500], 5)[0].tolist()
    assert reader.search(QUERIES, 5)[0].tolist() == expected
    writer.add(NUMBERS[500:], VECTORS[500:])
    # Not saved yet: another reader takes what is safe.
    assert len(ExactEngine(tmp_path, DIM)) == 500
    writer.save()
    assert reader.search(QUERIES, 5)[0].tolist() == expected
    assert len(ExactEngine(tmp_path, DIM)) == ITEMS
    # Other files take the place of those that were opened, of which one was never searched.
    writer.remove(NUMBERS[:1500])
    writer.save()
    assert not (tmp_path / "vectors-0.bin").exists()
    assert reader.search(QUERIES, 5)[0].tolist() == late.search(QUERIES, 5)[0].tolist() == expected
    assert len(ExactEngine(tmp_path, DIM)) == 500


def test_a_number_that_a_kill_cut_in_half_is_dropped(tmp_path):
    engine = ExactEngine(tmp_path, DIM)
    engine.add(NUMBERS[:5], VECTORS[:5])
    engine.save()
    for name in ("ids-0.bin", "vectors-0.bin"):
        with (tmp_path / name).open("ab") as file:
            file.write(b"abc")
    engine = ExactEngine(tmp_path, DIM)
    engine.remove(NUMBERS[:1])
    engine.add(NUMBERS[5:7], VECTORS[5:7])
    engine.save()
    assert ExactEngine(tmp_path, DIM).take(NUMBERS[1:7]) == pytest.approx(VECTORS[1:7])


# FAISS alone


def test_the_graph_is_built_anew_once_a_fifth_is_gone(tmp_path):
    pytest.importorskip("faiss")
    engine = HnswEngine(tmp_path, DIM)
    engine.add(NUMBERS, VECTORS)
    engine.save()
    engine.remove(NUMBERS[:400])
    engine.save()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hnsw-1.faiss", "hnsw.npz"]
    engine = HnswEngine(tmp_path, DIM)
    assert engine._graph.ntotal == ITEMS and len(engine) == 1600
    engine.remove(NUMBERS[400:401])
    engine.save()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hnsw-2.faiss", "hnsw.npz"]
    again = HnswEngine(tmp_path, DIM)
    assert again._graph.ntotal == len(again) == 1599
    assert again.search(VECTORS[401:], 1)[0][:, 0].tolist() == NUMBERS[401:].tolist()


def test_a_coordinate_for_distances_is_borne(tmp_path):
    """Nearest by Euclidean distance: items have one coordinate more, and vary in length."""
    pytest.importorskip("faiss")
    gallery = VECTORS * np.random.default_rng(3).uniform(0.8, 1.2, (ITEMS, 1)).astype(np.float32)
    gallery = np.append(gallery, -(gallery**2).sum(1, keepdims=True) / 2, 1)
    queries = np.append(QUERIES, np.ones((len(QUERIES), 1), np.float32), 1)
    engine = HnswEngine(tmp_path, DIM + 1)
    engine.add(NUMBERS, gallery)
    found, _ = engine.search(queries, 10)
    expected, _ = best(queries, gallery, NUMBERS, 10)
    recall = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), expected.tolist(), strict=True)])
    assert recall >= 0.95


# Milvus alone


def test_a_milvus_that_is_open_elsewhere_is_told_in_one_line(tmp_path):
    pytest.importorskip("milvus_lite")
    engine = MilvusEngine(tmp_path, DIM)
    code = """
from xmr_lib.errors import XmrError
try:
    opened("milvus", Path(sys.argv[1]))
except XmrError as error:
    print(error)
"""
    ran = run(code, tmp_path)
    engine.close()
    assert (
        ran.stdout
        == f"{tmp_path / 'milvus.db'}: can't be opened (another process has it open; end it, or use a server: uri)\n"
    )
    assert ran.stderr == ""


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1", "http://nowhere.invalid:19530"])
def test_a_server_that_does_not_answer_is_told_in_one_line(tmp_path, uri, capfd):
    pytest.importorskip("pymilvus")
    with pytest.raises(XmrError, match=f"^{uri}: no Milvus server answers .*; see uri and XMR_MILVUS_TOKEN$"):
        MilvusEngine(tmp_path, DIM, uri)
    assert capfd.readouterr().err == ""


def test_an_address_of_another_kind_is_refused(tmp_path):
    with pytest.raises(XmrError, match="begins with http:// or https://"):
        MilvusEngine(tmp_path, DIM, "localhost:19530")


# Which one


@pytest.mark.parametrize(
    ("engine", "package", "extra"), [("faiss", "faiss", "index"), ("milvus", "pymilvus", "milvus")]
)
def test_a_missing_package_is_told_with_what_to_install(tmp_path, monkeypatch, engine, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(XmrError, match=rf"pip install 'xmr\[{extra}\]'") as told:
        ENGINES[engine](tmp_path, DIM)
    assert "\n" not in str(told.value)


def test_the_size_decides_where_faiss_is_installed(monkeypatch):
    assert engine_for(0) == engine_for(EXACT_UP_TO) == "exact"
    assert engine_for(EXACT_UP_TO + 1) == ("faiss" if find_spec("faiss") else "exact")
    monkeypatch.setattr("xmr_lib.index.choice.find_spec", lambda name: None)
    assert engine_for(10**9) == "exact"


def test_engines_are_known_by_their_names():
    assert list(ENGINES) == ["exact", "faiss", "milvus"]
    assert [ENGINES[name].exact for name in ENGINES] == [True, False, False]
