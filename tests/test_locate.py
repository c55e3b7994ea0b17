"""Where data are looked for."""

import pytest
from course_twin import write_course_twin

from xmr_lib.config import profile
from xmr_lib.data.locate import open_dataset
from xmr_lib.errors import XmrError

SMOKE = profile("smoke")


def test_given_data_come_first_then_the_environment(tmp_path, monkeypatch):
    write_course_twin(tmp_path / "given", images=40, feature_files=False)
    write_course_twin(tmp_path / "root" / "flickr30k", images=50, feature_files=False)
    monkeypatch.setenv("XMR_DATA", str(tmp_path / "root"))
    assert len(open_dataset("flickr30k", None, SMOKE.scenes)) == 50
    assert len(open_dataset("flickr30k", tmp_path / "given", SMOKE.scenes)) == 40


def test_what_is_not_found_is_told_with_the_places_looked_at(monkeypatch, tmp_path):
    monkeypatch.delenv("XMR_DATA", raising=False)
    with pytest.raises(XmrError, match=r"XMR_DATA is not set.*--data PATH"):
        open_dataset("flickr8k", None, SMOKE.scenes)
    monkeypatch.setenv("XMR_DATA", str(tmp_path))
    with pytest.raises(XmrError, match=str(tmp_path / "flickr8k")):
        open_dataset("flickr8k", None, SMOKE.scenes)


def test_scenes_are_drawn_at_the_profiles_size():
    dataset = open_dataset("scenes", None, SMOKE.scenes)
    assert tuple(len(dataset.splits[name]) for name in ("train", "val", "test")) == SMOKE.scenes
    assert dataset.name == "scenes"


def test_data_without_a_name_call_themselves_and_a_name_is_lower_case_everywhere(tmp_path, monkeypatch):
    folder = write_course_twin(tmp_path / "My Pictures", images=40, feature_files=False)
    (folder / "dataset.json").rename(folder / "dataset_flickr30k.json")
    assert open_dataset(None, folder, SMOKE.scenes).name == open_dataset("", folder, SMOKE.scenes).name != "scenes"
    rows = "image,caption\n" + "".join(f"{k}.jpg,a dog {k}\n" for k in range(30))
    (tmp_path / "Own Photos").mkdir()
    (tmp_path / "Own Photos" / "captions.csv").write_text(rows)
    assert open_dataset(None, tmp_path / "Own Photos", SMOKE.scenes).name == "own-photos"
    assert open_dataset("Flickr8k", tmp_path / "Own Photos", SMOKE.scenes).name == "flickr8k"
    monkeypatch.setenv("XMR_DATA", str(tmp_path))
    assert open_dataset("OWN-photos", None, SMOKE.scenes).name == "own-photos"
    assert open_dataset("Scenes", None, SMOKE.scenes).name == open_dataset(None, None, SMOKE.scenes).name == "scenes"
