"""CLIP on a dataset: the row without training, frozen embeddings and tuned layers; all leave their run whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tiny_clip import save_clip, save_siglip

from xmr_lib.config import from_flat
from xmr_lib.encoders import Captions
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, embed, run
from xmr_lib.experiment.run import model_of
from xmr_lib.metrics import ranks_of_embeddings, summarise
from xmr_lib.model import RetrievalModel
from xmr_lib.summary_csv import read_summary

CHILD = """
import json, sys
import numpy as np
from xmr_lib import RetrievalModel
given = json.load(open("given.json"))
for name in given["models"]:
    model = RetrievalModel.load(name)
    np.savez(f"{name}.npz", images=model.encode_images(given["paths"]), captions=model.encode_texts(given["raw"]))
"""


def configs(folder: Path) -> dict[str, dict]:
    """Both sides of one network, without training, frozen, its last layer tuned, place by place, and by CCA."""
    sides = {"image_features": f"clip-image:{folder}", "text_features": f"clip-text:{folder}"}
    cut = {side: f"{slug}@2" for side, slug in sides.items()}
    rows = {
        "image_features": f"clip-image-patches:{folder}",
        "text_features": f"clip-text-tokens:{folder}",
        "image_pooling": "attention",
    }
    return {
        "zero-shot": {**sides, "method": "zero-shot"},
        "frozen": sides,
        "tuned": {**cut, "unfreeze_blocks": 1, "unfreeze_layers": 1},
        "rows": rows,
        "cca": {**sides, "method": "cca"},
    }


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """All of them, trained by name, exported, and what a process without the dataset and the networks makes of them."""
    place = tmp_path_factory.mktemp("elsewhere")
    folder, results = save_clip(place / "clip", longest=16), {}
    workspace = Workspace("scenes", None, "smoke", tmp_path_factory.mktemp("results"))
    for name, fields in configs(folder).items():
        config = workspace.sized(from_flat(name, **fields))
        [results[name]] = run(workspace, config)
        model_of(workspace, results[name]).save(place / name, with_networks=True)
    part = workspace.dataset.split("test")
    paths = [str(part.path(image)) for image in range(len(part))]
    given = {"models": list(results), "paths": paths, "raw": list(part.raw)}
    (place / "given.json").write_text(json.dumps(given))
    folder.rename(place / "gone")
    environment = {**os.environ, "XMR_CACHE": str(place / "empty"), "PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run([sys.executable, "-c", CHILD], cwd=place, env=environment, capture_output=True, text=True)
    (place / "gone").rename(folder)
    assert done.returncode == 0, done.stderr[-3000:]
    return workspace, place, results


@pytest.mark.parametrize("name", ["zero-shot", "frozen", "tuned", "rows", "cca"])
def test_a_model_is_trained_by_name_and_embeds_the_same_elsewhere(exported, name):
    workspace, place, results = exported
    found, (images, captions) = np.load(place / f"{name}.npz"), embed(workspace, results[name], "test")
    # States are kept in half precision: beside other captions their last bit may come out the other way.
    tolerance = 2e-3 if name in ("tuned", "rows") else 1e-5
    np.testing.assert_allclose(found["images"], images, atol=tolerance)
    np.testing.assert_allclose(found["captions"], captions, atol=tolerance)
    # A network that both sides stand on is copied once.
    assert len(list((place / name / "networks").iterdir())) == 1


def test_the_row_of_zero_shot_is_the_cosine_of_the_two_sides(exported):
    workspace, place, results = exported
    [image], [text] = (getattr(results["zero-shot"].config, f"{side}_specs") for side in ("image", "text"))
    part = workspace.dataset.split("test")
    images = workspace.bank.image_store(image).take(part.image_ids)
    captions = workspace.bank.text_encoder(text, 0).rows(Captions(part.raw, part.tokens))
    ranks = ranks_of_embeddings(images, captions, part.image_of_caption, "cosine")
    assert results["zero-shot"].test == pytest.approx(summarise(ranks))
    row = next(row for row in read_summary(workspace.results / "summary.csv") if row["run"] == "zero-shot")
    assert row["loss"] == "not trained" and row["track"] == "open" and row["aggregation"] == "none"
    facts = json.loads((place / "zero-shot" / "model.json").read_text("utf-8"))
    assert facts["shapes"] == {} and len(facts["inputs"]["text"][0]["networks"]) == 1
    card = (place / "zero-shot" / "README.md").read_text("utf-8")
    assert "nobody says what it was trained on" in card and "Nothing was trained" in card and "Trained on" not in card


def test_training_moves_the_last_layer_and_nothing_before_it(exported):
    workspace, place, results = exported
    tuned = RetrievalModel.load(place / "tuned").network
    for part, slug in ((tuned.image.parts[0], "clip-image"), (tuned.caption.parts[0], "clip-text")):
        side = "image" if slug == "clip-image" else "text"
        [spec] = getattr(results["tuned"].config, f"{side}_specs")
        encoder = workspace.bank.encoder(spec) if side == "image" else workspace.bank.text_encoder(spec, 0)
        before = encoder.tail() if side == "image" else encoder.tail(1)
        assert len(part.tail.blocks) == 1
        moved = [not np.array_equal(x.detach(), before.state_dict()[name]) for name, x in part.tail.named_parameters()]
        # The bias of the keys shifts all that a query sees alike: it has no gradient.
        assert sum(moved) >= len(moved) - 1


def test_siglip_runs_without_training_too(tmp_path):
    folder = save_siglip(tmp_path / "siglip", longest=16)
    workspace = Workspace("scenes", None, "smoke", tmp_path / "results")
    config = from_flat("siglip", **configs(folder)["zero-shot"])
    [result] = run(workspace, config, seeds=[0])
    assert 0 < result.test["rsum"] <= 600 and config.track == "open"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"text_features": "clip-text:b"}, "zero-shot needs the embeddings of one network on both sides"),
        ({"image_features": "effnet-lite0"}, "effnet-lite0 and clip-text:a are not that"),
        ({"text_pooling": "mean"}, "clip-text:a has one vector per caption: set pooling = none"),
        ({"text_features": "clip-text:a@3"}, "clip-image:a and clip-text:a@3 are not that"),
        ({"method": "dual-encoder", "train_words": True}, "has one vector per caption"),
    ],
)
def test_what_can_not_be_is_refused(fields, told):
    sides = {"method": "zero-shot", "image_features": "clip-image:a", "text_features": "clip-text:a"}
    with pytest.raises(XmrError, match=told):
        from_flat("wrong", **{**sides, **fields})


def test_the_layers_behind_the_cut_are_all_tuned_or_refused(exported, tmp_path):
    workspace, place, _ = exported
    fields = configs(place / "clip")["tuned"]
    for wrong in ({"unfreeze_blocks": 2}, {"unfreeze_layers": 0}):
        config = workspace.sized(from_flat("wrong", **{**fields, **wrong}))
        with pytest.raises(XmrError, match="is a network cut in two; it needs unfreeze = 1"):
            run(workspace, config)
