"""Configs: frozen, named, and strict about what they hold."""

import dataclasses

import pytest

from xmr_lib.config import PROFILES, Config, profile
from xmr_lib.errors import XmrError


def test_round_trip_through_json_values():
    config = Config("m", loss="triplet", powers=(0.0, 3.0))
    assert Config.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "magic"}, "loss = 'magic'; it is one of infonce, triplet"),
        ({"epochs": 0}, "epochs = 0 must be at least 1"),
        ({"batch": 1}, "leaves no negatives"),
        ({"model": "a/b"}, "no name for a folder"),
        ({"learning_rat": 1}, "no field 'learning_rat'"),
    ],
)
def test_bad_values_are_told_in_one_line(changes, message):
    with pytest.raises(XmrError, match=message) as error:
        Config("m").but(**changes)
    assert "\n" not in str(error.value)


def test_a_dict_without_a_name_is_refused():
    with pytest.raises(XmrError, match="'model'"):
        Config.from_dict({"task": "a"})


def test_a_config_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config("m").epochs = 3


def test_profiles_change_sizes_only():
    sizes = {"hidden", "embed", "epochs", "batch"}
    for values in PROFILES.values():
        assert set(values.changes) <= sizes
    with pytest.raises(XmrError, match="'huge' is unknown; there are smoke, demo, full"):
        profile("huge")
