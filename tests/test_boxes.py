"""Boxes in COCO's format reach the images they belong to, whatever their order and number."""

import json

import numpy as np
import pytest
from course_twin import write_course_twin

from xmr_lib.data import read_dataset
from xmr_lib.data.boxes import read_boxes
from xmr_lib.errors import XmrError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boxes") / "course"
    write_course_twin(folder, images=20, feature_files=False)
    return read_dataset(folder)


def coco(dataset, **changes):
    """Two boxes on image 3, one on image 1; ids unlike the dataset's own."""
    files = [{"id": 900 + i, "file_name": dataset.filenames[i], "width": 200, "height": 100} for i in (3, 1)]
    boxes = [
        {"image_id": 903, "category_id": 7, "bbox": [20, 10, 100, 50]},
        {"image_id": 901, "category_id": 2, "bbox": [0, 0, 200, 100]},
        {"image_id": 903, "category_id": 2, "bbox": [150, 60, 80, 80]},
        {"image_id": 903, "category_id": 2, "bbox": [1, 1, 0, 5]},
        {"image_id": 903, "category_id": 2, "bbox": [1, 1, 5, 5], "iscrowd": 1},
    ]
    categories = [{"id": 2, "name": "dog"}, {"id": 7, "name": "ball"}]
    return {"images": files, "annotations": boxes, "categories": categories} | changes


def write(tmp_path, content):
    path = tmp_path / "boxes.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_boxes_are_shares_of_their_own_image(tmp_path, dataset):
    found = read_boxes(write(tmp_path, coco(dataset)), dataset)
    assert found.names == {2: "dog", 7: "ball"}
    # The second reaches beyond the picture; one without an area and a crowd are left out.
    np.testing.assert_allclose(found.boxes[3], [[0.1, 0.1, 0.6, 0.6], [0.75, 0.6, 1, 1]], atol=1e-6)
    assert found.labels[3].tolist() == [7, 2] and found.labels[1].tolist() == [2]
    assert [len(own) for own in found.boxes] == [0, 1, 0, 2] + [0] * 16
    assert found.boxes[0].shape == (0, 4)


def test_a_box_that_single_precision_leaves_no_area_is_left_out(tmp_path, dataset):
    """At the picture's right edge: as a double it has an area, as the float32 that is learned from it has none."""
    content = coco(dataset)
    first = content["images"][0]
    width, height = first["width"], first["height"]
    thin = [[width - 1e-6, 10, 5, 30], [10, height - 1e-6, 30, 5], [10, 10, width * 1e-6, 30]]
    content["annotations"] += [{"image_id": first["id"], "category_id": 2, "bbox": box} for box in thin]
    found = read_boxes(write(tmp_path, content), dataset)
    assert found.left_out == read_boxes(write(tmp_path, coco(dataset)), dataset).left_out + 3
    for boxes in found.boxes:
        assert (boxes[:, 2:] > boxes[:, :2]).all()


@pytest.mark.parametrize("side", ["1e999", "NaN", "1" + "0" * 400, "1" * 5000])
def test_a_box_of_no_finite_numbers_is_refused(tmp_path, dataset, side):
    content = json.dumps(coco(dataset, annotations=[{"image_id": 903, "category_id": 2, "bbox": [1, 2, 3, "SIDE"]}]))
    with pytest.raises(XmrError, match=r"not of finite numbers|\(Overflow|not valid JSON"):
        read_boxes(write(tmp_path, content.replace('"SIDE"', side)), dataset)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "not a file in COCO's detection format"),
        ("{nonsense", "not valid JSON"),
        ({"images": []}, "not a file in COCO's detection format"),
    ],
)
def test_another_file_is_refused(tmp_path, dataset, content, message):
    with pytest.raises(XmrError, match=message):
        read_boxes(write(tmp_path, content), dataset)


def test_boxes_of_other_images_and_unknown_categories_are_refused(tmp_path, dataset):
    with pytest.raises(XmrError, match="none of its boxes belongs to an image of"):
        read_boxes(write(tmp_path, coco(dataset, annotations=[])), dataset)
    with pytest.raises(XmrError, match="category 7 of a box is not among"):
        read_boxes(write(tmp_path, coco(dataset, categories=[{"id": 2, "name": "dog"}])), dataset)
    with pytest.raises(XmrError, match="no boxes here"):
        read_boxes(tmp_path / "none.json", dataset)


def test_boxes_with_a_byte_order_mark_and_absolute_names(dataset, tmp_path):
    content = coco(dataset)
    plain = read_boxes(str(write(tmp_path, content)), dataset)
    for image in content["images"]:
        image["file_name"] = f"/elsewhere/{image['file_name']}"
    (tmp_path / "boxes.json").write_text(json.dumps(content), "utf-8-sig")
    assert list(map(len, read_boxes(tmp_path / "boxes.json", dataset).boxes)) == list(map(len, plain.boxes))
