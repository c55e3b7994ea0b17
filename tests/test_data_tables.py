"""Quotes in tables: a cell's, or a caption's own; line breaks in cells; delimiters and headers as people have them."""

from pathlib import Path

import pytest
from test_data_readers import refuses
from test_data_rows import captions_of

from xmr_lib.data import read_dataset


def write(file: Path, lines: list[str]) -> Path:
    file.write_text("\n".join([*lines, ""]), encoding="utf-8", newline="")
    return file.parent


def test_captions_of_a_tsv_that_begin_with_a_quote_swallow_nothing(tmp_path: Path) -> None:
    lines = ["image\tcaption"]
    for n in range(28):
        texts = ['"A dog runs', "A dog .", '"Stop" on a sign', 'the end"', f"number {n}"]
        lines += [f"{n:02}.jpg\t{text}" for text in texts]
    captions = captions_of(read_dataset(write(tmp_path / "mine.tsv", lines)))
    assert len(captions) == 28
    assert sum(map(len, captions.values())) == 140
    assert captions["07.jpg"] == ['"A dog runs', "A dog .", '"Stop" on a sign', 'the end"', "number 7"]


@pytest.mark.parametrize("header", ["image\tcaption", "caption\timage"])
def test_a_quoted_cell_of_a_tsv_may_hold_line_breaks(tmp_path: Path, header: str) -> None:
    cells = [("a.jpg", '"one\ntwo, ""three"""'), ("b.jpg", '"open'), ("c.jpg", '"x\ny\nz"'), ("d.jpg", "last")]
    rows = ["\t".join(row if header.startswith("image") else reversed(row)) for row in cells]
    captions = captions_of(read_dataset(write(tmp_path / "mine.tsv", [header, *rows])))
    assert captions == {"a.jpg": ['one\ntwo, "three"'], "b.jpg": ['"open'], "c.jpg": ["x\ny\nz"], "d.jpg": ["last"]}


def test_line_breaks_in_quotes_of_kaggle_s_captions_txt(tmp_path: Path) -> None:
    rows = ['a.jpg,"A dog', "and a cat, both wet", 'on grass ."', "a.jpg,Two .", 'b.jpg,"open quote', "c.jpg,next"]
    dataset = read_dataset(write(tmp_path / "captions.txt", ["image,caption", *rows]))
    wanted = {"a.jpg": ["A dog\nand a cat, both wet\non grass .", "Two ."], "b.jpg": ["open quote"], "c.jpg": ["next"]}
    assert (dataset.layout, captions_of(dataset), dataset.notes) == ("kaggle-flickr8k", wanted, ())


def test_names_without_suffix(tmp_path: Path) -> None:
    rows = ['1001,"A dog', 'and a cat"', '1002,"open', "1003,next"]
    captions = captions_of(read_dataset(write(tmp_path / "captions.txt", ["image,caption", *rows])))
    assert captions == {"1001": ["A dog\nand a cat"], "1002": ["open"], "1003": ["next"]}


def test_a_quote_that_would_swallow_rows_of_a_csv_is_named(tmp_path: Path) -> None:
    write(tmp_path / "mine.csv", ["image,caption", 'a.jpg,"x', "b.jpg,y", 'c.jpg,z"'])
    refuses(tmp_path, "mine.csv", "line 2", "quote")


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ","])
def test_the_delimiter_is_read_off_the_header(tmp_path: Path, delimiter: str) -> None:
    rows = [["image", "split", "caption"], ["a.jpg", "restval", "x"], ["b.jpg", "val", "y"], ["c.jpg", "test", "z"]]
    dataset = read_dataset(write(tmp_path / "mine.csv", [delimiter.join(row) for row in rows]))
    assert captions_of(dataset) == {"a.jpg": ["x"], "b.jpg": ["y"], "c.jpg": ["z"]}
    assert {split: images.tolist() for split, images in dataset.splits.items()} == {
        "train": [0],
        "val": [1],
        "test": [2],
    }
    assert "1 images of split 'restval'" in dataset.notes[0]


@pytest.mark.parametrize(
    ("file", "layout"),
    [
        ("captions.txt", "kaggle-flickr8k"),
        ("results.csv", "kaggle-flickr30k"),
        ("images/results.csv", "kaggle-flickr30k"),
        ("mine.csv", "csv"),
    ],
)
def test_flickr30k_s_header_with_commas(tmp_path: Path, file: str, layout: str) -> None:
    rows = ["image_name,comment_number,comment", 'a.jpg,0,"A dog, wet ."', "a.jpg,1,A cat .", 'b.jpg,0,"Two', 'lines"']
    (tmp_path / file).parent.mkdir(exist_ok=True)
    write(tmp_path / file, rows)
    wanted = {"a.jpg": ["A dog, wet .", "A cat ."], "b.jpg": ["Two\nlines"]}
    dataset = read_dataset(tmp_path)
    assert (dataset.layout, captions_of(dataset), dataset.notes) == (layout, wanted, ())
    assert captions_of(read_dataset(tmp_path / file)) == wanted


def test_lines_that_carriage_returns_end(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(b"image,caption\ra.jpg,x\rb.jpg,y\r")
    assert captions_of(read_dataset(tmp_path)) == {"a.jpg": ["x"], "b.jpg": ["y"]}
