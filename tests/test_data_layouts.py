"""A layout is one class that registers itself; nothing else has to know of it."""

from pathlib import Path

import pytest
from test_data_readers import refuses

from xmr_lib.data import CaptionedImages, layouts, read_dataset
from xmr_lib.data.assemble import from_rows
from xmr_lib.data.layouts import Layout, register_layout, registered_layouts
from xmr_lib.data.splits import own_splits
from xmr_lib.errors import XmrError


@pytest.fixture(autouse=True)
def forget_what_a_test_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    registered_layouts()  # the library's own first, so that they are kept
    monkeypatch.setattr(layouts, "_LAYOUTS", dict(layouts._LAYOUTS))


class TextBesideImages(Layout):
    """``dog.jpg`` with its captions in ``dog.captions``, one per line."""

    looked_for = "*.captions"

    def recognise(self, path: Path) -> bool:
        return any(path.glob("*.captions"))

    def read(self, path: Path, name: str | None) -> CaptionedImages:
        rows = [
            (f"{file.stem}.jpg", line)
            for file in sorted(path.glob("*.captions"))
            for line in file.read_text().split("\n")
        ]
        splits = own_splits([filename for filename, _ in rows])
        return from_rows(rows, splits, name=name or path.name, layout="beside", source=path, images_folder=path)


def write_text_beside_images(folder: Path) -> None:
    (folder / "dog.captions").write_text("a dog\nan animal")
    (folder / "cat.captions").write_text("a cat")


def test_a_layout_that_is_registered_here_is_read(tmp_path: Path) -> None:
    write_text_beside_images(tmp_path)
    refuses(tmp_path, "not a dataset")
    register_layout("beside", order=45)(TextBesideImages)
    dataset = read_dataset(tmp_path, "mine")
    assert (dataset.name, dataset.layout, dataset.filenames) == ("mine", "beside", ("cat.jpg", "dog.jpg"))
    assert dataset.raw == ("a cat", "a dog", "an animal")
    (tmp_path / "elsewhere").mkdir()
    refuses(tmp_path / "elsewhere", "empty folder", "dataset*.json (Karpathy), *.captions, *.token")


@pytest.mark.parametrize(("order", "layout"), [(15, "beside"), (25, "kaggle-flickr8k")])
def test_the_order_says_who_reads_what_fits_two(tmp_path: Path, order: int, layout: str) -> None:
    write_text_beside_images(tmp_path)
    (tmp_path / "captions.txt").write_text("image,caption\na.jpg,x\n")
    register_layout("beside", order=order)(TextBesideImages)
    assert read_dataset(tmp_path).layout == layout


@pytest.mark.parametrize(("name", "order"), [("karpathy", 99), ("mine", 40)])
def test_a_name_or_an_order_that_is_taken_is_refused(name: str, order: int) -> None:
    with pytest.raises(XmrError, match=r"'karpathy' \(order 40\)"):
        register_layout(name, order)(TextBesideImages)


def test_the_library_s_own_layouts_in_their_order() -> None:
    names = ["course", "kaggle-flickr8k", "kaggle-flickr30k", "karpathy", "token", "coco", "csv"]
    assert list(registered_layouts()) == names
