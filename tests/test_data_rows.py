"""Layouts of rows (Kaggle, token lists, CSV), and the splits that are found or made for them."""

import csv
import html
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_data_readers import refuses

from xmr_lib.data import CaptionedImages, read_dataset
from xmr_lib.data.splits import own_splits
from xmr_lib.data.words import tokenise

CAPTIONS = {
    "b.jpg": ["A man's hat, red .", 'He says "hi" | twice'],
    "a.jpg": ["Ein Café &amp; ein Hund"],
    "c.jpg": ["one", "two", "three"],
}
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).map(lambda text: text.strip())
TABLES = st.dictionaries(
    st.from_regex(r"[a-z0-9_]{1,12}", fullmatch=True).map(lambda stem: stem + ".jpg"),
    st.lists(
        st.one_of(TEXT, st.sampled_from(['"', "a, b", "x | y", "|", "&lt;b&gt; &amp;amp;", "…", "#1"])), min_size=1
    ),
    min_size=1,
    max_size=6,
)


def write_captions_txt(folder: Path, captions: dict[str, list[str]]) -> None:
    rows = io.StringIO(newline="")
    writer = csv.writer(rows, lineterminator="\n")
    writer.writerows([("image", "caption"), *((name, text) for name, texts in captions.items() for text in texts)])
    (folder / "captions.txt").write_text(rows.getvalue(), encoding="utf-8", newline="")


def write_results_csv(folder: Path, captions: dict[str, list[str]]) -> None:
    rows = [f"{name}| {k}| {text}" for name, texts in captions.items() for k, text in enumerate(texts)]
    text = "\n".join(["image_name| comment_number| comment", *rows, ""])
    (folder / "results.csv").write_text(text, encoding="utf-8", newline="")


def write_tokens(folder: Path, captions: dict[str, list[str]]) -> None:
    rows = [f"{name}#{k}\t{text}\n" for name, texts in captions.items() for k, text in enumerate(texts)]
    (folder / "results_20130124.token").write_text("".join(rows), encoding="utf-8", newline="")


def write_table(folder: Path, captions: dict[str, list[str]], dialect: str = "excel") -> None:
    rows = io.StringIO(newline="")
    writer = csv.writer(rows, dialect)
    # One column that nobody asked for, and an order of its own: columns are found by name.
    writer.writerow(["Caption", "score", "Image"])
    writer.writerows((text, "0.5", name) for name, texts in captions.items() for text in texts)
    suffix = "csv" if dialect == "excel" else "tsv"
    (folder / f"mine.{suffix}").write_text(rows.getvalue(), encoding="utf-8-sig", newline="")


def write_tsv(folder: Path, captions: dict[str, list[str]]) -> None:
    write_table(folder, captions, "excel-tab")


WRITERS = {
    "kaggle-flickr8k": write_captions_txt,
    "kaggle-flickr30k": write_results_csv,
    "token": write_tokens,
    "csv": write_table,
    "tsv": write_tsv,
}


def captions_of(dataset: CaptionedImages) -> dict[str, list[str]]:
    return {name: [dataset.raw[c] for c in dataset.captions_of(i)] for i, name in enumerate(dataset.filenames)}


@pytest.mark.parametrize("layout", WRITERS)
def test_rows_of_every_layout(tmp_path: Path, layout: str) -> None:
    folder = tmp_path / "My Photos"
    (folder / "images").mkdir(parents=True)
    (folder / "images" / "b.jpg").touch()
    WRITERS[layout](folder, CAPTIONS)
    dataset = read_dataset(folder)
    assert (dataset.name, dataset.layout) == ("my-photos", layout.replace("tsv", "csv"))
    assert dataset.filenames == ("a.jpg", "b.jpg", "c.jpg")
    assert dataset.raw[:3] == ("Ein Café & ein Hund", "A man's hat, red .", 'He says "hi" | twice')
    assert dataset.tokens[:2] == (("ein", "café", "ein", "hund"), ("a", "mans", "hat", "red"))
    assert dataset.image_of_caption.tolist() == [0, 1, 1, 2, 2, 2]
    assert dataset.path(1).is_file()
    assert dataset.split_source == "own-split"
    file = next(path for path in folder.iterdir() if path.is_file())
    assert read_dataset(file, "my-photos").fingerprint == dataset.fingerprint


@pytest.mark.parametrize("layout", WRITERS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(captions=TABLES)
def test_round_trip(tmp_path: Path, layout: str, captions: dict[str, list[str]]) -> None:
    WRITERS[layout](tmp_path, captions)
    wanted = {name: [html.unescape(text) for text in captions[name]] for name in sorted(captions)}
    dataset = read_dataset(tmp_path)
    assert captions_of(dataset) == wanted
    assert dataset.tokens == tuple(tokenise(text) for text in dataset.raw)


def test_the_malformed_row_of_flickr30k_is_repaired(tmp_path: Path) -> None:
    images = tmp_path / "flickr30k_images" / "flickr30k_images"
    images.mkdir(parents=True)
    (images / "2199200615.jpg").touch()
    write_results_csv(images.parent, {"2199200615.jpg": ["A dog .", "Another ."], "1.jpg": ["One ."]})
    with (images.parent / "results.csv").open("a", encoding="utf-8") as file:
        file.write("2199200615.jpg| 4   A dog runs across the grass .\nnonsense\n3.jpg| x| y\n")
    for path in (tmp_path, images.parent, images.parent / "results.csv"):
        dataset = read_dataset(path)
        assert captions_of(dataset)["2199200615.jpg"] == ["A dog .", "Another .", "A dog runs across the grass ."]
        assert dataset.filenames == ("1.jpg", "2199200615.jpg")
        assert dataset.images_folder == images
        repaired, *left_out = dataset.notes
        assert "line 5 (2199200615.jpg)" in repaired
        assert [note.split(" is not")[0] for note in left_out] == ["results.csv: line 6", "results.csv: line 7"]


def test_rows_that_fit_nothing_are_noted(tmp_path: Path) -> None:
    text = 'image,caption\na.jpg,A dog, a cat .\nlonely\n,no name\nb.jpg,"open quote\nc.jpg,next\n'
    (tmp_path / "captions.txt").write_text(text, encoding="utf-8")
    dataset = read_dataset(tmp_path)
    assert captions_of(dataset) == {"a.jpg": ["A dog, a cat ."], "b.jpg": ["open quote"], "c.jpg": ["next"]}
    assert dataset.notes == ("captions.txt: left out without image or caption: line 3, line 4",)


def test_token_file_with_odd_lines_and_a_lemma_copy(tmp_path: Path) -> None:
    (tmp_path / "Flickr8k.token.txt").write_text("a.jpg#0\tdogs run\r\nno tab#0\n", encoding="utf-8", newline="")
    (tmp_path / "Flickr8k.lemma.token.txt").write_text("a.jpg#0\tdog run\n", encoding="utf-8")
    dataset = read_dataset(tmp_path)
    assert dataset.raw == ("dogs run",)
    assert dataset.notes == ("Flickr8k.token.txt: not name#number<TAB>caption, left out: line 2",)
    (tmp_path / "other.token").touch()
    refuses(tmp_path, "Flickr8k.token.txt, other.token")
    refuses(tmp_path / "other.token", "no line")


@pytest.mark.parametrize("suffix", [".jpg", ""])
def test_official_lists(tmp_path: Path, suffix: str) -> None:
    write_captions_txt(tmp_path, {f"{n}.jpg": ["x"] for n in range(6)})
    for split, numbers in {"trainImages": [0, 1, 9], "devImages": [2, 3], "testImages": [4, 3]}.items():
        text = "".join(f"{n}{suffix}\n" for n in numbers)
        (tmp_path / f"Flickr_8k.{split}.txt").write_text(text, encoding="utf-8")
    (tmp_path / "test_notes.txt").write_text("how it was tested\n", encoding="utf-8")
    dataset = read_dataset(tmp_path)
    assert dataset.split_source == "official lists"
    assert {s: p.tolist() for s, p in dataset.splits.items()} == {"train": [0, 1], "val": [2, 3], "test": [3, 4]}
    assert dataset.notes == (
        "Flickr_8k.devImages.txt is the list of val: 2 of its 2 names found",
        "Flickr_8k.testImages.txt is the list of test: 2 of its 2 names found",
        f"Flickr_8k.trainImages.txt is the list of train: 2 of its 3 names found; no captions of 1, such as 9{suffix}",
        "1 images stand in no list and are in no split",
    )
    (tmp_path / "test.txt").write_text("5\n", encoding="utf-8")
    refuses(tmp_path, "test.txt", "second list for test")


def write_lists(folder: Path, lists: dict[str, list[str]]) -> None:
    for file, names in lists.items():
        (folder / file).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def test_lists_of_which_few_names_are_here_are_used(tmp_path: Path) -> None:
    write_captions_txt(tmp_path, {f"{n}.jpg": ["x"] for n in range(12)})
    lists = {"train.txt": range(6), "val.txt": range(6, 8), "test.txt": range(8, 11)}
    absent = {file: [f"gone{n}.jpg" for n in range(40)] for file in lists}
    write_lists(tmp_path, {file: [f"{n}.jpg" for n in here] + absent[file] for file, here in lists.items()})
    dataset = read_dataset(tmp_path)
    assert dataset.split_source == "official lists"
    assert {split: len(images) for split, images in dataset.splits.items()} == {"train": 6, "val": 2, "test": 3}
    assert (
        "train.txt is the list of train: 6 of its 46 names found; no captions of 40, such as gone0.jpg" in dataset.notes
    )
    assert dataset.notes[-1] == "1 images stand in no list and are in no split"


def test_lists_that_leave_a_split_empty_stop(tmp_path: Path) -> None:
    write_captions_txt(tmp_path, {f"{n}.jpg": ["x"] for n in range(6)})
    write_lists(tmp_path, {"train.txt": ["0.jpg", "1.jpg"], "test.txt": ["2.jpg"], "val.txt": ["gone.jpg"]})
    refuses(tmp_path, "leave val empty", "test.txt, train.txt", "take the lists away")
    (tmp_path / "val.txt").unlink()
    refuses(tmp_path, "leave val empty")


def test_lists_that_are_not_used_are_told(tmp_path: Path) -> None:
    write_captions_txt(tmp_path, {f"{n}.jpg": ["x"] for n in range(6)})
    write_lists(tmp_path, {"train.txt": ["a.jpg", "b.jpg"], "test_notes.txt": ["how it was tested"]})
    dataset = read_dataset(tmp_path)
    assert dataset.split_source == "own-split"
    assert dataset.notes == ("train.txt was not used: none of its 2 lines names an image here",)
    write_lists(tmp_path, {"train.txt": ["0"], "val.txt": ["1"], "test.txt": ["2"], "trainval.txt": ["0", "1"]})
    assert read_dataset(tmp_path).splits["train"].tolist() == [0]
    assert "trainval.txt was not used: its name speaks of train and val" in read_dataset(tmp_path).notes


def test_notes_that_are_no_utf_8_do_not_stop(tmp_path: Path) -> None:
    write_captions_txt(tmp_path, {f"{n}.jpg": ["x"] for n in range(6)})
    (tmp_path / "Testbericht.txt").write_bytes("Gelände\n".encode("latin-1"))
    (tmp_path / "train.txt").symlink_to("nowhere")
    dataset = read_dataset(tmp_path)
    assert dataset.split_source == "own-split"
    first, second = dataset.notes
    assert "not used as a list of test" in first and "not UTF-8" in first
    assert "not used as a list of train" in second


def test_lists_name_images_with_folders_and_other_suffixes(tmp_path: Path) -> None:
    write_captions_txt(tmp_path, {f"{n}.JPG": ["x"] for n in range(3)})
    write_lists(tmp_path, {"train.txt": ["Images/0.jpg"], "val.txt": ["D:\\photos\\1.JPG"], "test.txt": ["2.png"]})
    dataset = read_dataset(tmp_path)
    assert {s: p.tolist() for s, p in dataset.splits.items()} == {"train": [0], "val": [1], "test": [2]}


def test_listed_names_that_fit_two_images_are_told(tmp_path: Path) -> None:
    write_captions_txt(tmp_path, {name: ["x"] for name in ("a/0.jpg", "b/0.jpg", "a/1.jpg", "a/2.jpg", "a/3.jpg")})
    write_lists(tmp_path, {"train.txt": ["0.jpg", "1.jpg"], "val.txt": ["2.jpg"], "test.txt": ["3.jpg"]})
    notes = read_dataset(tmp_path).notes
    assert "train.txt is the list of train: 1 of its 2 names found; 1 fit several images, such as 0.jpg" in notes
    assert notes[-1] == "2 images stand in no list and are in no split"


def test_the_json_that_knows_most_images_gives_the_splits(tmp_path: Path) -> None:
    write_captions_txt(tmp_path, {f"{n}.jpg": ["x"] for n in range(4)})
    for name, known, split in (("a", [0], "test"), ("b", [0, 1, 2, 3], "val")):
        items = [{"filename": f"{n}.jpg", "split": split} for n in known]
        (tmp_path / f"dataset_{name}.json").write_text(json.dumps({"images": items}), encoding="utf-8")
    dataset = read_dataset(tmp_path)
    assert dataset.splits["val"].tolist() == [0, 1, 2, 3]
    assert dataset.notes == ("splits are those of dataset_b.json: 4 of its 4 images found",)


def test_karpathy_json_beside_gives_the_splits(tmp_path: Path) -> None:
    write_captions_txt(tmp_path, {f"{n}.jpg": ["x"] for n in range(4)})
    items = [{"filename": f"{n}.jpg", "split": split} for n, split in enumerate(("test", "val", "train"))]
    (tmp_path / "dataset_flickr8k.json").write_text(json.dumps({"images": items}), encoding="utf-8")
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": [{"filename": "z", "split": "val"}]}))
    dataset = read_dataset(tmp_path)
    assert (dataset.layout, dataset.split_source) == ("kaggle-flickr8k", "karpathy json")
    assert {s: p.tolist() for s, p in dataset.splits.items()} == {"train": [2], "val": [1], "test": [0]}
    assert "dataset_flickr8k.json" in dataset.notes[0]
    assert dataset.notes[1].startswith("1 images stand in no json")
    items[1]["split"] = "restval"
    (tmp_path / "dataset_flickr8k.json").write_text(json.dumps({"images": items}), encoding="utf-8")
    dataset = read_dataset(tmp_path)
    assert {s: p.tolist() for s, p in dataset.splits.items()} == {"train": [1, 2], "val": [], "test": [0]}
    assert "1 images of split 'restval'" in dataset.notes[1]


def test_own_split_is_stable_and_of_the_right_size() -> None:
    names = [f"{n}.jpg" for n in range(5000)]
    of, part = own_splits(names).of, own_splits(names[::7]).of
    assert all(of[name] == part[name] for name in part)
    sizes = {split: sum(places == (split,) for places in of.values()) for split in ("train", "val", "test")}
    assert sum(sizes.values()) == 5000
    # Five standard deviations of a binomial count.
    assert abs(sizes["train"] - 4000) < 5 * np.sqrt(5000 * 0.8 * 0.2)
    assert abs(sizes["val"] - 500) < 5 * np.sqrt(5000 * 0.1 * 0.9)


def test_table_with_splits(tmp_path: Path) -> None:
    text = 'image,caption,split\nsub\\a.jpg,"x, y\nz",train\nb.jpg,y,Validation\nc.jpg,z,\nb.jpg,w,test\n'
    (tmp_path / "mine.csv").write_text(text, encoding="utf-8")
    (tmp_path / "scores.csv").write_text("image,score\n", encoding="utf-8")
    dataset = read_dataset(tmp_path)
    assert captions_of(dataset) == {"b.jpg": ["y", "w"], "c.jpg": ["z"], "sub/a.jpg": ["x, y\nz"]}
    assert dataset.split_source == "layout"
    assert {s: p.tolist() for s, p in dataset.splits.items()} == {"train": [2], "val": [0], "test": [0]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,caption\na.jpg,A dog, a cat\n", ["line 2", "3 cells", "header 2"]),
        ("image,caption,split\na.jpg,x,foo\n", ["line 2", "'foo'"]),
        ("image,caption\n ,x\n", ["line 2", "no image"]),
        ('image,caption\na.jpg,"x\nb.jpg,y\n', ["not CSV", "quote"]),
        ("image,caption,image\na.jpg,x,b\n", ["one column 'image'"]),
        ("image,caption\n", ["no image with a caption"]),
    ],
)
def test_broken_tables(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "mine.csv").write_text(text, encoding="utf-8")
    refuses(tmp_path, "mine.csv" if "with a caption" not in words[0] else "", *words)


def test_tables_that_are_others(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("image,caption\na.jpg,x\n", encoding="utf-8")
    (tmp_path / "two.csv").write_text("image,caption\na.jpg,x\n", encoding="utf-8")
    refuses(tmp_path, "one.csv, two.csv")
    (tmp_path / "third.csv").write_text("picture,text\n", encoding="utf-8")
    refuses(tmp_path / "third.csv", "'image'", "picture, text")
    (tmp_path / "captions.txt").write_text("a.jpg#0\tx\n", encoding="utf-8")
    refuses(tmp_path, "captions.txt", "image,caption")
    refuses(tmp_path / "captions.txt", "looked for")
    (tmp_path / "captions.txt").unlink()
    (tmp_path / "results.csv").write_text("1|2|3\n", encoding="utf-8")
    refuses(tmp_path, "results.csv", "image_name")


def test_a_cell_that_no_caption_is_as_long_as_is_left_out_and_told(tmp_path: Path) -> None:
    write_captions_txt(tmp_path, {f"{n}.jpg": ["x"] for n in range(9)} | {"long.jpg": ["x" * 200_000]})
    dataset = read_dataset(tmp_path)
    assert len(dataset) == 9
    assert "captions.txt: left out without image or caption: line 11" in dataset.notes
