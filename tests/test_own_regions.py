"""Regions that users bring: every layout under its image, files that don't fit in one line, models on top of them."""

import os
import pickle
import re
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from course_twin import write_course_twin
from hypothesis import given, settings
from hypothesis import strategies as st
from region_files import LAYOUTS, WIDTH, WITH_SCORES, expected, ims_of, milvlg, regions, stem, write_ims, write_npz
from small_models import small_model

from xmr_lib.config import from_flat
from xmr_lib.data import read_dataset
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, embed, run
from xmr_lib.experiment.run import model_of
from xmr_lib.features.extract import drop_skipped
from xmr_lib.features.spec import FeatureSpec
from xmr_lib.model import RetrievalModel
from xmr_lib.modules import BOX_FEATURES, POOLINGS
from xmr_lib.ragged import Ragged
from xmr_lib.regions import import_regions, importing, read_npz
from xmr_lib.regions.names import BY_ID, BY_NAME, BY_NUMBER, matches
from xmr_lib.regions.split_arrays import WHOLE_IMAGE
from xmr_lib.study.examples import region_queries
from xmr_lib.training import Pairs


@pytest.fixture(scope="module")
def twin(tmp_path_factory) -> Path:
    return write_course_twin(tmp_path_factory.mktemp("twin"), images=40, mat_version=None, feature_files=False)


@pytest.fixture(scope="module")
def dataset(twin):
    return read_dataset(twin)


def by_imgid(dataset, image) -> int:
    return int(dataset.image_ids[image])


def by_file(dataset, image) -> str:
    return dataset.filenames[image]


class TestOneNpz:
    @settings(max_examples=40, deadline=None)
    @given(
        st.sampled_from(sorted(LAYOUTS)),
        st.integers(0, 9),
        st.integers(1, 6),
        st.sampled_from(["f4", "f8", ">f4"]),
        st.sampled_from([np.savez, np.savez_compressed]),
    )
    def test_every_layout_gives_the_same_rows(self, layout, image, count, dtype, save):
        vectors, boxes, scores = regions(image, count)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "a.npz"
            save(file, **LAYOUTS[layout](vectors.astype(dtype), boxes.astype(dtype), scores.astype(dtype)))
            rows = read_npz(str(file))
        assert rows.dtype == np.float32 and rows.shape == (count, WIDTH + len(BOX_FEATURES))
        np.testing.assert_allclose(rows, expected(image, layout in WITH_SCORES, count), atol=1e-6)

    def test_half_precision_is_read(self, tmp_path):
        np.savez(tmp_path / "a.npz", **{k: np.float16(v) for k, v in LAYOUTS["uniter"](*regions(3)).items()})
        np.testing.assert_allclose(read_npz(tmp_path / "a.npz"), expected(3, True), atol=1e-3)

    def test_a_box_one_pixel_beyond_the_image_ends_at_its_edge(self, tmp_path):
        vectors, boxes, scores = regions(1)
        boxes[0] = (-1, 0, 641, 480)
        np.savez(tmp_path / "a.npz", **milvlg(vectors, boxes, scores))
        np.testing.assert_array_equal(read_npz(tmp_path / "a.npz")[0, WIDTH:], WHOLE_IMAGE)

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ({"x": None}, "it needs x or features, .* and has image_w, image_h, bbox, num_bbox, info"),
            ({"bbox": None}, "it needs x or features"),
            ({"image_w": None}, "it needs x or features"),
            ({"image_h": 0}, "its image has size 640 × 0"),
            ({"image_w": float("nan")}, "its image has size nan"),
            ({"image_w": np.arange(2)}, "image_w or img_w is 2 numbers, not one"),
            ({"bbox": np.zeros((0, 4)), "x": np.zeros((0, WIDTH)), "num_bbox": 0}, "it has no regions"),
            ({"num_bbox": 9}, "it says that it has 9 regions, and has 3 boxes"),
            ({"bbox": np.zeros((4, 4))}, r"it has features of shape \(3, 12\) for 4 boxes"),
            ({"x": np.zeros((3, 3))}, r"features of shape \(3, 3\) can be read in two ways"),
            ({"x": np.zeros(3)}, r"features of shape \(3,\) and boxes of shape \(3, 4\) are no regions"),
            ({"x": np.full((3, WIDTH), np.nan)}, "it holds values that are not finite"),
            ({"x": np.full((3, WIDTH), 1e300)}, "it holds values that are not finite"),
            ({"x": np.full((3, WIDTH), "a")}, "'x' holds <U1, not numbers"),
            ({"x": np.full((3, WIDTH), None)}, "'x' is a pickled array of objects"),
            ({"bbox": np.full((3, 4), np.inf)}, "a box is not finite"),
            ({"bbox": np.tile([0, 0, 9, 500], (3, 1))}, r"box 0 \(0, 0, 9, 500\) is none of an image of 640 × 480"),
            ({"bbox": np.tile([90, 0, 9, 50], (3, 1))}, r"box 0 \(90, 0, 9, 50\) is none"),
            ({"bbox": np.tile([0, 0, 0.5, 1], (3, 1))}, "shares of the image belong under 'norm_bb'"),
            ({"conf": np.ones(2)}, "it has 2 scores for 3 regions"),
        ],
    )
    def test_what_does_not_fit_is_told(self, tmp_path, change, told):
        arrays = {**milvlg(*regions(1)), **change}
        np.savez(tmp_path / "a.npz", **{name: array for name, array in arrays.items() if array is not None})
        reason = read_npz(tmp_path / "a.npz")
        assert isinstance(reason, str) and "\n" not in reason and len(reason) < 200
        assert re.search(told, reason), reason

    def test_damage_is_told_wherever_the_file_ends(self, tmp_path):
        file = tmp_path / "a.npz"
        np.savez(file, **milvlg(*regions(1)))
        content = file.read_bytes()
        for size in range(0, len(content) - 1, 97):
            file.write_bytes(content[:size])
            assert read_npz(file).startswith("not a whole .npz")
        np.save(tmp_path / "b.npy", np.zeros((3, 4)))
        assert read_npz(tmp_path / "b.npy").startswith("not a whole .npz")
        assert read_npz(tmp_path / "c.npz") == "the file is missing"

    def test_a_header_larger_than_the_file_takes_no_memory(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, archive.open("x.npy", "w") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (1 << 50, 1)})
        assert read_npz(tmp_path / "a.npz").startswith("not a whole .npz")

    def test_no_pickle_is_ever_loaded(self, tmp_path):
        class Exploit:
            def __reduce__(self):
                return open, (str(tmp_path / "marker"), "w")

        arrays = {**milvlg(*regions(1)), "info": np.array([Exploit()], dtype=object)}
        np.savez(tmp_path / "a.npz", **arrays)
        assert not isinstance(read_npz(tmp_path / "a.npz"), str)
        np.savez(tmp_path / "a.npz", **{**arrays, "x": arrays["info"]})
        assert isinstance(read_npz(tmp_path / "a.npz"), str)
        (tmp_path / "a.npz").write_bytes(pickle.dumps(Exploit()))
        assert isinstance(read_npz(tmp_path / "a.npz"), str)
        assert not (tmp_path / "marker").exists()


class TestFolderOfNpz:
    @pytest.mark.parametrize(
        "name",
        [
            stem,
            by_file,
            lambda dataset, image: f"train2014/{dataset.filenames[image]}",
            lambda dataset, image: f"flickr30k_00{stem(dataset, image)}",
            by_imgid,
        ],
    )
    def test_files_are_found_by_name_or_id(self, tmp_path, dataset, name):
        folder = write_npz(tmp_path / "butd", dataset, name)
        store = import_regions(str(folder), dataset, str(tmp_path / "store"))
        assert store.values.dtype == np.float16 and len(store) == 40 and not store.skipped
        for image in (0, 7, 39):
            rows = store.take(dataset.image_ids[[image]])[0]
            np.testing.assert_allclose(rows, expected(image), atol=1e-3)
        assert store.meta["boxes"] == "of the files" and store.meta["extractor"] == "regions"

    def test_images_without_regions_are_named_and_leave_the_splits(self, tmp_path, dataset, capsys):
        folder = write_npz(tmp_path / "butd", dataset)
        names = [Path(name).stem for name in dataset.filenames]
        (folder / f"{names[3]}.npz").unlink()
        (folder / f"{names[5]}.npz").write_bytes(b"no")
        vectors, boxes, scores = regions(6)
        np.savez(folder / f"{names[6]}.npz", **milvlg(vectors[:, :5], boxes, scores))
        np.savez(folder / f"{names[7]}.npz", **milvlg(vectors * 1e6, boxes, scores))
        (folder / f"{names[9]}.npz").rename(folder / "stranger.npz")
        store = import_regions(folder, dataset, tmp_path / "store")
        assert store.skipped == {
            dataset.filenames[3]: "no .npz is of it",
            dataset.filenames[5]: f"{names[5]}.npz: not a whole .npz (File is not a zip file)",
            dataset.filenames[6]: f"{names[6]}.npz: vectors of 5 numbers, others 12",
            dataset.filenames[7]: "it holds values that float16 can't hold",
            dataset.filenames[9]: "no .npz is of it",
        }
        told = capsys.readouterr().err
        assert "38 of 39 files fit images of flickr30k, by file name" in told
        assert "1 fit none and are not used (stranger.npz)" in told
        assert "warning: 5 images (" in told and "without regions that can be read: left out" in told
        used = drop_skipped(dataset, store)
        assert sum(map(len, used.splits.values())) == 35 and "5 images" in used.notes[-1]
        with pytest.raises(XmrError, match=r"5 images .* without regions that can be read; reasons in"):
            import_regions(folder, dataset, tmp_path / "store", strict=True)
        with pytest.raises(XmrError, match=rf"{dataset.filenames[3]} has no regions that can be read \(no .npz"):
            import_regions(folder, dataset, tmp_path / "other", strict=True)

    def test_the_width_is_that_of_most_files(self, tmp_path, dataset):
        folder = write_npz(tmp_path / "butd", dataset)
        vectors, boxes, scores = regions(0)
        first = min(folder.iterdir())
        np.savez(first, **milvlg(vectors[:, :5], boxes, scores))
        assert len(import_regions(folder, dataset, tmp_path / "store")) == 39

    def test_files_of_other_data_are_refused(self, tmp_path, dataset):
        folder = write_npz(tmp_path / "butd", dataset, lambda _, image: f"x{image}")
        with pytest.raises(XmrError, match=r"none fits an image of flickr30k by file name or id, e\.g\. x0"):
            import_regions(folder, dataset, tmp_path / "store")
        folder = write_npz(tmp_path / "ids", dataset, lambda _, image: 30 + image)
        with pytest.raises(XmrError, match="10 of 40 fit flickr30k by image id, the others do not"):
            import_regions(folder, dataset, tmp_path / "store")
        names = tuple(f"a_{(image + 1) % 40}.jpg" for image in range(40))
        folder = write_npz(tmp_path / "both", dataset, lambda _, image: image)
        with pytest.raises(XmrError, match="by image id and, to other images, by number at the end"):
            import_regions(folder, replace(dataset, filenames=names), tmp_path / "store")
        assert not (tmp_path / "store").exists()

    def test_two_files_of_one_image_are_refused(self, tmp_path, dataset):
        folder = write_npz(tmp_path / "butd", dataset)
        write_npz(folder / "again", dataset.subset(np.arange(2)))
        with pytest.raises(XmrError, match=r"the same image as .*; remove one of them"):
            import_regions(folder, dataset, tmp_path / "store")

    def test_where_nothing_can_be_read_no_store_is_left(self, tmp_path, dataset):
        folder = write_npz(tmp_path / "butd", dataset)
        for file in folder.iterdir():
            file.write_bytes(b"no")
        with pytest.raises(XmrError, match=r"not a whole \.npz .*; so it is with all 40 files"):
            import_regions(folder, dataset, tmp_path / "store")
        assert not (tmp_path / "store").exists()

    @pytest.mark.parametrize("what", ["missing", "empty", "both"])
    def test_a_folder_that_holds_no_region_files(self, tmp_path, dataset, what):
        folder = tmp_path / "butd"
        if what != "missing":
            folder.mkdir()
        if what == "both":
            write_npz(folder, dataset)
            write_ims(folder, dataset)
        told = {"missing": "no such folder", "empty": "holds no region files", "both": "holds both"}[what]
        with pytest.raises(XmrError, match=told) as error:
            import_regions(folder, dataset, tmp_path / "store")
        assert "\n" not in str(error.value)


def taken(store, dataset, image) -> np.ndarray:
    return store.take(dataset.image_ids[[image]])[0]


class TestSplitArrays:
    @pytest.mark.parametrize("ids", [by_imgid, by_file, None])
    @pytest.mark.parametrize("each", [1, 5])
    def test_rows_are_found_by_ids_or_by_an_order_that_captions_confirm(self, tmp_path, dataset, ids, each, capsys):
        folder = write_ims(tmp_path / "scan", dataset, ids, each=each)
        store = import_regions(folder, dataset, tmp_path / "store")
        assert len(store) == 40 and store.meta["boxes"] == "none: the whole image, score 1"
        for image in range(40):
            rows = taken(store, dataset, image)
            np.testing.assert_allclose(rows[:, :WIDTH], regions(image, 3)[0], atol=1e-3)
            np.testing.assert_array_equal(rows[:, WIDTH:], [WHOLE_IMAGE] * 3)
        rule = {by_imgid: BY_ID, by_file: BY_NAME, None: "the order of the split"}[ids]
        assert store.meta["images_by"]["dev_ims.npy"].startswith(rule)
        assert f"rows by {rule}" in capsys.readouterr().err

    def test_ids_alone_will_do_if_all_of_them_fit(self, tmp_path, dataset):
        store = import_regions(write_ims(tmp_path / "scan", dataset, by_imgid, False), dataset, tmp_path / "store")
        assert store.meta["images_by"]["dev_ims.npy"].endswith("with no captions beside it to confirm that")
        np.testing.assert_allclose(taken(store, dataset, 39)[:, :WIDTH], regions(39, 3)[0], atol=1e-3)

    def test_ids_of_numpy_and_one_id_per_caption(self, tmp_path, dataset):
        folder = write_ims(tmp_path / "scan", dataset)
        np.save(folder / "dev_ids.npy", dataset.image_ids[dataset.splits["val"]])
        ids = np.repeat(dataset.image_ids[dataset.splits["test"]], 5)
        (folder / "test_ids.txt").write_text("\n".join(map(str, ids.tolist())))
        assert len(import_regions(folder, dataset, tmp_path / "store")) == 40

    def test_images_in_another_order_than_their_splits(self, tmp_path, dataset):
        """Ids say so, and captions agree; without ids the captions betray it."""
        folder, images = tmp_path / "scan", dataset.splits["test"][::-1]
        folder.mkdir()
        np.save(folder / "test_ims.npy", ims_of(images))
        raw = [dataset.raw[caption] for image in images.tolist() for caption in dataset.captions_of(image)]
        (folder / "test_caps.txt").write_text("\n".join(raw) + "\n")
        with pytest.raises(XmrError, match=r"not in the order of split 'test'.* of row 0 .*; add test_ids\.txt"):
            import_regions(folder, dataset, tmp_path / "store")
        (folder / "test_ids.txt").write_text("".join(f"{dataset.filenames[image]}\n" for image in images))
        store = import_regions(folder, dataset, tmp_path / "store")
        assert len(store) == len(images) and len(store.skipped) == 40 - len(images)
        assert set(store.skipped.values()) == {"no row is of it"}
        np.testing.assert_allclose(taken(store, dataset, images[0])[:, :WIDTH], regions(images[0], 3)[0], atol=1e-3)

    def test_cocos_own_ids_are_the_numbers_of_its_file_names(self, dataset):
        names = tuple(f"val2014/COCO_val2014_{7 * image + 3:012}.jpg" for image in range(40))
        coco = replace(dataset, filenames=names)
        best, *others = matches(coco, [str(7 * image + 3) for image in range(40)])
        assert best.rule == BY_NUMBER and best.images.tolist() == list(range(40))
        assert [match.rule for match in others] == [BY_ID]
        assert matches(coco, ["COCO_val2014_000000000010.jpg"])[0].images.tolist() == [1]

    @pytest.mark.parametrize(
        ("harm", "told"),
        [
            (lambda f, d: (f / "dev_caps.txt").unlink(), r"nothing says which images its rows are; add dev_ids\.txt"),
            (lambda f, d: (f / "dev_caps.txt").write_text("a\n" * 7), "has 7 captions for 8 rows"),
            (lambda f, d: (f / "dev_caps.txt").write_text("a\n" * 40), "not in the order of split 'val'"),
            (lambda f, d: (f / "dev_ims.npy").rename(f / "more_ims.npy"), r"nothing says .*; add more_ids\.txt"),
            (lambda f, d: np.save(f / "dev_ims.npy", ims_of(np.arange(10))), "10 rows, but split 'val' of .* 8 images"),
            (lambda f, d: (f / "dev_ids.txt").write_text("1\n2\n3\n"), "has 3 ids for 8 rows; one per row is needed"),
            (lambda f, d: (f / "dev_ids.txt").write_text("x\n" * 8), "none of its ids is one of flickr30k, e.g. x"),
            (
                lambda f, d: (f / "dev_ids.txt").write_text("".join(f"{row}\n" for row in range(8))),
                "by image id, row 0 is .*, but its captions are not those of that image",
            ),
            (lambda f, d: np.save(f / "dev_ids.npy", np.zeros((8, 2), int)), "must hold whole numbers or texts"),
            (lambda f, d: np.save(f / "dev_ids.npy", np.array([None] * 8)), "not a .npy of numbers or texts"),
            (lambda f, d: np.save(f / "dev_ims.npy", np.zeros((8, WIDTH))), r"has shape \(8, 12\); regions are"),
            (lambda f, d: np.save(f / "dev_ims.npy", np.zeros((8, 3, 5))), "regions of different widths .dev_ims"),
            (lambda f, d: np.save(f / "dev_ims.npy", np.zeros((8, 3, WIDTH), int)), "holds int64, not floats"),
            (lambda f, d: np.save(f / "dev_ims.npy", np.full((8, 3, 1), None)), "not a whole .npy of floats"),
            (lambda f, d: os.truncate(f / "dev_ims.npy", 1000), "not a whole .npy of floats"),
            (lambda f, d: os.truncate(f / "dev_ims.npy", 20), "not a whole .npy of floats"),
        ],
    )
    def test_what_does_not_fit_is_told(self, tmp_path, dataset, harm, told):
        folder = write_ims(tmp_path / "scan", dataset)
        assert len(dataset.splits["val"]) == 8
        harm(folder, dataset)
        with pytest.raises(XmrError, match=told) as error:
            import_regions(folder, dataset, tmp_path / "store")
        assert "\n" not in str(error.value) and not (tmp_path / "store").exists()

    def test_a_row_that_is_not_finite_and_repeats_that_differ(self, tmp_path, dataset):
        folder = write_ims(tmp_path / "scan", dataset, by_imgid, each=5)
        array = np.load(folder / "dev_ims.npy")
        array[0, 1, 2], array[7, 0, 0] = np.nan, 9
        np.save(folder / "dev_ims.npy", array)
        store = import_regions(folder, dataset, tmp_path / "store")
        first, second = (dataset.filenames[image] for image in dataset.splits["val"][:2])
        assert store.skipped == {
            first: "dev_ims.npy: row 0 holds values that are not finite",
            second: "dev_ims.npy: rows 5 and 7 are both of it and differ",
        }


@pytest.mark.parametrize("write", [write_npz, write_ims])
class TestStore:
    def test_the_second_import_only_opens_and_changed_files_are_noticed(self, tmp_path, dataset, monkeypatch, write):
        folder = write(tmp_path / "files", dataset)
        import_regions(folder, dataset, tmp_path / "store")
        with monkeypatch.context() as patch:
            patch.setattr(importing, "open_source", None)
            import_regions(folder, dataset, tmp_path / "store")
        with pytest.raises(XmrError, match="made with dataset ="):
            import_regions(folder, dataset.subset(np.arange(39)), tmp_path / "store")
        file = min(folder.iterdir())
        os.utime(file, ns=(0, file.stat().st_mtime_ns + 1))
        with pytest.raises(XmrError, match=r"made with source_files = .*; delete the folder"):
            import_regions(folder, dataset, tmp_path / "store")

    def test_an_import_that_broke_off_goes_on(self, tmp_path, dataset, monkeypatch, write):
        monkeypatch.setattr(importing, "BLOCK", 8)
        monkeypatch.setattr(importing, "COMMIT_EVERY", 8)

        class Stopped(importing.StoreWriter):
            def commit(self) -> None:
                super().commit()
                if self.done >= 16:
                    raise KeyboardInterrupt

        folder = write(tmp_path / "files", dataset)
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(importing, "StoreWriter", Stopped)
            import_regions(folder, dataset, tmp_path / "store")
        begun = []
        append = importing.StoreWriter.append
        monkeypatch.setattr(
            importing.StoreWriter, "append", lambda writer, *what: begun.append(writer.done) or append(writer, *what)
        )
        resumed = import_regions(folder, dataset, tmp_path / "store")
        assert begun[0] == 16
        whole = import_regions(folder, dataset, tmp_path / "whole")
        np.testing.assert_array_equal(resumed.values, whole.values)
        np.testing.assert_array_equal(resumed.ids, whole.ids)


MEMORY = """
import sys
from pathlib import Path
import numpy as np
from xmr_lib.data.captioned import CaptionedImages
from xmr_lib.regions import importing

folder, rows = Path(sys.argv[1]), 700
np.lib.format.open_memmap(folder / "train_ims.npy", "w+", np.float32, (rows, 36, 2048))
(folder / "train_ids.txt").write_text("".join(f"{row}\\n" for row in range(rows)))
ids = np.arange(rows)
dataset = CaptionedImages(
    name="many", image_ids=ids, filenames=tuple(f"{row}.jpg" for row in ids), raw=("a",) * rows,
    tokens=(("a",),) * rows, caption_ids=ids, image_of_caption=ids, splits={}, split_source="layout", layout="by hand",
)

def held():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) // 1024

before, most = held(), []
append = importing.StoreWriter.append
importing.StoreWriter.append = lambda *what: most.append(held()) or append(*what)
store = importing.import_regions(folder, dataset, folder / "store")
print(max(most) - before, held() - before, len(store), (folder / "train_ims.npy").stat().st_size)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read as Linux tells it")
def test_memory_of_an_import_does_not_grow_with_the_file(tmp_path):
    command = [sys.executable, "-c", MEMORY, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    most, after, images, size = map(int, ran.stdout.split())
    assert images == 700 and size > 200e6
    assert most < 60 and after < 60


@pytest.fixture(scope="module")
def stores(dataset, tmp_path_factory):
    folder = tmp_path_factory.mktemp("regions")
    write = {"npz": write_npz, "ims": write_ims}
    return {
        kind: import_regions(own(folder / kind, dataset), dataset, folder / f"{kind}-store")
        for kind, own in write.items()
    }


@pytest.mark.parametrize("kind", ["npz", "ims"])
@pytest.mark.parametrize("how", [how for how in POOLINGS if how != "idf"])
def test_every_aggregation_works_with_and_without_boxes(dataset, stores, kind, how):
    rows = stores[kind].take(dataset.image_ids).tensors()
    config = from_flat("x", image_features="regions:x", image_pooling=how, hidden=8, embed_dim=4)
    model = small_model(config, Pairs(rows, torch.rand(40, 5), np.arange(40)))
    embedded = model.embed_images(rows)
    assert embedded.shape == (40, 4) and torch.isfinite(embedded).all()
    if (kind, how) == ("ims", "score"):
        mean = POOLINGS["mean"](WIDTH, 8, 0.0, len(BOX_FEATURES))
        given = Ragged(rows.values[:, :WIDTH].float(), rows.offsets), rows.values[:, WIDTH:].float()
        torch.testing.assert_close(POOLINGS[how](WIDTH, 8, 0.0, len(BOX_FEATURES))(*given), mean(*given))


@pytest.mark.parametrize(("write", "how"), [(write_npz, "attention"), (write_ims, "score")])
def test_a_model_is_trained_by_name_exported_and_takes_rows_elsewhere(twin, tmp_path, monkeypatch, write, how):
    monkeypatch.setenv("XMR_CACHE", str(tmp_path / "cache"))
    workspace = Workspace("flickr30k", twin, "smoke", tmp_path / "results")
    folder = write(tmp_path / "my files", workspace.dataset)
    base = workspace.sized(
        from_flat("c", task="c", image_features="frcnn-lite0", image_pooling=how, text_features="onehot")
    )
    config = base.replace(**{"image.branches.0.features": f"regions:{folder}"})
    [result] = run(workspace, config)
    assert result.config.track == "open" and result.data["left_out"] == []
    model_of(workspace, result).save(tmp_path / "model")
    if how == "attention":
        with pytest.raises(XmrError, match="has no names of its regions to draw"):
            region_queries(workspace, result)
    # The files are not needed where the model goes.
    folder.rename(tmp_path / "gone")
    model = RetrievalModel.load(tmp_path / "model")
    images, captions = embed(workspace, result, "test")
    part = workspace.dataset.split("test")
    rows = workspace.bank.image_store(config.image_specs[0]).take(part.image_ids)
    np.testing.assert_allclose(model.encode_image_features(rows), images, atol=1e-5)
    np.testing.assert_allclose(model.encode_texts([list(words) for words in part.tokens]), captions, atol=1e-5)
    if write is write_npz:
        own = [read_npz(tmp_path / "gone" / f"{Path(name).stem}.npz") for name in part.filenames]
        given = Ragged.from_lengths(np.concatenate(own), np.array([len(one) for one in own]))
        np.testing.assert_allclose(model.encode_image_features(given), images, atol=1e-2)
    with pytest.raises(XmrError, match=r"regions of photographs come from files.*encode_image_features"):
        model.encode_images([np.zeros((8, 8, 3), dtype=np.uint8)])


def test_the_track_is_open_unless_a_card_says_what_the_detector_saw(tmp_path):
    spec = FeatureSpec.parse(f"regions:{tmp_path}")
    assert spec.provenance.track == "open" and "nobody says" in spec.provenance.note
    (tmp_path / "README.md").write_text("---\ndatasets:\n- Visual Genome\n- ImageNet-1k\n---\n")
    assert spec.provenance.track == "clean" and spec.provenance.trained_on == ("Visual Genome", "ImageNet-1k")
    (tmp_path / "README.md").write_text("---\ndatasets:\n- Visual Genome\n- flickr30k\n---\n")
    assert spec.provenance.track == "open"
    (tmp_path / "README.md").write_text("---\ndatasets: [Visual Genome]\nbase_model: somebody/detector\n---\n")
    assert spec.provenance.track == "open"


def test_the_columns_beside_a_vector_are_those_that_models_expect():
    assert len(WHOLE_IMAGE) == len(BOX_FEATURES)
