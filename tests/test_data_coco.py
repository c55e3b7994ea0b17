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
