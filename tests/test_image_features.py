"""Every image's features stand under its own id, whatever breaks on the way."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from xmr_lib.data.captioned import CaptionedImages
from xmr_lib.encoders import ImageEncoder
from xmr_lib.encoders.pixels import scaled
from xmr_lib.errors import XmrError
from xmr_lib.features import extract as extract_module
from xmr_lib.features.extract import Extracts, drop_skipped, extract_images, read_image
from xmr_lib.features.store import FeatureStore
from xmr_lib.weights import Weights

SIDE = 12


def make_dataset(folder: Path, count: int) -> CaptionedImages:
    """``count`` pictures of noise, with ids that are not their positions."""
    folder.mkdir(exist_ok=True)
    random = np.random.default_rng(0)
    for k in range(count):
        Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)).save(folder / f"{k}.png")
    return CaptionedImages(
        name="noise",
        image_ids=1000 - 3 * np.arange(count),
        filenames=tuple(f"{k}.png" for k in range(count)),
        raw=("noise",) * count,
        tokens=(("noise",),) * count,
        caption_ids=np.arange(count),
        image_of_caption=np.arange(count),
        splits={"train": np.arange(count // 2), "test": np.arange(count // 2, count)},
        split_source="layout",
        layout="test",
        images_folder=folder,
    )


class Tiny(nn.Module):
    """A convolution whose last bits depend on the batch like a real network's; ``on_batch`` hears of every batch."""

    def __init__(self, on_batch=lambda inputs: None):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.weight = torch.randn(8, 3 * SIDE * SIDE, generator=generator)
        self.on_batch = on_batch

    def forward(self, inputs):
        self.on_batch(inputs)
        return inputs.flatten(1) @ self.weight.T


class TinyEncoder(ImageEncoder):
    """Registered nowhere, so that other tests do not meet it."""

    row_shape, side = (8,), SIDE

    def __init__(self, network, changes):
        self.spec = SimpleNamespace(slug="tiny")
        self.weights = Weights("tiny", Path("none"), "abc")
        self.own = {"mean": [10.0, 20.0, 30.0], "deviation": [1.0, 2.0, 4.0], **changes}
        self.network = cache(network)

    @property
    def settings(self):
        return {**super().settings, **self.own}

    def features(self, pixels):
        return self.network()(scaled(pixels, self.own["mean"], self.own["deviation"])).numpy()


def tiny_extractor(network=Tiny, **changes) -> ImageEncoder:
    encoder = TinyEncoder(network, changes)
    assert isinstance(encoder, Extracts)
    return encoder


def refuse():
    raise AssertionError("the network must not be loaded")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> CaptionedImages:
    return make_dataset(tmp_path_factory.mktemp("data") / "images", 11)


@pytest.fixture
def broken(tmp_path) -> CaptionedImages:
    """Twelve images; 2 is truncated, 5 is missing, 7 is text."""
    dataset = make_dataset(tmp_path / "images", 12)
    (tmp_path / "images" / "2.png").write_bytes((tmp_path / "images" / "2.png").read_bytes()[:200])
    (tmp_path / "images" / "5.png").unlink()
    (tmp_path / "images" / "7.png").write_text("no image")
    return dataset


def test_features_stand_under_their_ids(dataset, tmp_path):
    store = extract_images(dataset, tiny_extractor(), tmp_path / "store", batch=4)
    network = Tiny()
    for position, image_id in enumerate(dataset.image_ids):
        pixels = np.asarray(Image.open(dataset.path(position)), dtype=np.float32)
        expected = network(
            torch.from_numpy(((pixels - [10, 20, 30]) / [1, 2, 4]).astype(np.float32).transpose(2, 0, 1)[None])
        )
        np.testing.assert_allclose(store.take(np.array([image_id]))[0], expected[0], rtol=1e-4, atol=1e-2)
    assert store.meta == {
        **tiny_extractor().settings,
        "extractor": "tiny",
        "weights": "abc",
        "dataset": dataset.fingerprint,
    }


def test_a_whole_store_is_opened_without_the_network(dataset, tmp_path):
    made = extract_images(dataset, tiny_extractor(), tmp_path / "store")
    opened = extract_images(dataset, tiny_extractor(refuse), tmp_path / "store")
    np.testing.assert_array_equal(made.values, opened.values)


def test_a_store_from_other_settings_or_data_is_refused(dataset, tmp_path):
    extract_images(dataset, tiny_extractor(), tmp_path / "store")
    with pytest.raises(XmrError, match="mean"):
        extract_images(dataset, tiny_extractor(mean=[0.0, 0.0, 0.0]), tmp_path / "store")
    with pytest.raises(XmrError, match="dataset"):
        extract_images(dataset.subset(np.arange(5)), tiny_extractor(), tmp_path / "store")


def test_a_dataset_without_image_folder_is_refused(dataset, tmp_path):
    with pytest.raises(XmrError, match="no image folder"):
        extract_images(replace(dataset, images_folder=None), tiny_extractor(), tmp_path / "store")


def test_the_next_batch_is_decoded_while_the_network_computes(dataset, tmp_path, monkeypatch):
    read, second_batch, ahead = [], threading.Event(), []

    def recorded(path, side):
        read.append(path.name)
        if len(read) == 4:
            second_batch.set()
        return read_image(path, side)

    def on_batch(inputs):
        # The first batch must not be through before the second is decoded: without overlap this would time out.
        assert second_batch.wait(10)
        ahead.append(len(read) - 2 * len(ahead) - len(inputs))

    monkeypatch.setattr(extract_module, "read_image", recorded)
    extract_images(dataset, tiny_extractor(lambda: Tiny(on_batch)), tmp_path / "store", batch=2)
    assert sorted(read) == sorted(dataset.filenames)
    assert max(ahead) <= 2 * 2  # no more than two batches wait in memory


def test_unreadable_images_are_skipped_by_name_with_one_warning(broken, tmp_path, capsys):
    store = extract_images(broken, tiny_extractor(), tmp_path / "store", batch=4)
    good = np.setdiff1d(np.arange(12), [2, 5, 7])
    np.testing.assert_array_equal(store.ids, broken.image_ids[good])
    whole = extract_images(broken.subset(good), tiny_extractor(), tmp_path / "whole", batch=4)
    np.testing.assert_allclose(store.values, whole.values, rtol=1e-4, atol=1e-2)
    assert set(store.skipped) == {"2.png", "5.png", "7.png"}
    assert "truncated" in store.skipped["2.png"] and "missing" in store.skipped["5.png"]
    assert "not an image" in store.skipped["7.png"]
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    assert len(warnings) == 1 and "3 images (2.png, 5.png, 7.png)" in warnings[0]


def test_the_warning_names_five_at_most(tmp_path, capsys):
    dataset = make_dataset(tmp_path / "images", 9)
    for k in range(1, 9):
        (tmp_path / "images" / f"{k}.png").write_bytes(b"")
    extract_images(dataset, tiny_extractor(), tmp_path / "store")
    assert "8 images (1.png, 2.png, 3.png, 4.png, 5.png, …)" in capsys.readouterr().err


def test_strict_stops_at_an_unreadable_image_and_goes_on_when_it_is_mended(broken, dataset, tmp_path):
    batches = []
    extractor = tiny_extractor(lambda: Tiny(lambda inputs: batches.append(len(inputs))))
    for name, reason in (("2.png", "truncated"), ("5.png", "missing"), ("7.png", "not an image")):
        with pytest.raises(XmrError, match=rf"{name}: the image can't be read \(.*{reason}") as error:
            extract_images(broken, extractor, tmp_path / "store", strict=True, batch=2)
        assert "\n" not in str(error.value)
        assert not (tmp_path / "store").exists()
        Image.new("RGB", (SIDE, SIDE)).save(tmp_path / "images" / name)
    resumed = extract_images(broken, extractor, tmp_path / "store", strict=True, batch=2)
    assert batches == [2] * 6  # no batch was computed twice
    whole = extract_images(broken, tiny_extractor(), tmp_path / "whole", batch=2)
    np.testing.assert_array_equal(resumed.values, whole.values)


def test_strict_refuses_a_store_that_leaves_images_out(broken, tmp_path):
    extract_images(broken, tiny_extractor(), tmp_path / "store")
    with pytest.raises(XmrError, match=r"3 images \(2.png, 5.png, 7.png\)"):
        extract_images(broken, tiny_extractor(), tmp_path / "store", strict=True)


def test_a_folder_with_no_readable_image_is_an_error_and_leaves_nothing_behind(tmp_path):
    dataset = make_dataset(tmp_path / "images", 300)
    (tmp_path / "empty").mkdir()
    with pytest.raises(XmrError, match=r"empty: none of the 300 images can be read .*missing"):
        extract_images(replace(dataset, images_folder=tmp_path / "empty"), tiny_extractor(), tmp_path / "store")
    assert len(extract_images(dataset, tiny_extractor(), tmp_path / "store")) == 300


def test_images_without_features_leave_the_splits_only(broken, tmp_path):
    store = extract_images(broken, tiny_extractor(), tmp_path / "store")
    usable = drop_skipped(broken, store)
    np.testing.assert_array_equal(usable.splits["train"], [0, 1, 3, 4])
    np.testing.assert_array_equal(usable.splits["test"], [6, 8, 9, 10, 11])
    assert len(usable) == 12 and usable.fingerprint == broken.fingerprint
    assert usable.notes == ("3 images (2.png, 5.png, 7.png) without features left the splits",)
    assert len(store.take(usable.split("test").image_ids)) == 5
    assert drop_skipped(usable, store) is usable


# A kill in the middle

KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_image_features import Tiny, extract_images, make_dataset, tiny_extractor

seen = []
def on_batch(inputs):
    seen.append(len(inputs))
    if sum(seen) > 400:
        os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[2])
extract_images(make_dataset(folder / "images", 600), tiny_extractor(lambda: Tiny(on_batch)), folder / "store", batch=7)
"""


def test_after_a_kill_the_store_comes_out_the_same(tmp_path):
    command = [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(tmp_path)]
    killed = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "store").exists()
    dataset = make_dataset(tmp_path / "images", 600)
    with pytest.raises(XmrError, match="feature store"):
        FeatureStore.open(tmp_path / "store")
    batches = []
    extractor = tiny_extractor(lambda: Tiny(lambda inputs: batches.append(len(inputs))))
    extract_images(dataset, extractor, tmp_path / "store", batch=7)
    assert sum(batches) == 600 - 259  # what was committed, the first 37 batches, is not computed again
    extract_images(dataset, tiny_extractor(), tmp_path / "whole", batch=7)
    for name in ("values.npy", "ids.npy"):
        assert (tmp_path / "store" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
