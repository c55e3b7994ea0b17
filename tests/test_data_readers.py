"""The course folder and any Karpathy json, whole and broken."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from course_twin import write_course_twin

from xmr_lib.data import check_dataset, read_dataset
from xmr_lib.errors import XmrError


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course folder that a test may spoil."""
    return write_course_twin(tmp_path / "Course Folder", images=10, feature_files=False)


def items_of(folder: Path, file: str = "dataset.json") -> list[dict]:
    content = json.loads((folder / file).read_text(encoding="utf-8"))
    return content["images"] if isinstance(content, dict) else content


def write_items(folder: Path, items: list[dict]) -> None:
    """Put these items in the place of dataset.json, and take the lists away."""
    for file in ("train.json", "val.json", "test.json"):
        (folder / file).unlink(missing_ok=True)
    (folder / "dataset.json").write_text(json.dumps({"images": items, "dataset": "flickr30k"}), encoding="utf-8")


def refuses(path: Path, *words: str) -> None:
    """``read_dataset`` raises an error of one line that holds all the words."""
    with pytest.raises(XmrError) as caught:
        read_dataset(path)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


def test_course_folder_is_read_as_it_is(course: Path) -> None:
    dataset, items = read_dataset(course), items_of(course)
    assert (dataset.name, dataset.layout, dataset.split_source, dataset.notes) == ("flickr30k", "course", "layout", ())
    assert dataset.images_folder == course / "flickr30k-images"
    assert dataset.image_ids.tolist() == [item["imgid"] for item in items]
    for position, item in enumerate(items):
        assert dataset.filenames[position] == item["filename"]
        captions = dataset.captions_of(position)
        assert dataset.caption_ids[captions].tolist() == item["sentids"]
        assert [list(dataset.tokens[c]) for c in captions] == [s["tokens"] for s in item["sentences"]]
    for split, positions in dataset.splits.items():
        assert dataset.image_ids[positions].tolist() == [item["imgid"] for item in items_of(course, f"{split}.json")]
    assert dataset.raw[5].endswith(" . & more .")
    assert dataset.tokens[10][0] == "(with"


def test_lists_alone_give_the_same_dataset(course: Path) -> None:
    whole = read_dataset(course)
    (course / "dataset.json").unlink()
    merged = read_dataset(course)
    assert merged.name == "course-folder"
    assert sorted(merged.image_ids) == sorted(whole.image_ids)
    for split in ("train", "val", "test"):
        one, other = merged.split(split), whole.split(split)
        assert one.fingerprint == other.fingerprint
        assert one.raw == other.raw


def test_list_items_without_split_take_it_from_the_file(course: Path) -> None:
    (course / "dataset.json").unlink()
    bare = [{key: value for key, value in item.items() if key != "split"} for item in items_of(course, "val.json")]
    (course / "val.json").write_text(json.dumps(bare), encoding="utf-8")
    (course / "train.json").unlink()
    dataset = read_dataset(course)
    assert dataset.split("val").image_ids.tolist() == [item["imgid"] for item in bare]
    assert dataset.notes == ("train.json is missing",)


@pytest.mark.parametrize(
    "images", ["flickr30k_images", "images", "imgs", "Images", "Flicker8k_Dataset", "imgs/imgs", ""]
)
def test_image_folder_under_any_usual_name(course: Path, images: str) -> None:
    wanted = course / images
    wanted.mkdir(parents=True, exist_ok=True)
    for file in (course / "flickr30k-images").iterdir():
        shutil.move(file, wanted / file.name)
    (course / "flickr30k-images").rmdir()
    dataset = read_dataset(course)
    assert dataset.path(3) == wanted / dataset.filenames[3]
    assert dataset.path(3).is_file()


def test_an_empty_split_is_told_with_the_others_sizes(course: Path) -> None:
    items = items_of(course)
    for item in items:
        item["split"] = "train" if item["split"] == "val" else item["split"]
    write_items(course, items)
    with pytest.raises(XmrError, match="no images in split 'val'; there are 2 in test, 8 in train, 0 in val"):
        read_dataset(course).split("val")


def test_features_only_folder_has_no_image_folder(course: Path) -> None:
    shutil.rmtree(course / "flickr30k-images")
    dataset = read_dataset(course)
    assert dataset.images_folder is None
    with pytest.raises(XmrError, match="no image folder"):
        dataset.path(0)


@pytest.mark.parametrize("given", ["folder", "file"])
def test_karpathy_json_of_another_name_with_coco_items(course: Path, given: str) -> None:
    items = items_of(course)
    for item in items:
        item["filepath"] = "val2014"
    items[3]["split"] = "held back"
    write_items(course, items)
    (course / "dataset.json").rename(course / "dataset_coco.json")
    (course / "flickr30k-images").rename(course / "val2014")
    dataset = read_dataset(course if given == "folder" else course / "dataset_coco.json", "My COCO")
    assert (dataset.name, dataset.layout, dataset.images_folder) == ("my-coco", "karpathy", course)
    assert dataset.path(2).is_file()
    assert dataset.splits["held back"].tolist() == [3]
    assert "held back" in dataset.notes[0]


def test_restval_is_trained_on_and_told(course: Path) -> None:
    items = items_of(course)
    train = [item["imgid"] for item in items if item["split"] == "train"]
    val = [item for item in items if item["split"] == "val"]
    for item in val:
        item["split"] = "restval"
    write_items(course, items)
    for file in ("dataset.json", "dataset_coco.json"):
        dataset = read_dataset((course / "dataset.json").rename(course / file).parent)
        assert set(dataset.splits) == {"train", "val", "test"} and not len(dataset.splits["val"])
        assert dataset.image_ids[dataset.splits["train"]].tolist() == sorted([*train, *(i["imgid"] for i in val)])
        (note,) = dataset.notes
        assert f"{len(val)} images of split 'restval'" in note
        assert f"note: {note}" in check_dataset(dataset, read_images=False).lines()


def test_restval_in_the_list_of_train(course: Path) -> None:
    train = items_of(course, "train.json")
    train[0]["split"] = "restval"
    (course / "train.json").write_text(json.dumps(train), encoding="utf-8")
    before = read_dataset(course)
    (course / "dataset.json").unlink()
    dataset = read_dataset(course)
    assert sorted(dataset.splits["train"]) == sorted(range(len(train)))
    assert dataset.split("train").fingerprint == before.split("train").fingerprint
    assert "1 images of split 'restval'" in dataset.notes[0]


def test_one_and_nine_captions_none_and_a_wordless_one(course: Path) -> None:
    items = items_of(course)
    items[0]["sentences"] = items[0]["sentences"][:1]
    more = [s | {"sentid": 1000 + k} for k, s in enumerate(items[1]["sentences"][:4])]
    items[1]["sentences"] += more
    items[2]["sentences"] = []
    items[3]["sentences"][0] |= {"tokens": [], "raw": "..."}
    write_items(course, items)
    dataset = read_dataset(course)
    assert dataset.image_ids.tolist() == [0, 1, 3, 4, 5, 6, 7, 8, 9]
    assert np.diff(dataset.caption_offsets).tolist() == [1, 9, 5, 5, 5, 5, 5, 5, 5]
    assert dataset.tokens[10] == ()
    assert dataset.notes == (f"1 images without captions were left out: {items[2]['filename']}",)


def spoil(items: list[dict], fault: str) -> None:
    first, sentence = items[4], items[4]["sentences"][2]
    match fault:
        case "no filename":
            del first["filename"]
        case "no split":
            del first["split"]
        case "imgid is text":
            first["imgid"] = "4"
        case "item is text":
            items[4] = "image.jpg"
        case "no tokens":
            del sentence["tokens"]
        case "token is a number":
            sentence["tokens"] = ["a", 1]
        case "sentence of another image":
            sentence["imgid"] = 5
        case "huge id":
            sentence["sentid"] = 10**30
        case "imgid twice":
            first["imgid"] = 2
            for each in first["sentences"]:
                each["imgid"] = 2
        case "filename twice":
            first["filename"] = items[2]["filename"]
        case "sentid twice":
            sentence["sentid"] = 3
        case "no captions at all":
            for item in items:
                item["sentences"] = []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("no filename", ["item 4", "no 'filename'"]),
        ("no split", ["item 4", "no 'split'"]),
        ("imgid is text", ["item 4", "'imgid' is a str, not int"]),
        ("item is text", ["item 4", "is a str"]),
        ("no tokens", ["item 4, sentence 2", "no 'tokens'"]),
        ("token is a number", ["item 4, sentence 2", "not a string"]),
        ("sentence of another image", ["item 4, sentence 2", "imgid 5", "has 4"]),
        ("huge id", ["item 4, sentence 2", "64 bits"]),
        ("imgid twice", ["image id 2", "twice", "1000000014.jpg", "1000000028.jpg"]),
        ("filename twice", ["1000000014.jpg", "twice"]),
        ("sentid twice", ["caption id 3", "twice", "1000000000.jpg", "1000000028.jpg"]),
        ("no captions at all", ["no image with a caption"]),
    ],
)
def test_broken_items_are_named(course: Path, fault: str, words: list[str]) -> None:
    items = items_of(course)
    spoil(items, fault)
    write_items(course, items)
    refuses(course, "Course Folder", *words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", ["not valid JSON", "line 1"]),
        ("[" * 100_000, ["nested too deeply"]),
        ('{"info": 1, "licenses": []}', ["info, licenses", "Karpathy"]),
        ('{"images": {}}', ["Karpathy", "'images', but that is a dict"]),
        ('"hello"', ["Karpathy", "is a str"]),
        ("[1, 2]", ["item 0", "int"]),
        ("[]", ["no image with a caption"]),
        ("\udcff", ["not UTF-8"]),
    ],
)
def test_json_that_is_not_what_it_seems(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "dataset.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    refuses(tmp_path, *words)
    refuses(tmp_path / "dataset.json", "dataset.json", *words)


def test_byte_order_mark_is_no_fault(course: Path) -> None:
    text = (course / "dataset.json").read_text(encoding="utf-8")
    (course / "dataset.json").write_text(text, encoding="utf-8-sig")
    assert len(read_dataset(course)) == 10


def test_lists_that_disagree_with_the_whole(course: Path) -> None:
    moved = items_of(course, "test.json")[0]
    val = items_of(course, "val.json")
    (course / "val.json").write_text(json.dumps([*val, moved]), encoding="utf-8")
    refuses(course, "val.json", f"imgid {moved['imgid']}", moved["filename"], "'test'")
    (course / "dataset.json").unlink()
    refuses(course, "val.json", f"imgid {moved['imgid']}", "'test'")
    (course / "val.json").write_text(json.dumps([*val, val[0]]), encoding="utf-8")
    refuses(course, f"image id {val[0]['imgid']}", "twice")


def test_list_with_an_image_that_the_whole_lacks(course: Path) -> None:
    stranger = items_of(course, "val.json")[0] | {"filename": "stranger.jpg"}
    (course / "val.json").write_text(json.dumps([stranger]), encoding="utf-8")
    refuses(course, "stranger.jpg", "not in dataset.json")


def test_several_karpathy_files_are_ambiguous(course: Path) -> None:
    write_items(course, items_of(course))
    shutil.copy(course / "dataset.json", course / "dataset_flickr8k.json")
    (course / "dataset.json").rename(course / "dataset_coco.json")
    refuses(course, "dataset_coco.json, dataset_flickr8k.json")
    assert len(read_dataset(course / "dataset_flickr8k.json")) == 10
