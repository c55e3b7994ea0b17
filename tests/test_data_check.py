"""The data check finds what was planted, and nothing else."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from course_twin import write_course_twin
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from xmr_lib.data import CaptionedImages, check_dataset, read_dataset
from xmr_lib.data.check import recall_ceiling


@pytest.fixture
def dataset(tmp_path: Path) -> CaptionedImages:
    return read_dataset(write_course_twin(tmp_path, images=10, feature_files=False))


def captioned(words_of_images: list[list[str]]) -> CaptionedImages:
    """A dataset without files whose captions are these."""
    counts = [len(words) for words in words_of_images]
    captions = [words for of_image in words_of_images for words in of_image]
    return CaptionedImages(
        name="made",
        image_ids=np.arange(len(counts)),
        filenames=tuple(f"{n}.jpg" for n in range(len(counts))),
        raw=tuple(captions),
        tokens=tuple(tuple(words.split()) for words in captions),
        caption_ids=np.arange(len(captions)),
        image_of_caption=np.repeat(np.arange(len(counts)), counts),
        splits={"train": np.arange(0), "val": np.arange(0), "test": np.arange(len(counts))},
        split_source="layout",
        layout="made",
    )


def test_a_good_dataset_has_no_problems(dataset: CaptionedImages) -> None:
    report = check_dataset(dataset)
    assert report.problems == 0
    assert (report.images, report.captions, report.unsplit, report.unknown_files) == (10, 50, 0, 0)
    assert report.split_sizes == {"train": 6, "val": 2, "test": 2}
    assert report.captions_per_image == {5: 10}
    lengths = [len(words) for words in dataset.tokens]
    assert report.words_per_caption == (2, pytest.approx(sum(lengths) / 50), 78)
    # The one caption that images 3 and 4 share.
    assert report.shared_captions == 2
    lines = report.lines()
    assert lines[-1] == "no problems"
    assert not any(line.startswith("!") for line in lines)
    assert "train 6, val 2, test 2, in none 0" in lines[1]


def test_missing_broken_and_unknown_image_files(dataset: CaptionedImages) -> None:
    folder = dataset.images_folder
    assert folder is not None
    dataset.path(1).unlink()
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    Image.fromarray(noise).save(dataset.path(2))
    whole = dataset.path(2).read_bytes()
    dataset.path(2).write_bytes(whole[: len(whole) * 4 // 5])
    dataset.path(3).write_text("<html>404</html>", encoding="utf-8")
    dataset.path(4).write_bytes(b"")
    Image.new("L", (4, 4)).save(folder / "stranger.PNG")
    (folder / "._hidden.jpg").touch()
    report = check_dataset(dataset)
    assert report.missing == (dataset.filenames[1],)
    assert list(report.unreadable) == [dataset.filenames[image] for image in (2, 3, 4)]
    assert "truncated" in report.unreadable[dataset.filenames[2]]
    assert str(folder) not in "".join(report.unreadable.values())
    assert (report.unknown_files, report.problems) == (1, 4)
    text = "\n".join(report.lines())
    assert f"! 1 images are missing: {dataset.filenames[1]}" in text
    assert "! 3 images can't be decoded" in text
    assert "image files: 6 of 10 can be decoded" in text

    quick = check_dataset(dataset, read_images=False)
    assert (quick.missing, quick.unreadable) == (report.missing, {})
    assert "not decoded" in "\n".join(quick.lines())


def test_only_the_first_ten_are_named(dataset: CaptionedImages, tmp_path: Path) -> None:
    assert dataset.images_folder is not None
    gone = read_dataset(write_course_twin(tmp_path / "more", images=15, feature_files=False))
    for image in range(15):
        gone.path(image).unlink()
    line = next(line for line in check_dataset(gone).lines() if "missing" in line)
    assert line.startswith("! 15 images")
    assert line.endswith(f"{gone.filenames[9]} and 5 more")


def test_file_name_that_no_file_system_takes_is_missing(dataset: CaptionedImages) -> None:
    odd = replace(dataset, filenames=("x" * 5000, "nul\0.jpg", *dataset.filenames[2:]))
    assert check_dataset(odd).missing == ("x" * 5000, "nul\0.jpg")


def test_no_image_folder(dataset: CaptionedImages) -> None:
    alone = replace(dataset, images_folder=None)
    report = check_dataset(alone)
    assert (report.problems, report.unknown_files) == (1, 0)
    (obstacle,) = report.obstacles
    assert "--images FOLDER" in obstacle
    assert f"! {obstacle}" in report.lines()
    assert report.lines()[-1] == f"1 problems; this project can't train on these data: {obstacle}"

    assert dataset.source is not None
    (dataset.source / "vgg_feats.mat").touch()
    report = check_dataset(alone)
    assert (report.problems, report.obstacles, report.lines()[-1]) == (0, [], "no problems")
    assert "no image folder: only features can be used" in report.lines()


def test_a_split_whose_images_are_all_bad_is_an_obstacle(dataset: CaptionedImages) -> None:
    one, *others = dataset.splits["val"].tolist()
    dataset.path(one).unlink()
    assert (check_dataset(dataset).problems, check_dataset(dataset).obstacles) == (1, [])
    assert check_dataset(dataset).lines()[-1] == "1 problems; this project can train on the rest"
    for other in others:
        dataset.path(other).write_bytes(b"")
    assert check_dataset(dataset).obstacles == ["val has no image that can be used"]
    for image in dataset.splits["train"].tolist()[1:]:
        dataset.path(image).unlink()
    assert "train has one image, and learning takes at least two" in check_dataset(dataset).obstacles


def test_overlapping_and_empty_splits(dataset: CaptionedImages) -> None:
    splits = {"train": np.array([0, 1, 2]), "val": np.array([2, 3, 1]), "test": np.arange(0), "more": np.array([1])}
    report = check_dataset(replace(dataset, splits=splits, split_source="own-split", notes=("by hand",)))
    one, two = dataset.filenames[1], dataset.filenames[2]
    assert report.overlaps == {("train", "val"): (one, two), ("train", "more"): (one,), ("val", "more"): (one,)}
    assert (report.unsplit, report.problems, report.recall_ceiling) == (6, 5, None)
    lines = report.lines()
    assert f"! 2 images are in both train and val: {one}, {two}" in lines
    assert "! split test is empty" in lines
    assert "note: by hand" in lines
    assert "not comparable with published numbers" in lines[1]
    assert lines[-1].startswith("5 problems; this project can't train on these data: test has no image")


def test_captions_without_words_and_uneven_counts(tmp_path: Path) -> None:
    write_course_twin(tmp_path, images=10, feature_files=False)
    content = json.loads((tmp_path / "dataset.json").read_text(encoding="utf-8"))
    content["images"][0]["sentences"] = content["images"][0]["sentences"][:1]
    content["images"][7]["sentences"][3]["tokens"] = []
    (tmp_path / "dataset.json").write_text(json.dumps(content), encoding="utf-8")
    report = check_dataset(read_dataset(tmp_path))
    name = content["images"][7]["filename"]
    assert report.wordless == ((38, name),)
    assert report.captions_per_image == {1: 1, 5: 9}
    lines = report.lines()
    assert f"! 1 captions have no words: caption 38 of {name}" in lines
    assert any("min 1, median 5, max 5 (1: 1, 5: 9)" in line for line in lines)


def test_recall_ceiling_by_hand() -> None:
    # "dog" stands twice under image 0 and once under 1: at best its two; "cat" under 1 and 2: at best one.
    dataset = captioned([["dog", "dog", "a"], ["dog", "cat"], ["cat", "b"]])
    assert recall_ceiling(dataset) == pytest.approx(100 * (2 + 1 + 1 + 1) / 7)
    report = check_dataset(dataset)
    assert report.recall_ceiling == recall_ceiling(dataset)
    assert report.shared_captions == 5
    assert any(f"can't exceed {500 / 7:.2f} %" in line for line in report.lines())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["x", "y", ""]), min_size=1, max_size=4), min_size=1, max_size=4))
def test_recall_ceiling_is_that_of_the_best_system(words_of_images: list[list[str]]) -> None:
    dataset = captioned(words_of_images)
    # Every system that answers by words alone: one first image for each of the three texts.
    best = max(
        sum(answer[words] == image for image, of_image in enumerate(words_of_images) for words in of_image)
        for images in itertools.product(range(len(words_of_images)), repeat=3)
        for answer in [dict(zip(["x", "y", ""], images, strict=True))]
    )
    assert recall_ceiling(dataset) == pytest.approx(100 * best / dataset.caption_count)
