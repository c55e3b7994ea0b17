"""The space of a run before and after training, and what is read from recorded runs."""

import importlib
import json

import numpy as np
import pytest
import torch

from xmr_lib.analysis import modality_gap, rank_shares
from xmr_lib.errors import XmrError
from xmr_lib.experiment import Workspace, ranks_of, run
from xmr_lib.losses import InfoNCELoss
from xmr_lib.metrics import ranks_of_embeddings, summarise
from xmr_lib.plotdata import read_plotdata
from xmr_lib.study import (
    SharedSpace,
    at_hand,
    gap_closing,
    gap_table,
    get_configs,
    recorded,
    shown_gaps,
    space_map,
    summary_numbers,
    topic_counts,
    topic_table,
    write_rank_distribution,
    write_training_curves,
)
from xmr_lib.study.shared_space import embed_untrained, learned_temperature
from xmr_lib.training.dual_encoder import PairProblem

# Not a name of the package: its module, where the loop is looked up.
FIT = importlib.import_module("xmr_lib.experiment.fit")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """Results of its own: which runs are recorded is what is looked at."""
    return Workspace("scenes", None, "smoke", tmp_path_factory.mktemp("space"))


@pytest.fixture(scope="module")
def groups(workspace):
    models = ("ab-infonce-meanmax", "ab-triplet-semihard", "cca-mean")
    return [run(workspace, config, (0, 1)) for config in get_configs(workspace, *models)]


@pytest.fixture(scope="module")
def space(workspace, groups):
    return SharedSpace(workspace, groups[0][0])


def test_before_is_where_training_began(workspace, groups, monkeypatch):
    """The untrained model is the one that the run's own training loop was given."""
    given = {}

    config = groups[0][1].config

    def keep(model, loss, train_pairs, val_pairs, distance, schedule, seed, *rest, **more):
        pairs = workspace.pairs(config, "test", seed)
        given["images"] = model.embed_images(pairs.images).numpy()
        raise XmrError("far enough")

    monkeypatch.setattr(FIT, "train", keep)

    with pytest.raises(XmrError, match="far enough"):
        FIT.fit(workspace, config, 1, member=lambda own: pytest.fail(f"{own.name} is no member of a dual encoder"))
    images, captions = embed_untrained(workspace, groups[0][1], "test")
    assert np.array_equal(images, given["images"])
    assert not np.array_equal(images, embed_untrained(workspace, groups[0][0], "test")[0])
    assert captions.shape[1] == images.shape[1]


def test_training_brings_pairs_together(space):
    owner = space.part.image_of_caption
    before, after = (modality_gap(*space.embeddings[stage], owner) for stage in ("before", "after"))
    assert after.pair_distance < before.pair_distance
    table = topic_table(space)
    assert float(table.loc["after", "cosine, pair"]) > float(table.loc["before", "cosine, pair"])


def test_a_closed_form_has_no_before(workspace, groups):
    with pytest.raises(XmrError, match="needs a dual encoder, not 'cca'"):
        SharedSpace(workspace, groups[2][0])


def test_the_map_holds_both_modalities_of_each_image_and_is_the_same_again(workspace, space, monkeypatch):
    monkeypatch.setattr("xmr_lib.study.shared_space.SHOWN", 12)
    points = space_map(space)
    assert len(points) == 2 * 2 * 2 * 12
    assert set(points["topic"]) <= set(space.topics.names)
    [images] = {tuple(own["image"]) for _, own in points.groupby(["method", "stage", "modality"])}
    assert set(images) <= set(space.part.image_ids.tolist()) and len(set(images)) == 12
    of_image = points.groupby("image")["topic"].nunique()
    assert (of_image == 1).all()
    assert space_map(space).equals(points)
    read = read_plotdata(workspace.results, "shared_space")
    assert read["x"].to_numpy() == pytest.approx(points["x"].to_numpy(), abs=6e-5)
    assert list(read["topic"]) == list(points["topic"])


def test_one_caption_of_each_image_is_its_own(space):
    assert np.array_equal(space.part.image_of_caption[space.one_caption], np.arange(len(space.part)))
    assert sum(topic_counts(space).values()) == len(space.part)
    assert list(topic_counts(space))[-1] == "other"


def test_gaps_are_measured_and_the_temperature_is_the_models(workspace, groups, space):
    table = gap_table([space, SharedSpace(workspace, groups[1][0])])
    assert list(table["stage"]) == ["before", "after"] * 2
    own = modality_gap(*space.embeddings["after"], space.part.image_of_caption)
    assert table.loc[1, "gap"] == pytest.approx(own.gap) and table.loc[1, "share"] == pytest.approx(own.share)
    assert table.loc[1, "rsum"] == pytest.approx(groups[0][0].test["rsum"])
    start = groups[0][0].config.method.loss.settings["temperature"]
    assert table.loc[0, "temperature"] == start and 0 < abs(table.loc[1, "temperature"] - start) < 0.05
    # A triplet has none.
    assert table["temperature"].isna().tolist() == [False, False, True, True]
    shown = shown_gaps(table)
    assert shown.index.is_unique and shown["temperature"].iloc[2] == ""


def test_the_learned_temperature_is_that_of_the_best_epoch(workspace, tmp_path, monkeypatch):
    """As the loop showed it after that epoch, of a run that validation says went on for worse."""
    alone = Workspace("scenes", None, "smoke", tmp_path)
    [config] = get_configs(alone, "ab-infonce")
    values = iter([200.0, 300.0, 250.0, 240.0])
    monkeypatch.setattr(PairProblem, "validate", lambda problem: next(values))
    train, shown = FIT.train, []

    def watched(model, loss, *rest, **more):
        def show(epoch):
            shown.append(float(torch.exp(-loss.log_scale.detach())))

        return train(model, loss, *rest, after_epoch=show, **more)

    monkeypatch.setattr(FIT, "train", watched)
    [result] = run(alone, config.replace(**{"name": "worse", "optimiser.epochs": 4, "optimiser.learning_rate": 0.01}))
    best = result.history["best_epoch"]
    assert best == 1 and len(shown) == 4
    assert abs(shown[best] - shown[-1]) > 1e-4
    assert learned_temperature(alone, result) == pytest.approx(shown[best], rel=1e-6)


def test_closing_the_gap_is_scored_as_a_loop_would(workspace, groups, space):
    table = gap_closing(space)
    assert set(table["temperature"]) == {learned_temperature(workspace, groups[0][0]), 0.2, 1.0}
    as_it_is = table[(table["closed"] == 0) & (table["temperature"] == 0.2)].iloc[0]
    images, captions = space.embeddings["after"]
    cosines = torch.from_numpy(images @ captions[space.one_caption].T)
    expected = InfoNCELoss(0.2, learnable=False)(cosines, torch.arange(len(images)))
    assert as_it_is["loss"] == pytest.approx(float(expected), rel=1e-4)
    ranks = ranks_of_embeddings(images, captions, space.part.image_of_caption)
    assert as_it_is["rsum"] == pytest.approx(summarise(ranks)["rsum"])
    assert len(read_plotdata(workspace.results, "gap_closing")) == len(table)


def test_what_is_recorded_is_read_and_nothing_is_trained(workspace, groups, monkeypatch):
    assert [own[0].model for own in recorded(workspace)] == sorted(own[0].model for own in groups)
    monkeypatch.setattr(FIT, "train", None)
    [config] = get_configs(workspace, "ab-infonce-meanmax")
    assert at_hand(workspace, config, [5]) == groups[0]


def test_a_run_on_other_data_is_told(workspace, groups, tmp_path):
    other = Workspace("scenes", None, "smoke", tmp_path)
    for name in ("result.json", "ranks.npz"):
        source = workspace.results / "runs" / "cca-mean" / "seed0" / name
        target = other.results / "runs" / "cca-mean" / "seed0" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    assert len(recorded(other)) == 1
    path = other.results / "runs" / "cca-mean" / "seed0" / "result.json"
    record = json.loads(path.read_text())
    record["data"]["fingerprint"] = "0" * 16
    path.write_text(json.dumps(record))
    with pytest.raises(XmrError, match=r"made on other data \(fingerprint 0000"):
        recorded(other)


def test_the_distribution_of_ranks_is_that_of_the_runs(workspace, groups):
    table = write_rank_distribution(workspace)
    assert set(table["run"]) == {"ab-infonce-meanmax", "ab-triplet-semihard", "cca-mean", "chance"}
    own = table[(table["run"] == "cca-mean") & (table["direction"] == "i2t")]
    ranks = [ranks_of(workspace, result) for result in groups[2]]
    expected = np.mean([rank_shares(one.i2t, own["rank"].to_numpy()) for one in ranks], axis=0)
    assert own["share"].to_numpy() == pytest.approx(expected)
    # The curve goes through the recalls of the table of record.
    for k in (1, 5, 10):
        recall = np.mean([result.test[f"i2t_r{k}"] for result in groups[2]])
        assert 100 * own.loc[own["rank"] == k, "share"].item() == pytest.approx(recall)
        chance = table[(table["run"] == "chance") & (table["direction"] == "i2t") & (table["rank"] == k)]
        assert 100 * chance["share"].item() == pytest.approx(groups[2][0].chance[f"i2t_r{k}"])


def test_curves_are_the_histories(workspace, groups):
    table = write_training_curves(workspace)
    assert set(table["run"]) == {"ab-infonce-meanmax", "ab-triplet-semihard"}
    own = table[(table["run"] == "ab-infonce-meanmax") & (table["seed"] == 1)]
    assert list(own["epoch"]) == list(range(1, len(own) + 1))
    assert list(own["val_rsum"]) == groups[0][1].history["val_rsum"]
    assert list(own["loss"]) == groups[0][1].history["loss"]


def test_rows_of_the_record_are_numbers_in_the_order_asked_for(workspace, groups):
    rows = summary_numbers(workspace, ["cca-mean", "ab-infonce-meanmax"])
    assert list(rows["run"]) == ["cca-mean", "ab-infonce-meanmax"]
    assert rows.loc[0, "rsum"] == pytest.approx(np.mean([r.test["rsum"] for r in groups[2]]), abs=1e-4)
    with pytest.raises(XmrError, match="has no a-recipe"):
        summary_numbers(workspace, ["cca-mean", "a-recipe"])
