"""The feature store: what is appended comes out again, by id, memory-mapped."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xmr_lib.errors import XmrError
from xmr_lib.features.store import FeatureStore
from xmr_lib.features.store_writer import StoreWriter

META = {"extractor": "test", "size": 224, "mean": (0.5, 0.25)}
LENGTHS = np.array([2, 0, 5, 1, 0, 3, 1, 7, 2, 4])
IDS = np.array([40, 7, 1000, 3, 12, 5, 6, 900, 2, 0])


def rows(count: int, width: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


def written(folder, values, lengths=None, ids=IDS, meta=META) -> FeatureStore:
    with StoreWriter(folder, meta, values.shape[1:], ragged=lengths is not None, dtype=values.dtype) as writer:
        writer.append(ids, values, lengths)
        return writer.finish()


def contents(folder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_rows_come_back_by_id_in_the_order_asked(tmp_path):
    values = rows(10)
    store = written(tmp_path / "a" / "store", values)
    assert isinstance(store.values, np.memmap)
    assert len(store) == 10 and store.offsets is None and store.skipped == {}
    np.testing.assert_array_equal(store.take(np.array([5, 40, 5])), values[[5, 0, 5]])
    assert store.take(np.array([], dtype=np.int64)).shape == (0, 3)
    assert type(store.take(np.array([5]))) is np.ndarray
    np.testing.assert_array_equal(store.positions(IDS), np.arange(10))


def test_ragged_items_come_back_with_their_own_rows(tmp_path):
    values = rows(int(LENGTHS.sum()))
    store = written(tmp_path / "store", values, LENGTHS)
    parts = dict(zip(IDS.tolist(), np.split(values, np.cumsum(LENGTHS)[:-1]), strict=True))
    wanted = np.array([900, 7, 40, 900, 0])
    taken = store.take(wanted)
    for item, name in enumerate(wanted.tolist()):
        np.testing.assert_array_equal(taken[item], parts[name])


@pytest.mark.parametrize(
    "dtype, shape", [("float16", (1280,)), ("float32", (2, 3, 4)), ("uint8", ()), ("float64", (1,))]
)
def test_any_dtype_and_row_shape(tmp_path, dtype, shape):
    values = (np.random.default_rng(1).random((4, *shape)) * 200).astype(dtype)
    store = written(tmp_path / "store", values, ids=np.arange(4))
    assert store.values.dtype == dtype
    np.testing.assert_array_equal(store.take(np.arange(4)), values)
    # Anything that reads .npy reads the values.
    np.testing.assert_array_equal(np.load(tmp_path / "store" / "values.npy"), values)


@pytest.mark.parametrize("ragged", [False, True])
def test_a_store_of_nothing(tmp_path, ragged):
    with StoreWriter(tmp_path / "store", META, (3,), ragged=ragged) as writer:
        writer.skip("broken.jpg", "truncated")
        assert writer.done == 0
        store = writer.finish()
        assert writer.done == 1
    assert len(store) == 0 and store.skipped == {"broken.jpg": "truncated"}
    assert FeatureStore.open(tmp_path / "store", META).values.shape == (0, 3)
    with pytest.raises(XmrError, match=r"no features for id 4 \(2 ids are missing in all\)"):
        store.take(np.array([4, 5]))


@pytest.mark.parametrize("unknown", [-1, 8, 2000])
def test_a_missing_id_is_named(tmp_path, unknown):
    store = written(tmp_path / "store", rows(10))
    with pytest.raises(XmrError, match=rf"no features for id {unknown} \(1 ids are missing in all\)"):
        store.take(np.array([40, unknown, 7]))


def test_what_made_the_store_is_compared_key_by_key(tmp_path):
    written(tmp_path / "store", rows(10))
    # Tuples become lists in JSON; that is no difference.
    assert FeatureStore.open(tmp_path / "store", META).meta["mean"] == [0.5, 0.25]
    with pytest.raises(XmrError, match="made with size = 224, not 256"):
        FeatureStore.open(tmp_path / "store", {**META, "size": 256})
    with pytest.raises(XmrError, match="made with weights = None, not 'abc'"):
        FeatureStore.open(tmp_path / "store", {**META, "weights": "abc"})


def test_a_finished_store_is_all_that_is_left(tmp_path):
    written(tmp_path / "store", rows(int(LENGTHS.sum())), LENGTHS)
    assert sorted(contents(tmp_path / "store")) == ["ids.npy", "meta.json", "offsets.npy", "values.npy"]
    assert not (tmp_path / "store.partial").exists()


def test_what_does_not_fit_is_refused(tmp_path):
    with StoreWriter(tmp_path / "store", META, (3,)) as writer:
        with pytest.raises(XmrError, match=r"rows of shape \(4,\) do not fit \(3,\)"):
            writer.append(np.arange(2), rows(2, width=4))
        with pytest.raises(XmrError, match="5 rows do not fit 2 items"):
            writer.append(np.arange(2), rows(5))
        with pytest.raises(XmrError, match="2 rows do not fit 2 items"):
            writer.append_bytes(np.arange(2), bytes(23), 2, None)
    with StoreWriter(tmp_path / "ragged", META, (3,), ragged=True) as writer:
        for lengths in (None, np.array([5]), np.array([2, 2])):
            with pytest.raises(XmrError, match="5 rows do not fit 2 items"):
                writer.append(np.arange(2), rows(5), lengths)


def test_an_id_twice_is_refused_and_the_next_run_starts_anew(tmp_path):
    with pytest.raises(XmrError, match="id 7 was appended twice"):
        written(tmp_path / "store", rows(3), ids=np.array([7, 1, 7]))
    with StoreWriter(tmp_path / "store", META, (3,)) as writer:
        assert writer.done == 0


def test_skipped_items_count_as_done_even_under_one_name(tmp_path):
    with StoreWriter(tmp_path / "store", META, (3,)) as writer:
        writer.append(np.arange(2), rows(2))
        writer.skip("a.jpg", "broken")
        writer.skip("a.jpg", "broken")
        writer.commit()
    with StoreWriter(tmp_path / "store", META, (3,)) as writer:
        assert writer.done == 4
        assert writer.finish().skipped == {"a.jpg": "broken"}


steps = st.lists(st.one_of(st.integers(1, 4), st.sampled_from(["commit", "reopen"])), max_size=12)


@pytest.mark.parametrize("ragged", [False, True])
@settings(max_examples=25, deadline=None)
@given(steps=steps)
def test_any_steps_give_what_one_append_gives(tmp_path_factory, ragged, steps):
    """Integers append that many items; ``reopen`` leaves the writer, and the next goes on where ``done`` says."""
    folder = tmp_path_factory.mktemp("steps")
    lengths = LENGTHS if ragged else np.ones(len(IDS), dtype=np.int64)
    values, starts = rows(int(lengths.sum())), np.concatenate([[0], np.cumsum(lengths)])
    written(folder / "whole", values, lengths if ragged else None)

    def append(writer: StoreWriter, first: int, last: int) -> None:
        part = values[starts[first] : starts[last]]
        writer.append(IDS[first:last], part, lengths[first:last] if ragged else None)

    steps = [*steps, "reopen", len(IDS)]
    while steps:
        with StoreWriter(folder / "pieces", META, (3,), ragged=ragged) as writer:
            position = writer.done
            while steps and (step := steps.pop(0)) != "reopen":
                if step == "commit":
                    writer.commit()
                    assert writer.done == position
                else:
                    append(writer, position, last := min(position + step, len(IDS)))
                    position = last
            if not steps:
                writer.finish()
    assert contents(folder / "pieces") == contents(folder / "whole")
