"""A store is that of its pictures, not of their names: what has changed is read again, and nothing else."""

import json
import os
import time
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from test_image_features import SIDE, Tiny, make_dataset, refuse, tiny_extractor

from xmr_lib.errors import XmrError
from xmr_lib.features.contents import RECORD, contents_of
from xmr_lib.features.extract import extract_images
from xmr_lib.features.renew import PICTURES, pictures_of


@pytest.fixture
def dataset(tmp_path):
    return make_dataset(tmp_path / "images", 12)


def draw(dataset, image, seed):
    random = np.random.default_rng(seed)
    Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)).save(dataset.path(image))


def counting():
    seen = []
    return tiny_extractor(lambda: Tiny(lambda inputs: seen.append(len(inputs)))), seen


def assert_fresh(store, dataset, folder):
    """The store is what extraction from nothing gives."""
    whole = extract_images(dataset, tiny_extractor(), folder)
    assert set(store.skipped) == set(whole.skipped)
    np.testing.assert_array_equal(np.sort(store.ids), np.sort(whole.ids))
    np.testing.assert_allclose(store.take(whole.ids), whole.values, rtol=1e-4, atol=1e-2)
    assert pictures_of(store) == pictures_of(whole) != ""


def test_other_photographs_under_the_same_names_have_features_of_their_own(dataset, tmp_path, capsys):
    first = extract_images(dataset, tiny_extractor(), tmp_path / "store")
    before, identity = np.array(first.values), pictures_of(first)
    (tmp_path / "other").mkdir()
    other = replace(dataset, images_folder=tmp_path / "other")
    for image in range(len(other)):
        draw(other, image, 100 + image)
        # Not even size and times tell them from the first ones.
        os.utime(other.path(image), ns=(0, dataset.path(image).stat().st_mtime_ns))
    store = extract_images(other, tiny_extractor(), tmp_path / "store")
    assert "12 of 12 pictures have changed since its features were made" in capsys.readouterr().err
    assert np.abs(store.take(dataset.image_ids) - before).max() > 1 and pictures_of(store) != identity
    assert_fresh(store, other, tmp_path / "whole")


def test_a_picture_that_was_mended_is_tried_again_and_only_that(dataset, tmp_path, capsys):
    good = dataset.path(3).read_bytes()
    for image in (3, 5):
        dataset.path(image).write_bytes(good[:200])
    dataset.path(7).unlink()
    store = extract_images(dataset, tiny_extractor(), tmp_path / "store")
    assert set(store.skipped) == {"3.png", "5.png", "7.png"}
    capsys.readouterr()
    extract_images(dataset, tiny_extractor(refuse), tmp_path / "store")
    assert capsys.readouterr().err.count("3 images (3.png, 5.png, 7.png) can't be read: left out") == 1
    dataset.path(3).write_bytes(good)
    draw(dataset, 7, 7)
    extractor, seen = counting()
    store = extract_images(dataset, extractor, tmp_path / "store")
    assert sum(seen) == 2 and set(store.skipped) == {"5.png"}
    assert "2 of 12 pictures" in capsys.readouterr().err
    assert_fresh(store, dataset, tmp_path / "whole")
    assert not (tmp_path / "store.before").exists()


def test_a_new_time_alone_changes_nothing_and_a_picture_that_is_gone_keeps_its_features(dataset, tmp_path, capsys):
    store = extract_images(dataset, tiny_extractor(), tmp_path / "store")
    identity = pictures_of(store)
    for image in range(len(dataset)):
        os.utime(dataset.path(image))
    dataset.path(2).unlink()
    again = extract_images(dataset, tiny_extractor(refuse), tmp_path / "store")
    assert pictures_of(again) == identity and len(again) == 12 and not capsys.readouterr().err.count("changed")
    nowhere = replace(dataset, images_folder=None)
    assert len(extract_images(nowhere, tiny_extractor(refuse), tmp_path / "store")) == 12


def test_files_are_read_once_however_often_they_are_asked_for(dataset, tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr("xmr_lib.features.contents.sha256_of", lambda path: read.append(path.name) or path.name)
    first = contents_of(dataset, tmp_path / RECORD)
    assert sorted(read) == sorted(dataset.filenames) and len(set(first)) == 12
    assert contents_of(dataset, tmp_path / RECORD) == first and len(read) == 12
    # A copy with the size and time of the file in its place has another ctime.
    time.sleep(0.01)
    stamp = dataset.path(4).stat()
    dataset.path(4).write_bytes(bytes(reversed(dataset.path(4).read_bytes())))
    os.utime(dataset.path(4), ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    contents_of(dataset, tmp_path / RECORD)
    assert read[12:] == ["4.png"]
    (tmp_path / RECORD).write_text("{", "utf-8")
    assert contents_of(dataset, tmp_path / RECORD) == first


def test_a_renewal_that_was_stopped_goes_on(dataset, tmp_path):
    extract_images(dataset, tiny_extractor(), tmp_path / "store")
    for image in (1, 4, 6, 9):
        draw(dataset, image, 50 + image)
    batches = []

    def stop(inputs):
        batches.append(len(inputs))
        if len(batches) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_images(dataset, tiny_extractor(lambda: Tiny(stop)), tmp_path / "store", batch=2)
    assert not (tmp_path / "store").exists() and (tmp_path / "store.before").exists()
    # What was kept when it was stopped changes too.
    draw(dataset, 0, 60)
    store = extract_images(dataset, tiny_extractor(), tmp_path / "store", batch=2)
    assert_fresh(store, dataset, tmp_path / "whole")


def test_a_store_from_before_takes_what_is_there_and_says_so(dataset, tmp_path, capsys):
    dataset.path(3).write_bytes(b"broken")
    store = extract_images(dataset, tiny_extractor(), tmp_path / "store")
    (store.folder / PICTURES).unlink()
    capsys.readouterr()
    extractor, seen = counting()
    draw(dataset, 3, 3)
    store = extract_images(dataset, extractor, tmp_path / "store")
    assert "made before pictures were compared" in capsys.readouterr().err
    assert sum(seen) == 1 and not store.skipped
    assert_fresh(store, dataset, tmp_path / "whole")
    capsys.readouterr()
    extract_images(dataset, tiny_extractor(refuse), tmp_path / "store")
    assert not capsys.readouterr().err


def test_a_damaged_list_of_pictures_is_told(dataset, tmp_path):
    store = extract_images(dataset, tiny_extractor(), tmp_path / "store")
    for content in ("{", "[]", '{"order": []}'):
        (store.folder / PICTURES).write_text(content)
        with pytest.raises(XmrError, match=r"pictures\.json: damaged; delete the folder store"):
            extract_images(dataset, tiny_extractor(), tmp_path / "store")


def test_another_network_is_refused_before_anything_is_set_aside(dataset, tmp_path):
    extract_images(dataset, tiny_extractor(), tmp_path / "store")
    draw(dataset, 0, 1)
    with pytest.raises(XmrError, match="made with mean"):
        extract_images(dataset, tiny_extractor(mean=[0.0, 0.0, 0.0]), tmp_path / "store")
    assert (tmp_path / "store").exists() and not (tmp_path / "store.before").exists()
    assert len(json.loads((tmp_path / "store" / PICTURES).read_text())["pictures"]) == 12
