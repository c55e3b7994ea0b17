"""Labels of images: numbered, joined by file name, and refused in one line."""

import json

import numpy as np
import pytest
from course_twin import write_course_twin

from xmr_lib.data import read_dataset
from xmr_lib.data.labels import read_labels
from xmr_lib.errors import XmrError


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("twin") / "course"
    write_course_twin(folder, images=6, feature_files=False)
    return read_dataset(folder)


def test_labels_are_joined_by_file_name_and_numbered(dataset, tmp_path):
    names = dataset.filenames
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"labels": {names[3]: "sea", names[0]: "street", names[4]: "sea", "other.jpg": 12}}))
    found = read_labels(path, dataset)
    assert found[3] == found[4] != found[0] and min(found[0], found[3]) >= 0
    assert np.array_equal(np.flatnonzero(found == -1), [1, 2, 5])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no labels here"),
        ("{", "not valid JSON"),
        ("[]", "not a file of labels"),
        ('{"boxes": {}}', "not a file of labels .KeyError"),
        ('{"labels": [1, 2]}', "not a file of labels"),
        ('{"labels": {"a.jpg": 1.5}}', "'a.jpg' is 1.5, not a whole number"),
        ('{"labels": {"a.jpg": true}}', "'a.jpg' is True"),
        ('{"labels": {}}', "none of its labels belongs"),
        ('{"labels": {"a.jpg": 1}}', "none of its labels belongs"),
    ],
)
def test_bad_files_are_told_in_one_line(dataset, tmp_path, content, message):
    path = tmp_path / "labels.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(XmrError, match=message) as error:
        read_labels(path, dataset)
    assert "\n" not in str(error.value) and str(path) in str(error.value)


def test_labels_with_a_byte_order_mark_and_absolute_names(dataset, tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"labels": {f"C:\\photos\\{name}": 1 for name in dataset.filenames}}), "utf-8-sig")
    assert read_labels(str(path), dataset).tolist() == [0] * 6
