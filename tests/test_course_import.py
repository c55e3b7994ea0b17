"""Import of the course's two feature files: every row under its own id, and nothing that does not fit."""

import json
import pickle
import tracemalloc
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
from course_twin import write_course_twin

from xmr_lib.course import feature_files as course
from xmr_lib.course.feature_files import import_fasttext, import_vgg
from xmr_lib.course.matfile import mat_shape
from xmr_lib.data import read_dataset
from xmr_lib.data.captioned import CaptionedImages
from xmr_lib.errors import XmrError
from xmr_lib.features.store import FeatureStore


@pytest.fixture(scope="module")
def twin(tmp_path_factory) -> Path:
    return write_course_twin(tmp_path_factory.mktemp("twin"), images=40, with_images=False)


@pytest.fixture(scope="module")
def dataset(twin) -> CaptionedImages:
    return read_dataset(twin)


@pytest.fixture(scope="module")
def fasttext(twin) -> np.ndarray:
    return np.load(twin / "fasttext_feats.npy", allow_pickle=True)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(course, "BLOCK", 16)


def save_cells(path: Path, cells: np.ndarray, protocol: int = 4) -> Path:
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": cells.shape})
        pickle.dump(cells, file, protocol=protocol)
    return path


def changed(fasttext: np.ndarray, place: tuple[int, int], cell: object) -> np.ndarray:
    cells = fasttext.copy()
    cells[place] = cell
    return cells


@pytest.mark.parametrize("version", ["5", "7.3"])
def test_vgg_columns_are_found_by_imgid(tmp_path, version):
    twin = write_course_twin(tmp_path / "twin", images=40, with_images=False, mat_version=version)
    dataset = read_dataset(twin)
    store = import_vgg(twin / "vgg_feats.mat", dataset, tmp_path / "store")
    assert isinstance(store.values, np.memmap) and store.values.dtype == np.float32
    assert store.meta["extractor"] == "vgg16-course" and store.meta["dataset"] == dataset.fingerprint
    if version == "5":
        feats = scipy.io.loadmat(twin / "vgg_feats.mat")["feats"]
    else:
        with h5py.File(twin / "vgg_feats.mat") as file:
            feats = file["feats"][:].T
    assert feats.shape == (4096, 40)
    np.testing.assert_array_equal(store.values, feats.T)
    for item in json.loads((twin / "test.json").read_text()):
        np.testing.assert_array_equal(store.take(np.array([item["imgid"]]))[0], feats[:, item["imgid"]])


def test_a_dataset_json_with_a_byte_order_mark_is_read_here_too(tmp_path):
    twin = write_course_twin(tmp_path / "twin", images=40, with_images=False)
    plain = (twin / "dataset.json").read_text("utf-8")
    (twin / "dataset.json").write_text(plain, "utf-8-sig")
    store = import_vgg(twin / "vgg_feats.mat", read_dataset(twin), tmp_path / "store")
    assert len(store.values) == 40


def test_fasttext_rows_are_found_by_sentid(tmp_path, twin, dataset, fasttext):
    store = import_fasttext(twin / "fasttext_feats.npy", dataset, tmp_path / "store")
    assert isinstance(store.values, np.memmap) and store.values.dtype == np.float32
    assert store.meta["extractor"] == "fasttext-course" and len(store) == 200
    for item in json.loads((twin / "dataset.json").read_text())["images"]:
        for k, sentence in enumerate(item["sentences"]):
            rows = store.take(np.array([sentence["sentid"]]))[0]
            np.testing.assert_array_equal(rows, fasttext[item["imgid"], k])
            assert len(rows) == len(sentence["tokens"])
    # The very same word has the very same vector everywhere in the twin: rows fit words, not just lengths.
    vectors: dict[str, bytes] = {}
    taken = store.take(dataset.caption_ids)
    for caption, tokens in enumerate(dataset.tokens):
        for word, row in zip(tokens, taken[caption], strict=True):
            assert vectors.setdefault(word, row.tobytes()) == row.tobytes()


def test_sentids_and_imgids_that_follow_no_rule(tmp_path, fasttext):
    """Captions numbered anyhow, images in another order than their imgids, one caption here and nine there."""
    order, counts = [7, 2, 11, 0], [1, 5, 2, 9]
    cells = np.full((12, 9), None, dtype=object)
    tokens, ids, expected = [], [], {}
    for imgid, count in zip(order, counts, strict=True):
        for k in range(count):
            sentid = 1000 - 13 * len(ids)
            cells[imgid, k] = np.full((k + 1, 300), sentid, dtype=np.float32)
            tokens.append(("word",) * (k + 1))
            ids.append(sentid)
            expected[sentid] = k + 1
    cells[7, 1] = np.empty((0, 300), dtype=np.float32)
    dataset = CaptionedImages(
        name="odd", image_ids=np.array(order), filenames=("a", "b", "c", "d"), raw=("",) * len(ids),
        tokens=tuple(tokens), caption_ids=np.array(ids), image_of_caption=np.repeat(np.arange(4), counts), splits={},
        split_source="layout", layout="by hand", source=tmp_path / "nowhere",
    )  # fmt: skip
    path = save_cells(tmp_path / "a.npy", cells)
    store = import_fasttext(path, dataset, tmp_path / "store")
    for sentid, length in expected.items():
        rows = store.take(np.array([sentid]))[0]
        assert rows.shape == (length, 300) and (rows == sentid).all()
    # A cell that no caption claims must be empty: else the file belongs to other captions.
    cells[7, 3] = np.ones((2, 300), dtype=np.float32)
    with pytest.raises(XmrError, match=r"a \(imgid 7\) has 1 captions, but cell \(7, 3\) is not empty"):
        import_fasttext(save_cells(path, cells), dataset, tmp_path / "other")


def test_a_part_of_the_dataset(tmp_path, twin, dataset, fasttext):
    part = dataset.split("val")
    store = import_fasttext(twin / "fasttext_feats.npy", part, tmp_path / "words")
    assert sorted(store.ids.tolist()) == sorted(part.caption_ids.tolist())
    last = int(part.image_ids[-1])
    np.testing.assert_array_equal(store.take(part.caption_ids[-1:])[0], fasttext[last, 4])
    assert len(import_vgg(twin / "vgg_feats.mat", part, tmp_path / "images")) == 40


@pytest.mark.parametrize("importer, file", [(import_vgg, "vgg_feats.mat"), (import_fasttext, "fasttext_feats.npy")])
class TestBoth:
    def test_the_second_import_only_opens(self, tmp_path, twin, dataset, monkeypatch, importer, file):
        first = importer(twin / file, dataset, tmp_path / "store")
        monkeypatch.setattr(course, "StoreWriter", None)
        second = importer(twin / file, dataset, tmp_path / "store")
        assert second.meta == first.meta
        np.testing.assert_array_equal(second.values, first.values)

    def test_another_file_or_dataset_is_no_silent_reuse(self, tmp_path, twin, dataset, importer, file):
        importer(twin / file, dataset, tmp_path / "store")
        with pytest.raises(XmrError, match="made with dataset ="):
            importer(twin / file, dataset.split("train"), tmp_path / "store")
        (tmp_path / file).write_bytes((twin / file).read_bytes()[:-1] + b"\0")
        with pytest.raises(XmrError, match="made with source_ends ="):
            importer(tmp_path / file, dataset, tmp_path / "store")

    def test_an_import_that_broke_off_goes_on(self, tmp_path, twin, dataset, monkeypatch, importer, file):
        class Stopped(course.StoreWriter):
            def commit(self) -> None:
                super().commit()
                if self.done >= 32:
                    raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(course, "StoreWriter", Stopped)
            importer(twin / file, dataset, tmp_path / "store")
        assert not (tmp_path / "store").exists()
        begun = []
        append = course.StoreWriter.append
        monkeypatch.setattr(
            course.StoreWriter, "append", lambda writer, *what: begun.append(writer.done) or append(writer, *what)
        )
        resumed = importer(twin / file, dataset, tmp_path / "store")
        assert begun[0] == 32
        whole = importer(twin / file, dataset, tmp_path / "whole")
        np.testing.assert_array_equal(resumed.values, whole.values)
        np.testing.assert_array_equal(resumed.ids, whole.ids)

    def test_a_missing_file(self, tmp_path, dataset, importer, file):
        with pytest.raises(XmrError, match=rf"{file}: can't be read \(No such file or directory\)"):
            importer(tmp_path / file, dataset, tmp_path / "store")

    def test_a_file_cut_off(self, tmp_path, twin, dataset, importer, file):
        content = (twin / file).read_bytes()
        for size in (0, 60, 5000, len(content) // 2, len(content) - 100):
            (tmp_path / file).write_bytes(content[:size])
            with pytest.raises(XmrError, match=rf"{file}: not a whole") as told:
                importer(tmp_path / file, dataset, tmp_path / "store")
            assert "\n" not in str(told.value)
        assert not (tmp_path / "store").exists()

    def test_a_negative_imgid(self, tmp_path, twin, dataset, importer, file):
        ids = dataset.image_ids.copy()
        ids[3] = -1
        with pytest.raises(XmrError, match="imgid -1 can't be"):
            importer(twin / file, replace(dataset, image_ids=ids), tmp_path / "store")

    def test_an_imgid_beyond_the_json(self, tmp_path, twin, dataset, importer, file):
        ids = dataset.image_ids.copy()
        ids[-1] = 40
        with pytest.raises(XmrError, match=r"dataset\.json: imgid 40 is none of its 40 images"):
            importer(twin / file, replace(dataset, image_ids=ids), tmp_path / "store")


@pytest.mark.parametrize("shape", [(4096, 30), (4096, 41), (300, 40), (40, 4096), (4096, 40, 1)])
@pytest.mark.parametrize("version", ["5", "7.3"])
def test_vgg_of_another_shape_is_refused_with_both_shapes(tmp_path, twin, dataset, shape, version):
    path, feats = tmp_path / "vgg_feats.mat", np.ones(shape, dtype=np.float32)
    if version == "5":
        # MATLAB has no trailing axes of one.
        scipy.io.savemat(path, {"feats": np.concatenate([feats, feats], axis=2) if feats.ndim == 3 else feats})
    else:
        with h5py.File(path, "w") as file:
            file["feats"] = feats.T
    with pytest.raises(XmrError) as told:
        import_vgg(path, dataset, tmp_path / "store")
    found = mat_shape(path, "feats")
    line = f"{path} has shape {found}, but {twin / 'dataset.json'} has 40 images (4096, 40 expected)"
    assert str(told.value) == line + ("; it is transposed: save its transpose" if shape == (40, 4096) else "")


def test_without_a_json_a_vgg_file_must_reach_the_last_imgid(tmp_path, twin, dataset):
    elsewhere = replace(dataset, source=tmp_path)
    assert len(import_vgg(twin / "vgg_feats.mat", elsewhere, tmp_path / "store")) == 40
    scipy.io.savemat(tmp_path / "short.mat", {"feats": np.ones((4096, 39), dtype=np.float32)})
    with pytest.raises(XmrError, match=r"has shape \(4096, 39\), but .* has imgids up to 39 \(4096, 40 expected\)"):
        import_vgg(tmp_path / "short.mat", elsewhere, tmp_path / "other")


def test_vgg_values_that_are_not_finite(tmp_path, dataset):
    feats = np.ones((4096, 40), dtype=np.float32)
    feats[17, 33] = np.nan
    scipy.io.savemat(tmp_path / "vgg_feats.mat", {"feats": feats})
    with pytest.raises(XmrError, match="column 33 holds values that are not finite"):
        import_vgg(tmp_path / "vgg_feats.mat", dataset, tmp_path / "store")


@pytest.mark.parametrize("shape", [(39, 5), (41, 5), (40, 4), (5, 40), (200, 1)])
def test_fasttext_of_another_shape_is_refused_with_both_shapes(tmp_path, twin, dataset, shape):
    path = save_cells(tmp_path / "fasttext_feats.npy", np.full(shape, None, dtype=object))
    with pytest.raises(XmrError) as told:
        import_fasttext(path, dataset, tmp_path / "store")
    expected = f"{twin / 'dataset.json'} has 40 images of up to 5 captions (40, 5 expected)"
    assert str(told.value) == f"{path} has shape {shape}, but {expected}"


def test_shapes_and_names_of_a_file_do_not_flood_the_line(tmp_path, dataset, fasttext):
    path = save_cells(tmp_path / "a.npy", np.full((1,) * 30, None, dtype=object))
    with pytest.raises(XmrError, match=r"has shape \(1, 1, 1, 1, 1, 1, …\) of 30 axes, but .* \(40, 5 expected\)"):
        import_fasttext(path, dataset, tmp_path / "store")
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["feats"] = np.ones((1,) * 30, np.float32)
    with pytest.raises(XmrError, match=r"has shape \(1, 1, 1, 1, 1, 1, …\) of 30 axes, but .* \(4096, 40 expected\)"):
        import_vgg(tmp_path / "a.mat", dataset, tmp_path / "store")
    odd = replace(dataset, filenames=("x\ny" * 1000, *dataset.filenames[1:]))
    path = save_cells(path, changed(fasttext, (0, 1), np.ones((78, *(1,) * 30), np.float32)))
    with pytest.raises(
        XmrError, match=r"caption 1 of 'x\\nyx.* has a cell of shape \(78, 1, 1, 1, 1, 1, …\) of 31 axes"
    ) as told:
        import_fasttext(path, odd, tmp_path / "store")
    assert "\n" not in str(told.value) and len(str(told.value)) < 400 + len(str(path))


@pytest.mark.parametrize(
    "cell, told",
    [
        (np.ones((77, 300), np.float32), "has 78 words, but its cell has 77 rows"),
        (np.ones((79, 300), np.float32), "has 78 words, but its cell has 79 rows"),
        (None, "has 78 words, but its cell has 0 rows"),
        (np.empty((0, 300), np.float32), "has 78 words, but its cell has 0 rows"),
        (np.ones((300, 78), np.float32), "has 78 words, but its cell has 300 rows"),
        (np.ones((78, 50), np.float32), r"has a cell of shape \(78, 50\); \(78, 300\) expected"),
        (np.ones(78, np.float32), r"has a cell of shape \(78,\); \(78, 300\) expected"),
        (np.full((78, 300), np.inf, np.float32), "holds values that are not finite"),
    ],
)
def test_a_cell_that_does_not_fit_names_caption_and_image(tmp_path, dataset, fasttext, cell, told):
    # Caption 1 of the twin's image 0 is its longest, 78 words.
    path = save_cells(tmp_path / "a.npy", changed(fasttext, (0, 1), cell))
    with pytest.raises(XmrError, match=rf"a\.npy: caption 1 of 1000000000\.jpg {told}"):
        import_fasttext(path, dataset, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_captions_without_words_have_no_rows(tmp_path, dataset, fasttext):
    tokens = list(dataset.tokens)
    tokens[7] = tokens[9] = ()
    bare = replace(dataset, tokens=tuple(tokens))
    cells = changed(changed(fasttext, (1, 2), None), (1, 4), np.empty((0,), np.float32))
    store = import_fasttext(save_cells(tmp_path / "a.npy", cells), bare, tmp_path / "store")
    taken = store.take(np.array([7, 8, 9]))
    assert taken.lengths.tolist() == [0, len(tokens[8]), 0]
    np.testing.assert_array_equal(taken.values, fasttext[1, 3])


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_unusual_arrays_give_the_same_store(tmp_path, twin, dataset, fasttext, protocol):
    """Doubles, big-endian and column-major cells, a column-major array of cells, one cell in two places."""
    cells = fasttext.copy(order="F")
    cells[0, 0], cells[0, 1] = fasttext[0, 0].astype(np.float64), fasttext[0, 1].astype(">f4")
    cells[1, 0] = np.asfortranarray(fasttext[1, 0])
    cells[4, 4] = cells[3, 0]
    assert dataset.tokens[24] == dataset.tokens[15]
    assert not cells.flags.c_contiguous
    usual = import_fasttext(twin / "fasttext_feats.npy", dataset, tmp_path / "usual")
    store = import_fasttext(save_cells(tmp_path / "a.npy", cells, protocol), dataset, tmp_path / "store")
    np.testing.assert_array_equal(store.values, usual.values)
    np.testing.assert_array_equal(store.ids, usual.ids)


def test_an_exploit_in_a_cell_is_refused(tmp_path, dataset, fasttext):
    class Exploit:
        def __reduce__(self):
            return open, (str(tmp_path / "marker"), "w")

    path = save_cells(tmp_path / "a.npy", changed(fasttext, (39, 4), Exploit()))
    with pytest.raises(XmrError, match=r"a\.npy: refused: the pickle asks for _?io\.open; a feature file needs only"):
        import_fasttext(path, dataset, tmp_path / "store")
    assert not (tmp_path / "marker").exists() and not (tmp_path / "store").exists()


def test_memory_of_an_import_does_not_grow_with_the_file(tmp_path, monkeypatch):
    """NumPy's own reader would hold all of the file at once; opening the store afterwards reads next to nothing."""
    twin = write_course_twin(tmp_path / "twin", images=60, with_images=False, mat_version=None, feature_files=False)
    dataset = read_dataset(twin)
    cells = np.empty((60, 5), dtype=object)
    for caption, words in enumerate(dataset.tokens):
        cells.flat[caption] = np.ones((len(words), 300), dtype=np.float64)
    path = save_cells(tmp_path / "a.npy", cells)
    del cells
    # Each block waits for the disk.
    monkeypatch.setattr(course, "BLOCK", 32)
    tracemalloc.start()
    store = import_fasttext(path, dataset, tmp_path / "store")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    held, _ = tracemalloc.get_traced_memory()
    FeatureStore.open(tmp_path / "store", store.meta)
    _, opening = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size = path.stat().st_size
    assert size > 6e6 and peak < size / 3
    assert opening - held < 200_000
