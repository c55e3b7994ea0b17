"""The configs of the study's models, on the data at hand."""

from collections.abc import Iterable
from dataclasses import replace

from ..config import RunConfig, from_flat
from ..errors import XmrError, listed
from ..experiment.workspace import Workspace
from ..features.spec import FeatureSpec
from .rows import ALIASES, LITE, MADE_HERE, MODELS


def get_configs(workspace: Workspace, *models: str) -> list[RunConfig]:
    """Return the configs of models of the study (or ``ALIASES``) on a workspace's dataset, in its profile.

    Features that the data bring (the course's files, boxes for a detector) take the place of those that are made here.

    Raises:
        XmrError: there is no model of that name.
    """
    return [_config(workspace, model) for model in models]


def runnable(workspace: Workspace, *models: str) -> list[RunConfig]:
    """Return ``get_configs`` without those whose image features can't be had, and print which and why.

    They need Faster R-CNN where there is none, or photographs where only features came with the data.
    """
    configs = get_configs(workspace, *models)
    for line in left_out(workspace, configs):
        print(line)
    return [config for config in configs if not workspace.missing(config)]


def left_out(workspace: Workspace, configs: Iterable[RunConfig]) -> list[str]:
    """Return, as lines to print, which models can't be trained on a workspace's dataset, by the reason."""
    reasons: dict[str, list[str]] = {}
    for config in configs:
        if reason := workspace.missing(config):
            reasons.setdefault(reason, []).append(config.name)
    return [f"left out: {', '.join(names)} ({reason})" for reason, names in reasons.items()]


def _config(workspace: Workspace, model: str) -> RunConfig:
    model = ALIASES.get(model, model)
    if model not in MODELS:
        raise XmrError(f"model {model!r} is unknown; {listed(model, MODELS)}")
    fields = dict(MODELS[model])
    if fields.get("method") == "late":
        members = get_configs(workspace, *fields.pop("members"))
        return from_flat(model, members, **fields)
    if "teacher" in fields:
        [fields["teacher"]] = get_configs(workspace, fields["teacher"])
    config = from_flat(model, **fields)
    own = {side: FeatureSpec.parse(slug) for side, slug in workspace.own_features.items()}
    # Alone, the CNN of the fine-tuning study stands beside its own maps: it is named, and no default.
    named = "image_features" in fields and len(config.image_specs) == 1

    def brought(side: str, spec: FeatureSpec) -> FeatureSpec:
        if spec.encoder == LITE:
            return replace(spec, encoder=workspace.detector_slug)
        made_here = spec.slug == MADE_HERE[side] and not (side == "image" and named)
        return own[side] if made_here else spec

    return workspace.sized(config.with_features(brought))
