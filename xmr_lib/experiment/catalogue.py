"""The models of the study, by name: what each changes of the default config, and why."""

from typing import Any

from ..config import Config
from ..errors import XmrError
from .lab import Lab

RECIPE: dict[str, Any] = {
    "projection": "linear",
    "normalised": False,
    "measure": "euclidean",
    "loss": "triplet",
    "negatives": "random",
    "margin": 1.0,
}
"""The assignment's own words: project both into one space, Euclidean distance, a triplet in one direction."""

CCA: dict[str, Any] = {"task": "baseline", "method": "cca", "text_input": "l2"}

REGIONS: dict[str, Any] = {"task": "c", "aggregation": "meanmax"}
"""Of the words the aggregation that validation prefers in task (b), so that only the image side changes."""
SCHEMES = ("mean", "max", "score", "attention", "selfattention", "gpo")

MODELS: dict[str, dict[str, Any]] = {
    # A linear method in closed form that every trained model has to beat.
    "cca-mean": CCA,
    # The length of a sum is what it has beyond the mean.
    "cca-sum": {**CCA, "aggregation": "sum", "text_input": "none"},
    "cca-max": {**CCA, "aggregation": "max"},
    "cca-meanmax": {**CCA, "aggregation": "meanmax"},
    "cca-idf": {**CCA, "aggregation": "idf"},
    # Task (a): image-to-text alone.
    "a-recipe": {"task": "a", "direction": "i2t", **RECIPE},
    "a-infonce": {"task": "a", "direction": "i2t"},
    # Task (b): text-to-image alone.
    "b-recipe": {"task": "b", "direction": "t2i", **RECIPE},
    "b-infonce": {"task": "b", "direction": "t2i"},
    # Both directions in one model: the same network, five losses.
    "ab-infonce": {"task": "b"},
    "ab-triplet-random": {"task": "b", "loss": "triplet", "negatives": "random"},
    "ab-triplet-semihard": {"task": "b", "loss": "triplet", "negatives": "semihard"},
    "ab-triplet-hardest": {"task": "b", "loss": "triplet", "negatives": "hardest"},
    "ab-triplet-all": {"task": "b", "loss": "triplet", "negatives": "all"},
    # InfoNCE again, with other aggregations of the words.
    "ab-infonce-meanmax": {"task": "b", "aggregation": "meanmax"},
    "ab-infonce-idf": {"task": "b", "aggregation": "idf"},
    # Task (c): the image as regions of Faster R-CNN, described by its box head, six aggregations.
    **{f"c-head-{how}": {**REGIONS, "image_features": "frcnn-lite0", "image_aggregation": how} for how in SCHEMES},
    # The same, and the box head's last layer is trained on with the loss.
    "c-head-attention-tuned": {
        **REGIONS,
        "image_features": "frcnn-lite0",
        "image_aggregation": "attention",
        "tune_last_layer": True,
    },
    # The same regions, described by the last stage of the image network.
    **{f"c-roi-{how}": {**REGIONS, "image_features": "frcnn-lite0-roi", "image_aggregation": how} for how in SCHEMES},
    # No detector: the 49 places of the last map.
    **{
        f"grid-{how}": {**REGIONS, "task": "fusion", "image_features": "effnet-lite0-grid", "image_aggregation": how}
        for how in ("mean", "max", "attention")
    },
}


def named(lab: Lab, *models: str) -> list[Config]:
    """Return the configs of models of the study on a lab's dataset, in its profile.

    Raises:
        XmrError: there is no model of that name.
    """
    for model in models:
        if model not in MODELS:
            raise XmrError(f"model {model!r} is unknown; there are {', '.join(MODELS)}")
    return [lab.config(model, **MODELS[model]) for model in models]
