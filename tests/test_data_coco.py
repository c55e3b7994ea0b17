"""COCO's caption files: ids, folders of images, and the split that is our own."""

import json
from pathlib import Path

import pytest
from test_data_readers import refuses

from xmr_lib.data import read_dataset


def write_coco(file: Path, first: int, images: int) -> dict:
    """Two captions per image; annotations in an order of their own, as in the real files."""
    content = {
        "images": [{"id": first + n, "file_name": f"{first + n:012}.jpg"} for n in range(images)],
        "annotations": [
            {"id": 10_000 + 2 * first + 2 * n + k, "image_id": first + n, "caption": f"Image {first + n} &amp; {k}\n"}
            for k in range(2)
            for n in reversed(range(images))
        ],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content), encoding="utf-8")
    return content


@pytest.mark.parametrize("parent", ["", "images"])
def test_coco_folder(tmp_path: Path, parent: str) -> None:
    write_coco(tmp_path / "annotations" / "captions_train2017.json", 100, 20)
    write_coco(tmp_path / "annotations" / "captions_val2017.json", 500, 40)
    (tmp_path / parent / "val2017").mkdir(parents=True)
    (tmp_path / parent / "val2017" / f"{503:012}.jpg").touch()
    dataset = read_dataset(tmp_path)
    assert (dataset.layout, dataset.split_source) == ("coco", "own-split")
    assert dataset.splits["train"].tolist() == list(range(20))
    assert sorted([*dataset.splits["val"], *dataset.splits["test"]]) == list(range(20, 60))
    assert min(len(dataset.splits["val"]), len(dataset.splits["test"])) > 8
    assert "divided into val and test" in dataset.notes[0]
    position = dataset.image_ids.tolist().index(503)
    assert dataset.path(position).is_file()
    assert [dataset.raw[c] for c in dataset.captions_of(position)] == ["Image 503 & 0", "Image 503 & 1"]
    assert dataset.caption_ids[dataset.captions_of(position)].tolist() == [11006, 11007]
    assert dataset.tokens[dataset.captions_of(position)[1]] == ("image", "503", "1")


@pytest.mark.parametrize("name", ["captions_val2017.json", "mine.json"])
def test_coco_file_by_itself(tmp_path: Path, name: str) -> None:
    write_coco(tmp_path / name, 0, 50)
    dataset = read_dataset(tmp_path / name)
    assert dataset.layout == "coco"
    assert len(dataset.splits["train"]) > 30
    assert sum(map(len, dataset.splits.values())) == 50


def test_coco_splits_do_not_hang_on_image_folders(tmp_path: Path) -> None:
    write_coco(tmp_path / "annotations" / "captions_val2017.json", 0, 50)
    before = read_dataset(tmp_path).splits
    (tmp_path / "val2017").mkdir()
    after = read_dataset(tmp_path).splits
    assert {s: p.tolist() for s, p in before.items()} == {s: p.tolist() for s, p in after.items()}


def test_broken_coco_files(tmp_path: Path) -> None:
    file = tmp_path / "captions_x.json"
    good = write_coco(file, 0, 3)
    caption = good["annotations"][0]
    for bad, words in (
        (good | {"annotations": [caption | {"image_id": 77}]}, ["annotation 0", "77"]),
        (good | {"annotations": [{"id": 1, "image_id": 1, "bbox": []}]}, ["annotation 0", "no 'caption'"]),
        (good | {"annotations": [caption, caption]}, ["caption id", "twice"]),
        (good | {"images": good["images"] * 2}, ["image 3", "id 0", "twice"]),
        ({"images": []}, ["no 'annotations'"]),
        ([], ["is a list"]),
    ):
        file.write_text(json.dumps(bad), encoding="utf-8")
        refuses(file, "captions_x.json", *words)


def split_ids(path: Path) -> dict[str, list[int]]:
    dataset = read_dataset(path)
    return {split: dataset.image_ids[images].tolist() for split, images in dataset.splits.items()}


@pytest.mark.parametrize(
    "pattern",
    ["captions_{}.json", "captions_{}2017.json", "{}2014_captions.json", "annotations/{}_captions.json", "{}.json"],
)
def test_the_name_of_a_file_is_its_split(tmp_path: Path, pattern: str) -> None:
    write_coco(tmp_path / pattern.format("train"), 100, 20)
    write_coco(tmp_path / pattern.format("val"), 200, 20)
    write_coco(tmp_path / pattern.format("test"), 300, 20)
    dataset = read_dataset(tmp_path)
    assert (dataset.layout, dataset.split_source, dataset.notes) == ("coco", "layout", ())
    wanted = {"train": list(range(100, 120)), "val": list(range(200, 220)), "test": list(range(300, 320))}
    assert split_ids(tmp_path) == wanted


def test_restval_s_file_is_trained_on(tmp_path: Path) -> None:
    for first, split in ((100, "train2014"), (200, "restval2014"), (300, "dev"), (400, "test")):
        write_coco(tmp_path / f"captions_{split}.json", first, 2)
    assert split_ids(tmp_path) == {"train": [200, 201, 100, 101], "val": [300, 301], "test": [400, 401]}
    assert "2 images of split 'restval'" in read_dataset(tmp_path).notes[0]


def test_images_that_name_their_split_are_in_it(tmp_path: Path) -> None:
    content = write_coco(tmp_path / "captions_all.json", 0, 6)
    for image, split in zip(
        content["images"], ("train", "restval", "validation", "test", "spare", "train"), strict=True
    ):
        image["split"] = split
    (tmp_path / "captions_all.json").write_text(json.dumps(content), encoding="utf-8")
    assert split_ids(tmp_path) == {"train": [0, 1, 5], "val": [2], "test": [3], "spare": [4]}
    assert any("'spare'" in note for note in read_dataset(tmp_path).notes)


@pytest.mark.parametrize(("name", "says"), [("extra", "no split"), ("trainval", "several splits")])
def test_a_file_whose_split_is_not_clear_stops(tmp_path: Path, name: str, says: str) -> None:
    write_coco(tmp_path / "captions_train.json", 0, 5)
    write_coco(tmp_path / f"captions_{name}.json", 10, 5)
    refuses(tmp_path, f"captions_{name}.json", says, "train, val, test")


def test_images_in_the_folder_of_another_split(tmp_path: Path) -> None:
    write_coco(tmp_path / "annotations" / "captions_train2014.json", 0, 3)
    write_coco(tmp_path / "annotations" / "captions_val2014.json", 100, 3)
    write_coco(tmp_path / "annotations" / "captions_test2014.json", 200, 3)
    for name, first in (("train2014", 0), ("val2014", 100), ("val2014", 200)):
        (tmp_path / name).mkdir(exist_ok=True)
        for n in range(3):
            (tmp_path / name / f"{first + n:012}.jpg").touch()
    dataset = read_dataset(tmp_path)
    assert all(dataset.path(image).is_file() for image in range(9))


def test_a_split_alone_is_said_to_be_divided(tmp_path: Path) -> None:
    write_coco(tmp_path / "captions_val2014.json", 0, 50)
    (note,) = read_dataset(tmp_path).notes
    assert "captions_val2014.json is the only file" in note
