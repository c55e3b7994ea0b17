"""The models of the study, by name: what each changes of the default config, and why."""

from typing import Any

from ..config import Config
from ..encoders import LEARNED
from ..errors import XmrError
from ..features.regions import LITE, is_regions
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
HEAD_ATTENTION: dict[str, Any] = {"image_features": "frcnn-lite0", "image_aggregation": "attention"}
GRID: dict[str, Any] = {"task": "fusion", "image_features": "effnet-lite0-grid"}

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
    # Task (c): the image as regions of Faster R-CNN, described by the image network's last stage, six aggregations.
    **{
        f"c-roi-{how}": {**REGIONS, "image_features": "frcnn-lite0-roi", "image_aggregation": how}
        for how in ("mean", "max", "score", *LEARNED)
    },
    # The same regions, described by the detector's own box head; its last layer as it is, or trained on with the loss.
    "c-head-mean": {**REGIONS, "image_features": "frcnn-lite0", "image_aggregation": "mean"},
    "c-head-attention": {**REGIONS, **HEAD_ATTENTION},
    "c-head-attention-tuned": {**REGIONS, **HEAD_ATTENTION, "tune_last_layer": True},
    # No detector: the 49 places of the last map. Their mean is the pooled feature of the other tasks.
    "grid-attention": {**REGIONS, **GRID, "image_aggregation": "attention"},
    "grid-gpo": {**REGIONS, **GRID, "image_aggregation": "gpo"},
}


def named(lab: Lab, *models: str) -> list[Config]:
    """Return the configs of models of the study on a lab's dataset, in its profile.

    Raises:
        XmrError: there is no model of that name.
    """
    for model in models:
        if model not in MODELS:
            raise XmrError(f"model {model!r} is unknown; there are {', '.join(MODELS)}")
    return [_on_its_detector(lab, lab.config(model, **MODELS[model])) for model in models]


def _on_its_detector(lab: Lab, config: Config) -> Config:
    if not is_regions(config.image_features):
        return config
    return config.but(image_features=config.image_features.replace(LITE, lab.detector_slug))
