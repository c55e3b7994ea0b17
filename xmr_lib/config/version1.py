"""Reader of configs: those of today, and the forty flat fields of version 1."""

from collections.abc import Callable
from typing import Any

from ..errors import XmrError
from .flat import from_flat
from .groups import RunConfig

RENAMED = {
    "aggregation": "text_pooling",
    "image_aggregation": "image_pooling",
    "image_input": "image_scaling",
    "text_input": "text_scaling",
    "measure": "distance",
    "embed": "embed_dim",
    "tune_rate": "tuned_lr",
    "word_rate": "word_lr",
    "tune_text_layers": "unfreeze_layers",
}
"""Version 1's names and those of today."""


def read_config(values: dict[str, Any], member: Callable[[str], RunConfig] | None = None) -> RunConfig:
    """Read what ``RunConfig.to_dict`` wrote, or a config of version 1.

    Args:
        member: finds the config of a member of late fusion by its name: version 1 recorded no more of it.

    Raises:
        XmrError: a field that does not exist, or no name.
    """
    if "method" in values and isinstance(values["method"], dict):
        return RunConfig(**values)
    if "model" not in values:
        raise XmrError("config: neither a config of today nor one of version 1: the field 'name' is missing")
    fields = {RENAMED.get(name, name): value for name, value in values.items()}
    name, members = fields.pop("model"), fields.pop("members", ())
    # The track follows from the features now.
    fields.pop("track", None)
    blocks = [fields.pop("tune_last_layer", False), fields.pop("tune_image_tail", False)]
    fields["unfreeze_blocks"] = int(any(blocks))
    if fields.get("method") != "late":
        return from_flat(name, **fields)
    if member is None:
        raise XmrError(f"config {name!r}: version 1 names the members of late fusion only; read its result.json")
    return from_flat(name, [member(own) for own in members], task=fields.get("task", "ensemble"), method="late")
