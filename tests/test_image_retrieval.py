"""Image retrieval end to end: what is relevant, who learns from what, and that learning helps."""

import csv
import json

import numpy as np
import pytest
import torch
from small_models import small_image_encoder
from torch import nn

from xmr_lib.config import from_flat
from xmr_lib.experiment import Workspace
from xmr_lib.ragged import Ragged
from xmr_lib.study import image_retrieval, image_retrieval_table
from xmr_lib.study.among_images import _training_pairs
from xmr_lib.study.relevance import qrels_of
from xmr_lib.training import Checkpoint, Schedule, train_metric


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return Workspace("scenes", None, "smoke", tmp_path_factory.mktemp("results"))


def without_labels(workspace, monkeypatch):
    monkeypatch.setattr(workspace, "beside", lambda name: workspace.results / "nowhere" / name)


def test_images_of_one_theme_are_relevant_to_each_other(workspace):
    themes = json.loads(workspace.beside("labels.json").read_text())["labels"]
    part = workspace.dataset.split("test")
    qrels = qrels_of(workspace, part)
    own = [themes.get(name) for name in part.filenames]
    expected = [[a is not None and a == b for b in own] for a in own]
    assert qrels.name == "same label" and np.array_equal(qrels.relevance.relevant, expected)


def test_photographs_are_judged_by_their_captions(workspace, monkeypatch):
    """Themes are not used, and yet images of one theme come out as more alike than others."""
    part = workspace.dataset.split("train")
    same = qrels_of(workspace, part).relevance.relevant
    without_labels(workspace, monkeypatch)
    qrels = qrels_of(workspace, part)
    others = ~np.eye(len(same), dtype=bool)
    gains = qrels.relevance.gains
    assert qrels.name == "captions by MiniLM" and np.allclose(gains, gains.T)
    assert gains[same & others].mean() > gains[~same & others].mean() + 0.1
    assert (qrels.relevance.relevant.sum(1) == 10).all() and not qrels.relevance.relevant.diagonal().any()


def test_positives_are_images_of_the_own_label_or_those_that_share_most_words(workspace, monkeypatch):
    positives, identities, source = _training_pairs(workspace, from_flat("x"))
    assert source == "labels"
    for image, own in enumerate(identities):
        expected = [i for i in np.flatnonzero(identities == own) if i != image]
        assert positives[image].tolist() == expected and (own >= 0 or not expected)
    without_labels(workspace, monkeypatch)
    nearest, identities, source = _training_pairs(workspace, from_flat("x"))
    part = workspace.dataset.split("train")
    assert source == "shared words" and len(set(identities)) == len(part)
    words = [{word for c in part.captions_of(i) for word in part.tokens[c]} for i in range(len(part))]
    shared = [[len(words[i] & words[j]) for j in nearest[i]] for i in range(len(part))]
    any_other = [len(words[i] & words[j]) for i in range(len(part)) for j in range(len(part)) if i != j]
    assert all(i not in nearest[i] for i in range(len(part)))
    assert np.mean(shared) > np.mean(any_other) + 2


def test_all_rows_are_scored_and_written(workspace):
    runs = image_retrieval(workspace)
    assert [own.model for own in runs] == [
        *("i-pooled", "i-regions", "ab-infonce-meanmax", "d-meanmax", "i-siamese", "i-triplet")
    ]
    with (workspace.results / "image_retrieval.csv").open() as file:
        rows = {row["run"]: row for row in csv.DictReader(file)}
    table = image_retrieval_table(runs)
    for own in runs:
        row = rows[own.model]
        assert float(row["ndcg10"]) == pytest.approx(table["nDCG@10"][own.model], abs=1e-3)
        assert float(row["ndcg10_low"]) <= float(row["ndcg10"]) <= float(row["ndcg10_high"])
        assert float(row["ndcg10"]) > float(row["chance_ndcg10"])
    facts = json.loads((workspace.results / "runs/i-triplet/seed0/image_retrieval.json").read_text())
    assert facts["test"]["map"] == pytest.approx(float(rows["i-triplet"]["map"]), abs=1e-3)
    again = image_retrieval(workspace)
    for one, other in zip(runs, again, strict=True):
        assert np.array_equal(one.mean("ndcg10"), other.mean("ndcg10"))


@pytest.mark.parametrize("loss", ["contrastive", "triplet"])
def test_metric_learning_finds_what_tells_classes_apart(tmp_path, loss):
    """Two of forty dimensions tell, the others are noise that the untrained features are full of."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 6, 240)
    features = rng.normal(size=(240, 40))
    features[:, :2] = 2 * np.stack([np.cos(classes), np.sin(classes)], axis=1)
    tensor = torch.from_numpy(features.astype(np.float32))
    same = [np.flatnonzero(classes == own) for own in classes]
    positives = Ragged.from_lengths(np.concatenate(same), np.array([len(own) for own in same]))
    config = from_flat(
        f"x-{loss}", method="metric-learning", loss=loss, distance="euclidean", negatives="semihard",
        margin=1.0 if loss == "contrastive" else 0.2, projection="linear", image_scaling="standardise", dropout=0.0,
        embed_dim=8, batch=60, epochs=15, learning_rate=1e-2,
    )  # fmt: skip
    schedule = Schedule(**config.method.optimiser.model_dump(exclude={"patience"}))

    def of_own_class(encoder: nn.Module) -> float:
        with torch.inference_mode():
            embeddings = encoder(tensor[:120])
        nearest = torch.cdist(embeddings, embeddings).fill_diagonal_(torch.inf).argmin(1)
        return 100 * float((classes[nearest] == classes[:120]).mean())

    def fit(name: str):
        torch.manual_seed(0)
        encoder = small_image_encoder(config, tensor)
        before, checkpoint = of_own_class(encoder.eval()), Checkpoint(tmp_path / name, {})
        given = (tensor, positives, classes, of_own_class, config.distance, schedule, 0, checkpoint, config.name)
        return before, encoder, train_metric(encoder, config.method.loss.build(), *given)

    before, encoder, history = fit("whole")
    assert of_own_class(encoder) == max(history.validation) > before + 20
    assert len(history.loss) == 15, "all epochs, whatever the patience"
    # Read from its checkpoint, not trained again.
    _, again, read = fit("whole")
    assert read.loss == history.loss and of_own_class(again) == of_own_class(encoder)
