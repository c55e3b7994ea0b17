"""Configs: frozen, in groups, with bounds; JSON goes there and back; what version 1 recorded is read."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from xmr_lib.config import PROFILES, RunConfig, from_flat, profile, read_config
from xmr_lib.config.version1 import RENAMED
from xmr_lib.errors import XmrError
from xmr_lib.records import flat, read_result

RECORDED = Path(__file__).parent.parent / "results" / "flickr8k" / "runs"
MEMBERS = (from_flat("one"), from_flat("two", text_features="minilm"))
KINDS = {
    "dual-encoder": from_flat(
        "m",
        image_features="effnet-lite0+effnet-lite0-grid",
        image_pooling="none+attention",
        image_fusion="gate",
        text_features="onehot+glove",
        train_words=True,
        word_lr=0.1,
        loss="triplet",
        negatives="semihard",
    ),
    "cca": from_flat("m", method="cca", powers=(0.0, 3.0), text_pooling="idf"),
    "late": from_flat("m", MEMBERS, method="late", task="ensemble"),
    "metric-learning": from_flat("m", method="metric-learning", loss="contrastive", distance="euclidean"),
}
VERSION_1 = {
    "model": "old", "task": "d", "track": "open", "image_features": "effnet-lite0", "text_features": "minilm@5",
    "image_aggregation": "none", "tune_last_layer": False, "tune_image_tail": False, "tune_rate": 0.2,
    "image_fusion": "concat", "aggregation": "meanmax", "text_fusion": "concat", "train_words": False,
    "word_scale": 1.0, "word_rate": 1.0, "word_dropout": 0.1, "tune_text_layers": 1, "method": "dual-encoder",
    "members": [], "image_input": "power", "text_input": "none", "projection": "linear", "hidden": 96, "embed": 128,
    "dropout": 0.4, "normalised": False, "measure": "euclidean", "loss": "triplet", "negatives": "semihard",
    "margin": 0.3, "temperature": 0.07, "direction": "i2t", "epochs": 16, "batch": 256, "learning_rate": 0.002,
    "weight_decay": 0.02, "warmup": 0.1, "patience": 3, "regularisations": [0.01, 0.1], "powers": [0.0, 1.0],
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_round_trip_through_json(kind):
    config = KINDS[kind]
    assert config.method.kind == kind
    assert read_config(json.loads(json.dumps(config.to_dict()))) == config
    assert RunConfig(**config.to_dict()) == config and RunConfig.model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss.name": "magic"}, "loss 'magic' is unknown; there are contrastive, infonce, triplet"),
        ({"optimiser.epochs": 0}, r"optimiser\.epochs = 0: .*greater than or equal to 1"),
        ({"optimiser.batch": 1}, r"optimiser\.batch = 1: .*greater than or equal to 2"),
        ({"optimiser.learning_rate": -1}, r"optimiser\.learning_rate = -1: .*greater than 0"),
        ({"optimiser.epochs": "many"}, r"optimiser\.epochs = 'many': .*integer"),
        ({"text.dropout": 5}, r"text\.dropout = 5: .*less than 1"),
        ({"image.dropout": -0.1}, r"image\.dropout = -0\.1: .*greater than or equal to 0"),
        ({"text.fusion": "stir"}, r"text\.fusion = 'stir': .*'concat'"),
        ({"text.branches.0.pooling": "best"}, "aggregation 'best' is unknown; there are mean, sum, max"),
        ({"image.branches.0.features": "hologram"}, "'hologram' is unknown"),
        ({"image.branches": []}, r"image\.branches = \[\]: .*at least 1 item"),
        ({"loss": {"name": "contrastive"}}, "loss contrastive needs distance = euclidean"),
        ({"loss": {"name": "triplet", "margin": -1}}, r"loss\.margin = -1: .*greater than 0"),
        ({"loss": {"name": "infonce", "temperature": 0.001}}, r"loss\.temperature = 0\.001"),
        ({"loss": {"name": "infonce", "margin": 0.1}}, r"no field '(method\.)?loss\.margin'"),
        ({"distance": "manhattan"}, "distance = 'manhattan': .*'cosine' or 'euclidean'"),
        ({"name": "a/b"}, "name = 'a/b': is no name for a folder"),
        ({"name": ".."}, "is no name for a folder"),
        ({"task": "z"}, "task = 'z'"),
        (
            {"optimiser.learning_rat": 1},
            r"no field 'optimiser\.learning_rat'; did you mean 'learning_rate'\? there are epochs",
        ),
        ({"optimizer.epochs": 1}, r"no field 'optimizer\.epochs'"),
        ({"text.branches.1.unfreeze": 1}, r"no field 'text\.branches\.1\.unfreeze'"),
    ],
)
def test_bad_values_are_told_in_one_line(changes, message):
    with pytest.raises(XmrError, match=message) as error:
        from_flat("m").replace(**changes)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dropout": 5}, r"dropout = 5: .*less than 1"),
        ({"learning_rate": -1}, "learning_rate = -1"),
        ({"learning_rat": 1}, r"no field 'learning_rat'; did you mean 'learning_rate'\? there are batch, "),
        ({"loss": "contrastive"}, "loss contrastive needs distance = euclidean"),
        ({"text_pooling": "mean+max"}, "2 values of text_pooling for 1 features"),
        ({"word_scale": (0.1, 0.2)}, "2 values of word_scale for 1 features"),
    ],
)
def test_bad_flat_fields_are_told_in_one_line(fields, message):
    with pytest.raises(XmrError, match=f"config 'm': .*{message}") as error:
        from_flat("m", **fields)
    assert "\n" not in str(error.value)


def test_unknown_fields_are_refused_wherever_they_stand():
    for path in ("", "method", "method.image", "method.text.branches.0", "method.optimiser", "method.loss"):
        values = from_flat("m").to_dict()
        group = values
        for step in filter(None, path.split(".")):
            group = group[int(step)] if step.isdigit() else group[step]
        group["magic"] = 1
        own = f"{path}.magic".removeprefix(".")
        with pytest.raises(XmrError, match=f"no field '{own}'"):
            read_config(values)


def test_late_fusion_needs_two_normalised_models_and_their_cosines():
    with pytest.raises(XmrError, match="members"):
        from_flat("late", MEMBERS[:1], method="late")
    for other in (from_flat("x", method="cca"), from_flat("x", distance="euclidean"), from_flat("x", normalised=False)):
        with pytest.raises(XmrError, match="all normalised, all compared by cosine"):
            from_flat("late", (MEMBERS[0], other), method="late")


def test_a_config_is_frozen():
    config = from_flat("m")
    for group, field in ((config, "name"), (config.method, "embed_dim"), (config.method.optimiser, "epochs")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(group, field, 3)
    with pytest.raises(ValidationError, match="frozen"):
        config.method.loss.temperature = 1.0


def test_replace_changes_what_its_paths_name_and_nothing_else():
    config = KINDS["dual-encoder"]
    changes = {"loss.margin": 0.4, "text.branches.1.lr_multiplier": 0.5, "method.embed_dim": 8, "name": "other"}
    changed, before = config.replace(**changes), config.to_dict()
    assert (changed.method.loss.settings["margin"], changed.method.text.branches[1].lr_multiplier) == (0.4, 0.5)
    assert (changed.method.embed_dim, changed.name) == (8, "other")
    assert config.to_dict() == before
    differing = {key for key, value in flat(changed.to_dict()).items() if flat(before)[key] != value}
    assert differing == {"method.loss.margin", "method.text.branches.1.lr_multiplier", "method.embed_dim", "name"}
    for path, value in (("loss.margin", 0.4), ("text.branches.1.lr_multiplier", 0.5), ("embed_dim", 8)):
        assert changed.get(path) == value
    assert changed.get("loss.magic", "none") == "none" and changed.get("image_pooling") == "none+attention"


def test_branches_and_their_aggregations_are_named_together():
    config = from_flat("x", text_features="fasttext-self+minilm", text_pooling="meanmax+mean")
    assert [(b.features.slug, b.pooling) for b in config.branches("text")] == [
        *(("fasttext-self", "meanmax"), ("minilm", "mean")),
    ]
    assert (config.text_features, config.text_pooling, config.track) == ("fasttext-self+minilm", "meanmax+mean", "open")
    assert KINDS["late"].text_features == "fasttext-self+minilm" and KINDS["late"].track == "open"


def test_what_is_told_of_one_side_or_of_each_branch_stays_there():
    words = {"text_features": "onehot+glove", "train_words": True, "word_scale": (0.1, 1.0)}
    config = from_flat("x", dropout=0.4, image_dropout=0.5, text_hidden=256, **words)
    assert (config.method.image.dropout, config.method.text.dropout) == (0.5, 0.4)
    assert (config.method.text.hidden, config.method.image.hidden) == (256, from_flat("x").method.image.hidden)
    assert [(own.word_scale, own.train_words) for own in config.branches("text")] == [(0.1, True), (1.0, True)]


def test_version_1_is_read_field_by_field():
    assert len(VERSION_1) == 40
    config = read_config(VERSION_1)
    expected = {
        "name": "old", "task": "d", "image_features": "effnet-lite0", "text_features": "minilm@5", "embed_dim": 128,
        "normalised": False, "distance": "euclidean", "track": "open",
        "image.branches.0.pooling": "none", "image.branches.0.unfreeze": 0, "image.scaling": "power",
        "text.branches.0.pooling": "meanmax", "text.branches.0.unfreeze": 1, "text.branches.0.lr_multiplier": 0.2,
        "text.branches.0.word_dropout": 0.1, "text.branches.0.train_words": False, "text.scaling": "none",
        "loss": {"name": "triplet", "margin": 0.3, "negatives": "semihard", "direction": "i2t"},
        "optimiser": {
            "epochs": 16, "batch": 256, "learning_rate": 0.002, "weight_decay": 0.02, "warmup": 0.1, "patience": 3
        },
    }  # fmt: skip
    for side in ("image", "text"):
        expected |= {f"{side}.projection": "linear", f"{side}.hidden": 96, f"{side}.dropout": 0.4}
    assert {path: config.get(path) for path in expected} == expected
    tuned = read_config({**VERSION_1, "image_features": "effnet-lite0@15", "tune_image_tail": True})
    assert (tuned.get("image.branches.0.unfreeze"), tuned.get("image.branches.0.lr_multiplier")) == (1, 0.2)
    trained = {"text_features": "glove", "train_words": True, "word_rate": 0.3, "tune_text_layers": 0}
    trained = read_config({**VERSION_1, **trained}).method.text.branches[0]
    assert trained.train_words and trained.lr_multiplier == 0.3
    assert set(RENAMED) < set(VERSION_1)


def test_version_1_with_a_field_that_it_never_had_is_refused():
    with pytest.raises(XmrError, match="no field 'magic'"):
        read_config({**VERSION_1, "magic": 1})


@pytest.mark.parametrize("run", ["cca-idf", "e-bigru-meanmax-trained", "t-cnn-tuned", "f-text-gate", "f-words-late"])
def test_recorded_configs_of_all_kinds_are_read(run):
    path = RECORDED / run / "seed0" / "result.json"
    recorded, config = json.loads(path.read_text("utf-8"))["config"], read_result(path).config
    assert config.name == run and config.method.kind == (recorded.get("method") or {})
    if run == "f-words-late":
        assert [member.name for member in config.method.members] == recorded["members"]
        with pytest.raises(XmrError, match="names the members of late fusion only"):
            read_config(recorded)
        return
    assert (config.image_features, config.text_pooling) == (recorded["image_features"], recorded["aggregation"])
    assert config.track == recorded["track"]
    if run == "cca-idf":
        assert list(config.method.powers) == recorded["powers"]
    else:
        assert config.method.optimiser.epochs == recorded["epochs"]
        assert config.method.embed_dim == recorded["embed"]


def test_version_1_with_two_kinds_of_image_features_is_read():
    recorded = json.loads((Path(__file__).parent / "version1_gate.json").read_text("utf-8"))
    config = read_config(recorded)
    assert config.image_features == recorded["image_features"] == "effnet-lite0+frcnn-lite0-roi"
    assert config.image_pooling == recorded["image_aggregation"] and config.method.image.fusion == "gate"
    assert (config.track, config.method.optimiser.epochs) == (recorded["track"], recorded["epochs"])


def test_a_dict_without_a_name_is_refused():
    with pytest.raises(XmrError, match="'name'"):
        read_config({"task": "a"})
    with pytest.raises(XmrError, match="name: Field required"):
        RunConfig(task="a")


def test_profiles_change_sizes_only():
    sizes = {"method.image.hidden", "method.text.hidden", "method.embed_dim", "method.optimiser.epochs"}
    sizes.add("method.optimiser.batch")
    for own in PROFILES.values():
        for config in KINDS.values():
            before, after = flat(config.to_dict()), flat(own.apply(config).to_dict())
            assert before.keys() == after.keys()
            assert {path for path in before if before[path] != after[path]} <= sizes
        assert own.apply(KINDS["cca"]) == KINDS["cca"] and own.apply(KINDS["late"]) == KINDS["late"]
    assert PROFILES["full"].apply(KINDS["dual-encoder"]) == KINDS["dual-encoder"]
    smoke = PROFILES["smoke"].apply(KINDS["dual-encoder"]).method
    assert (smoke.image.hidden, smoke.text.hidden, smoke.embed_dim) == (64, 64, 32)
    assert (smoke.optimiser.epochs, smoke.optimiser.batch) == (2, 64)
    with pytest.raises(XmrError, match="'huge' is unknown; there are smoke, demo, full"):
        profile("huge")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"image.branches.0.features": "fasttext-self"}, "features of captions; this branch needs features of images"),
        ({"text.branches.0.features": "effnet-lite0"}, "features of images; this branch needs features of captions"),
        ({"method": {"kind": "cca", "image": {"features": "effnet-lite0-grid"}}}, "CCA needs one vector per image"),
        (
            {"method": {"kind": "cca", "text": {"features": "glove", "pooling": "attention"}}},
            "aggregation without weig",
        ),
        (
            {"method": {"kind": "cca", "text": {"features": "glove", "train_words": True}}},
            "aggregation without weights",
        ),
        ({"loss": {"name": "triplet", "margin": float("inf")}}, "finite number"),
        ({"loss.temperature": float("inf")}, "finite number"),
        ({"loss.name": [1]}, "a loss has a name"),
    ],
)
def test_what_no_model_can_be_is_refused_in_one_line(changes, told):
    with pytest.raises(XmrError, match=told) as error:
        RunConfig(name="x").replace(**changes)
    assert "\n" not in str(error.value)


def test_another_loss_brings_its_own_settings():
    plain = RunConfig(name="x")
    loss = plain.replace(**{"loss.margin": 0.3, "loss.name": "triplet"}).method.loss
    assert (loss.name, loss.settings["margin"]) == ("triplet", 0.3) and "temperature" not in loss.settings
    kept = plain.replace(**{"loss.temperature": 0.2, "loss.name": "infonce"}).method.loss
    assert kept.settings["temperature"] == 0.2
