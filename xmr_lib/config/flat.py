"""A config from one flat list of words: how the catalogue writes its models, and what version 1 recorded."""

from collections.abc import Sequence
from typing import Any

from .. import encoders  # noqa: F401 (slugs can be read once they are registered)
from ..errors import XmrError, listed
from ..features.spec import FeatureSpec
from .groups import RunConfig

_SHARED = ("projection", "hidden", "dropout")
_TRAINED = ("embed_dim", "normalised", "distance")
_OPTIMISER = ("epochs", "batch", "learning_rate", "weight_decay", "warmup", "patience")
_LOSSES = {
    "infonce": ("temperature", "direction"),
    "triplet": ("margin", "negatives", "direction"),
    "contrastive": ("margin",),
}
_WORDS = ("train_words", "word_scale", "word_dropout")
_REST = (
    *("task", "method", "members", "seeds", "loss", "image_fusion", "text_fusion", "image_scaling", "text_scaling"),
    *("image_features", "text_features", "image_pooling", "text_pooling", "unfreeze_blocks", "unfreeze_layers"),
    *("tuned_lr", "word_lr", "teacher", "teacher_weight", "regularisations", "powers"),
    *("margin", "negatives", "temperature", "direction"),
)
_OF_A_SIDE = tuple(f"{side}_{key}" for side in ("image", "text") for key in _SHARED)
FIELDS = frozenset((*_SHARED, *_OF_A_SIDE, *_TRAINED, *_OPTIMISER, *_WORDS, *_REST))


def from_flat(name: str, members: Sequence[RunConfig] = (), **fields: Any) -> RunConfig:
    """Build a config; several features, and one aggregation for each, are joined by ``+``.

    Args:
        members: of late fusion; ``seeds``: those that each is taken with.
        fields: ``image_features``, ``text_pooling``, ``unfreeze_blocks`` (of the image network), ``unfreeze_layers``
            (of BERT), ``tuned_lr`` and ``word_lr`` (shares of the learning rate), ``hidden`` (of both towers),
            ``text_hidden`` (of one), ``teacher`` (a config), ``word_scale`` (of all text features, or one for each) …

    Raises:
        XmrError: a field that does not exist, or a value out of bounds.
    """
    if unknown := sorted(set(fields) - FIELDS):
        raise XmrError(f"config {name!r}: there is no field {unknown[0]!r}; {listed(unknown[0], sorted(FIELDS))}")
    kind = fields.get("method", "dual-encoder")
    task = {"task": fields["task"]} if "task" in fields else {}
    if kind == "late":
        return RunConfig(
            name=name, **task, method={"kind": kind, "members": tuple(members), **_some(fields, ("seeds",))}
        )
    images = _branches(name, fields, "image", "effnet-lite0", "none")
    texts = _branches(name, fields, "text", "fasttext-self", "mean")
    if unfreeze := fields.get("unfreeze_blocks", 0):
        images = [branch | {"unfreeze": unfreeze, "lr_multiplier": fields.get("tuned_lr", 0.1)} for branch in images]
    layers = fields.get("unfreeze_layers", 0)
    for key in (key for key in _WORDS if key in fields):
        values = fields[key] if isinstance(fields[key], tuple) else (fields[key],) * len(texts)
        if len(values) != len(texts):
            raise XmrError(f"config {name!r}: {len(values)} values of {key} for {len(texts)} features")
        texts = [branch | {key: value} for branch, value in zip(texts, values, strict=True)]
    if layers:
        texts = [branch | {"unfreeze": layers, "lr_multiplier": fields.get("tuned_lr", 0.1)} for branch in texts]
    elif fields.get("train_words"):
        texts = [branch | {"lr_multiplier": fields.get("word_lr", 1.0)} for branch in texts]
    if kind == "cca":
        return RunConfig(
            name=name,
            **task,
            method={
                "kind": kind,
                "image": images[0],
                "text": texts[0],
                **_some(fields, ("image_scaling", "text_scaling", "distance", "regularisations", "powers")),
            },
        )
    if kind == "zero-shot":
        return RunConfig(name=name, **task, method={"kind": kind, "image": images[0], "text": texts[0]})
    towers = {}
    for side, branches in (("image", images), ("text", texts)):
        told = ("fusion", "scaling", *_SHARED)
        own = {key: fields[f"{side}_{key}"] for key in told if f"{side}_{key}" in fields}
        towers[side] = {"branches": branches, **_some(fields, _SHARED), **own}
    if kind == "metric-learning":
        del towers["text"]
    loss = fields.get("loss", "infonce")
    return RunConfig(
        name=name,
        **task,
        method={
            "kind": kind,
            **towers,
            **_some(fields, _TRAINED),
            **_teacher(fields),
            "loss": {"name": loss, **_some(fields, _LOSSES.get(loss, ()))},
            "optimiser": _some(fields, _OPTIMISER),
        },
    )


def _branches(name: str, fields: dict[str, Any], side: str, features: str, pooling: str) -> list[dict[str, Any]]:
    specs = FeatureSpec.parse_several(fields.get(f"{side}_features", features))
    told = fields.get(f"{side}_pooling")
    if told is None:
        # One vector per item is not aggregated.
        told = "+".join(pooling if spec.yields == "rows" else "none" for spec in specs)
    poolings = told.split("+")
    poolings = poolings * len(specs) if len(poolings) == 1 else poolings
    if len(poolings) != len(specs):
        raise XmrError(f"config {name!r}: {len(poolings)} values of {side}_pooling for {len(specs)} features")
    return [{"features": spec, "pooling": how} for spec, how in zip(specs, poolings, strict=True)]


def _teacher(fields: dict[str, Any]) -> dict[str, Any]:
    if "teacher" not in fields:
        return {}
    weight = {"weight": fields["teacher_weight"]} if "teacher_weight" in fields else {}
    return {"teacher": {"model": fields["teacher"], **weight}}


def _some(fields: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: fields[name] for name in names if name in fields}
