"""File names and text as data have them: absolute paths, byte order marks, halves of characters, any folder."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from course_twin import write_course_twin
from PIL import Image
from test_data_coco import write_coco
from test_data_readers import items_of, write_items
from test_data_rows import WRITERS, write_captions_txt

from xmr_lib.data import check_dataset, read_dataset
from xmr_lib.data.names import relative_names
from xmr_lib.errors import XmrError


@pytest.mark.parametrize(
    ("names", "tidy", "below"),
    [
        (["a.jpg", "./b.jpg", "s\\c.jpg"], ["a.jpg", "b.jpg", "s/c.jpg"], None),
        (["/d/x/a.jpg", "/d/y/b.jpg", "c.jpg"], ["x/a.jpg", "y/b.jpg", "c.jpg"], "/d"),
        (["C:\\p\\a.jpg", "C:\\p\\b.jpg"], ["a.jpg", "b.jpg"], "C:/p"),
        (["/a.jpg", "/b/c.jpg"], ["a.jpg", "b/c.jpg"], "/"),
    ],
)
def test_names_become_relative(names: list[str], tidy: list[str], below: str | None) -> None:
    found, folder = relative_names(names)
    assert list(found.values()) == tidy
    assert folder == (None if below is None else Path(below))


@pytest.mark.parametrize("name", ["../secret.jpg", "a/../../secret.jpg", "..", "s\\..\\..\\secret.jpg"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    write_captions_txt(tmp_path, {"a.jpg": ["x"], name: ["y"]})
    with pytest.raises(XmrError, match="leads out of the folder of images"):
        read_dataset(tmp_path)


def test_links_out_of_the_folder_are_told(tmp_path: Path) -> None:
    names = ["a.jpg", "s/b.jpg", "s/c.jpg", "d.jpg"]
    write_captions_txt(tmp_path, {name: ["x"] for name in names})
    (tmp_path / "images" / "s").mkdir(parents=True)
    (tmp_path / "private.jpg").touch()
    (tmp_path / "images" / "d.jpg").touch()
    (tmp_path / "images" / "a.jpg").symlink_to("d.jpg")
    assert not any("links" in note for note in read_dataset(tmp_path).notes)
    (tmp_path / "images" / "s" / "b.jpg").symlink_to(tmp_path / "private.jpg")
    (tmp_path / "images" / "s" / "c.jpg").symlink_to("../../private.jpg")
    [note] = [note for note in read_dataset(tmp_path).notes if "links" in note]
    first = f"s/b.jpg → {tmp_path}/private.jpg"
    assert note == f"2 image files are links out of their folder, such as {first}; they are followed"


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../../escaped", "x" * 300])
def test_a_dataset_whose_name_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    write_captions_txt(tmp_path, {f"{n}.jpg": ["x"] for n in range(9)})
    with pytest.raises(XmrError, match="a dataset can't be called"):
        replace(read_dataset(tmp_path), name=name)


@pytest.mark.parametrize("moved", [False, True])
def test_absolute_paths_in_a_karpathy_json(tmp_path: Path, moved: bool) -> None:
    folder = write_course_twin(tmp_path / "twin", images=10, feature_files=False)
    plain = read_dataset(folder)
    items = items_of(folder)
    for item in items:
        item["filename"] = f"{folder}/flickr30k-images/{item['filename']}"
    write_items(folder, items)
    if moved:
        shutil.move(folder, tmp_path / "moved")
        folder = tmp_path / "moved"
    dataset = read_dataset(folder)
    assert dataset.filenames == plain.filenames
    assert dataset.fingerprint == plain.fingerprint
    assert {s: p.tolist() for s, p in dataset.splits.items()} == {s: p.tolist() for s, p in plain.splits.items()}
    report = check_dataset(dataset)
    assert (report.missing, report.unknown_files) == ((), 0)
    assert any("file names are absolute" in note for note in dataset.notes)


@pytest.mark.parametrize("layout", WRITERS)
def test_absolute_paths_in_rows(tmp_path: Path, layout: str) -> None:
    pictures = tmp_path / "elsewhere"
    pictures.mkdir()
    names = [f"{n}.png" for n in range(3)]
    for name in names:
        Image.new("RGB", (4, 4)).save(pictures / name)
    (tmp_path / "plain").mkdir()
    WRITERS[layout](tmp_path / "plain", {name: ["x"] for name in names})
    (tmp_path / "mine").mkdir()
    WRITERS[layout](tmp_path / "mine", {f"{pictures}/{name}": ["x"] for name in names})
    dataset = read_dataset(tmp_path / "mine")
    assert (dataset.filenames, dataset.images_folder) == (tuple(names), pictures)
    plain = read_dataset(tmp_path / "plain").splits
    assert {s: p.tolist() for s, p in dataset.splits.items()} == {s: p.tolist() for s, p in plain.items()}


def test_absolute_paths_in_coco(tmp_path: Path) -> None:
    content = write_coco(tmp_path / "captions_x.json", 0, 5)
    (tmp_path / "photos").mkdir()
    for image in content["images"]:
        (tmp_path / "photos" / image["file_name"]).touch()
        image["file_name"] = "D:\\coco\\" + image["file_name"]
    (tmp_path / "captions_x.json").write_text(json.dumps(content), encoding="utf-8")
    dataset = read_dataset(tmp_path)
    assert all(dataset.path(image).is_file() for image in range(5))


@pytest.mark.parametrize("place", ["fotos", "data/pictures of mine", "a/b/c"])
def test_the_folder_that_holds_the_files_is_found_under_any_name(tmp_path: Path, place: str) -> None:
    write_captions_txt(tmp_path, {f"{n}.png": ["x"] for n in range(8)})
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / "images").mkdir()
    (tmp_path / ".hidden").mkdir()
    for n in range(8):
        Image.new("RGB", (4, 4)).save(tmp_path / place / f"{n}.png")
        Image.new("RGB", (4, 4)).save(tmp_path / ".hidden" / f"{n}.png")
    assert read_dataset(tmp_path).images_folder == tmp_path / place


def test_thumbnails_do_not_take_the_place_of_images(tmp_path: Path) -> None:
    write_captions_txt(tmp_path, {f"{n}.png": ["x"] for n in range(8)})
    for folder, missing in (("images", 2), ("images/thumbs", 0)):
        (tmp_path / folder).mkdir()
        for n in range(missing, 8):
            (tmp_path / folder / f"{n}.png").touch()
    assert read_dataset(tmp_path).images_folder == tmp_path / "images"


def test_halves_of_characters_are_read_as_such_and_told(tmp_path: Path) -> None:
    folder = write_course_twin(tmp_path, images=10, feature_files=False)
    items = items_of(folder)
    items[0]["sentences"][0] |= {"raw": "A dog \ud83d .", "tokens": ["a", "dog", "\ud83d"]}
    items[0]["sentences"][1] |= {"raw": "A dog \ud83d\udc36"}
    write_items(folder, items)
    dataset = read_dataset(folder)
    assert dataset.raw[:2] == ("A dog \ufffd .", "A dog \U0001f436")
    assert dataset.tokens[0] == ("a", "dog", "\ufffd")
    assert any(note.startswith("1 captions hold half a character") for note in dataset.notes)
    "\n".join((*dataset.raw, *check_dataset(dataset).lines())).encode("utf-8")


def test_a_name_that_is_no_text_can_be_printed(tmp_path: Path) -> None:
    folder = write_course_twin(tmp_path, images=10, feature_files=False)
    items = items_of(folder)
    items[0]["filename"] = "\udce9t\udce9.jpg"
    write_items(folder, items)
    report = check_dataset(read_dataset(folder))
    assert len(report.missing) == 1
    "\n".join(report.lines()).encode("utf-8")
