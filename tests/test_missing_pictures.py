"""One picture is missing and one is broken: no figure stops, none shows another in their place, and both are named."""

import json
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from course_twin import write_course_twin
from matplotlib.text import Text

from xmr_lib.data import read_dataset
from xmr_lib.experiment import Workspace, run
from xmr_lib.figures import dataset_figure, regions_figure
from xmr_lib.figures.galleries import gallery_of_neighbours
from xmr_lib.study import (
    caption_cases,
    caption_queries,
    get_configs,
    image_cases,
    image_queries,
    image_retrieval,
    neighbours_figure,
)

IMAGES, CAPTIONS = 40, 12


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def damaged_twin(folder, **fields):
    """Write a course twin; return it, and the names of a test image that is missing and of one that is cut off."""
    dataset = read_dataset(write_course_twin(folder, images=IMAGES, **fields))
    missing, broken = (dataset.path(int(image)) for image in dataset.splits["test"][:2])
    missing.unlink()
    broken.write_bytes(broken.read_bytes()[:-200])
    return folder, (missing.name, broken.name)


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """With the course's features of all images: whoever has no use for the files scores them all."""
    return damaged_twin(tmp_path_factory.mktemp("with features") / "course")


def scored(folder, results):
    """A workspace, and one model of it on the test split."""
    workspace = Workspace("flickr30k", folder, "smoke", results)
    [result] = run(workspace, *get_configs(workspace, "cca-mean"))
    return workspace, result


def whole_galleries(workspace, result):
    """Every gallery of a run: of all images, of some captions, of the cases."""
    part = workspace.usable(result.config).split("test")
    yield image_queries(workspace, result, count=len(part))
    yield caption_queries(workspace, result, count=CAPTIONS)
    yield caption_cases(workspace, result)
    yield image_cases(workspace, result)


def texts(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text)]


def pictures(figure) -> int:
    return sum(bool(axis.images) for axis in figure.axes)


def test_pictures_that_features_need_no_file_of_are_named_in_their_place(damaged, tmp_path):
    workspace, result = scored(damaged[0], tmp_path)
    by_image, by_caption, *cases = whole_galleries(workspace, result)
    assert set(damaged[1]) < set(texts(by_image)) and pictures(by_image) == IMAGES // 5 - 2
    named = [text for text in texts(by_caption) if text in damaged[1]]
    assert named and pictures(by_caption) == 5 * CAPTIONS - len(named)
    for figure in cases:
        figure.canvas.draw()


def test_pictures_that_left_the_split_are_in_no_gallery(tmp_path):
    folder, gone = damaged_twin(tmp_path / "course", feature_files=False)
    workspace, result = scored(folder, tmp_path / "results")
    part = workspace.usable(result.config).split("test")
    assert len(part) == IMAGES // 5 - 2 and sorted(workspace.facts(result.config)["left_out"]) == sorted(gone)
    captions = {text for c, text in enumerate(workspace.dataset.raw) if workspace.dataset.filenames[c // 5] in gone}
    for figure in whole_galleries(workspace, result):
        shown = " ".join(texts(figure))
        assert pictures(figure) and not [name for name in gone if name in shown]
        assert not [text for text in captions if text[:60] in shown]
    # A gallery of the training split has what the model learned from.
    assert pictures(caption_queries(workspace, result, count=2, gallery="train")) == 10


def test_a_first_look_names_them_and_leaves_out_what_no_split_has(damaged):
    dataset = read_dataset(damaged[0])
    shown = texts(dataset_figure(dataset, count=IMAGES))
    assert set(damaged[1]) <= set(shown)
    test = dataset.splits["test"]
    kept = replace(dataset, splits=dataset.splits | {"test": test[2:]})
    figure = dataset_figure(kept, count=IMAGES)
    assert not set(damaged[1]) & set(texts(figure)) and pictures(figure) == IMAGES - 2


def test_regions_of_a_picture_that_is_gone_have_its_name(damaged):
    part = read_dataset(damaged[0]).split("test")
    boxes = np.array([[0, 0, 1, 1], [0.1, 0.1, 0.5, 0.5]], dtype=np.float32)
    found = [(boxes, np.array([0, 1]), np.array([1.0, 0.9]))] * 3
    weights = [np.array([0.25, 0.75])] * 3
    for own in (part, replace(part, images_folder=None)):
        for width in (None, 3.25):
            figure = regions_figure(own, np.arange(3), found, weights, {1: "dog"}, "title", width)
            figure.canvas.draw()
            named = [name for name in part.filenames[:3] for text in texts(figure) if text == name]
            assert len(named) == 2 * (3 if own.images_folder is None else 2)
            assert pictures(figure) == 6 - len(named)
            assert sum("1 regions" in axis.get_title("left") for axis in figure.axes) == 3


def test_neighbours_that_are_gone_have_their_names(damaged):
    part = read_dataset(damaged[0]).split("test")
    found = [("m", np.array([[0, 1, 2], [2, 3, 1]]))]
    figure = gallery_of_neighbours(part, np.array([1, 0]), found, np.zeros((len(part), len(part)), dtype=bool))
    named = [text for text in texts(figure) if text in damaged[1]]
    assert len(named) == 5 and pictures(figure) == 3


def test_image_retrieval_compares_what_all_encoders_can_use(damaged, tmp_path):
    """The course's features have the two images, the detector's can't: nobody is asked for them, nobody finds them."""
    workspace = Workspace("flickr30k", damaged[0], "smoke", tmp_path)
    names, first = workspace.dataset.filenames, workspace.dataset.split("train").filenames
    boxes = {
        "categories": [{"id": 1, "name": "thing"}],
        "images": [{"id": k, "file_name": name, "width": 16, "height": 16} for k, name in enumerate(names)],
        "annotations": [
            {"image_id": names.index(name), "category_id": 1, "bbox": [2, 2, 8, 8]} for name in first
        ],
    }  # fmt: skip
    workspace.beside("boxes.json").write_text(json.dumps(boxes))
    runs = image_retrieval(workspace)
    assert {own.model for own in runs} >= {"i-pooled", "i-regions", "i-triplet"}
    for own in runs:
        assert len(own.embeddings) == len(own.image_ids) == len(own.mean("r1")) == IMAGES // 5 - 2
    figure = neighbours_figure(workspace, runs, count=IMAGES)
    assert not set(damaged[1]) & set(texts(figure)) and pictures(figure) == 6 * (1 + 2 * 5)
