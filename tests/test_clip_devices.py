"""CLIP on another device: the same features, and models that are trained, kept and used there."""

import numpy as np
import pytest
from pretend_device import pretended
from test_clip import CAPTIONS, encoder_of, given
from test_image_networks import pictures  # noqa: F401 (a fixture)
from test_zero_shot import configs
from tiny_clip import save_clip, save_dinov2, save_siglip

from xmr_lib.config import from_flat
from xmr_lib.encoders import Captions
from xmr_lib.experiment import run
from xmr_lib.experiment.run import model_folder
from xmr_lib.model import RetrievalModel
from xmr_lib.runtime import CPU


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("networks")
    made = {"clip": save_clip(root / "clip", longest=16), "siglip": save_siglip(root / "siglip")}
    return {**made, "dinov2": save_dinov2(root / "dinov2")}


@pytest.mark.parametrize(
    "slug", ["clip-image:clip", "clip-image@1:clip", "clip-image-patches:siglip", "hf-vision:dinov2"]
)
def test_features_of_photographs_are_made_there(folders, pictures, slug):  # noqa: F811
    name, _, kind = slug.partition(":")
    name, _, layer = name.partition("@")
    slug = f"{name}:{folders[kind]}" + (f"@{layer}" if layer else "")
    here = encoder_of(slug)
    with pretended() as runtime:
        there = encoder_of(slug)
        there.runtime = runtime
        found = there.features(given(there, pictures))
    np.testing.assert_array_equal(found, here.features(given(here, pictures)))


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_features_of_captions_are_made_there(folders, kind):
    for slug in (f"clip-text:{folders[kind]}", f"clip-text:{folders[kind]}@1"):
        expected = encoder_of(slug).rows(Captions(CAPTIONS, ()))
        with pretended() as runtime:
            there = encoder_of(slug)
            there.runtime = runtime
            found = there.rows(Captions(CAPTIONS, ()))
        if "@" in slug:
            expected, found = expected.values, found.values
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["zero-shot", "tuned"])
def test_a_model_is_fitted_kept_and_used_there(folders, smoke_workspace, tmp_path, monkeypatch, name):
    config = smoke_workspace.sized(from_flat(name, **configs(folders["clip"])[name]))
    part = smoke_workspace.dataset.split("test")
    paths, raw = [part.path(image) for image in range(4)], list(part.raw[:8])
    with pretended() as runtime:
        monkeypatch.setattr(smoke_workspace, "runtime", runtime)
        monkeypatch.setattr(smoke_workspace.bank, "runtime", runtime)
        monkeypatch.setattr(smoke_workspace, "cache", tmp_path / "cache")
        monkeypatch.setattr(smoke_workspace, "results", tmp_path / "results")
        smoke_workspace.bank.encoder.cache_clear()
        run(smoke_workspace, config)
        smoke_workspace.bank.encoder.cache_clear()
        folder = model_folder(smoke_workspace, config, 0)
        there = RetrievalModel.load(folder, runtime)
        images, captions = there.encode_images(paths), there.encode_texts(raw)
    here = RetrievalModel.load(folder, CPU)
    np.testing.assert_allclose(images, here.encode_images(paths), atol=1e-5)
    np.testing.assert_allclose(captions, here.encode_texts(raw), atol=1e-5)
