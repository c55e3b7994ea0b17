"""Configs in groups: the method as a tagged union of what it needs, and the config of a run.

Built on pydantic: unknown fields and values out of bounds are refused, JSON goes there and back. A ``RunConfig`` says
what is wrong in one line; its groups alone raise pydantic's own errors.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from ..errors import XmrError, listed
from ..features.spec import FeatureSpec, join_slugs
from ..losses import LOSSES
from ..provenance import worst_track
from .towers import Branch, Distance, Group, ImageTower, TextBranch, TextTower, Width
from .training import LossConfig, OptimiserConfig

TASKS = (
    *("a", "b", "c", "d", "e", "baseline", "representations"),
    *("fusion", "finetune", "ensemble", "best", "images"),
)


class Trained(Group):
    """What is common to the methods that are trained by gradient descent."""

    embed_dim: Width = 512
    """Dimensions of the common space."""
    normalised: bool = True
    """Whether embeddings are scaled to length 1."""
    distance: Distance = "cosine"
    """How two embeddings are compared, in training and in search."""
    loss: LossConfig = LossConfig()
    optimiser: OptimiserConfig = OptimiserConfig()

    @model_validator(mode="after")
    def _fits(self) -> "Trained":
        distances = getattr(LOSSES[self.loss.name], "distances", None)
        if distances and self.distance not in distances:
            raise ValueError(f"the loss {self.loss.name} needs distance = {' or '.join(distances)}")
        return self


class Teacher(Group):
    """A model that is trained first, and whose similarities are learned beside the true pairs (Hinton et al. 2015)."""

    model: "RunConfig"
    weight: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of the loss that is the teacher's; the rest is that of the true pairs."""

    @model_validator(mode="after")
    def _cosine(self) -> "Teacher":
        if self.model.distance != "cosine":
            raise ValueError("a teacher compares by cosine")
        return self


class DualEncoderConfig(Trained):
    """Two towers that meet in one space."""

    kind: Literal["dual-encoder"] = "dual-encoder"
    image: ImageTower = ImageTower()
    text: TextTower = TextTower()
    teacher: Teacher | None = None

    @model_validator(mode="after")
    def _can_be_taught(self) -> "DualEncoderConfig":
        if self.teacher and (self.loss.name != "infonce" or self.distance != "cosine"):
            raise ValueError("a teacher needs loss = infonce, whose temperature it shares, and distance = cosine")
        return self


class MetricLearningConfig(Trained):
    """An image tower alone."""

    kind: Literal["metric-learning"] = "metric-learning"
    image: ImageTower = ImageTower()


class CcaConfig(Group):
    """Canonical correlation analysis: closed form, no training."""

    kind: Literal["cca"] = "cca"
    image: Branch = Branch(features="effnet-lite0")
    text: TextBranch = TextBranch(features="fasttext-self")
    image_scaling: Literal["none", "l2"] = "l2"
    text_scaling: Literal["none", "l2"] = "l2"
    """CCA centres, and its ridge is relative to the variance: the other scalings would change nothing."""
    distance: Distance = "cosine"
    regularisations: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)] = (
        0.01,
        0.03,
        0.1,
        0.3,
        1.0,
    )
    """Ridges to try, as a share of the mean variance; the best on validation is taken."""
    powers: Annotated[tuple[float, ...], Field(min_length=1)] = (0.0, 1.0, 2.0, 4.0)
    """Exponents to try of the correlations that weigh the dimensions; chosen with the ridge."""

    @model_validator(mode="after")
    def _closed_form(self) -> "CcaConfig":
        if self.image.features.yields != "vector" or self.image.pooling != "none" or self.image.unfreeze:
            raise ValueError(f"CCA needs one vector per image, and trains no layer; {self.image.features} is not that")
        if self.text.features.yields != "vector" and not self.text.pooled_ahead:
            raise ValueError("CCA trains nothing: its words need an aggregation without weights, such as mean")
        return self


class ZeroShotConfig(Group):
    """Nothing is trained: the cosine of embeddings that lie in one space already, as the two sides of a CLIP do."""

    kind: Literal["zero-shot"] = "zero-shot"
    image: Branch
    text: TextBranch
    distance: Literal["cosine"] = "cosine"

    @model_validator(mode="after")
    def _one_space(self) -> "ZeroShotConfig":
        image, text = self.image.features, self.text.features
        if not image.space or image.space != text.space:
            raise ValueError(
                f"zero-shot needs the embeddings of one network on both sides, as clip-image:NAME and clip-text:NAME; "
                f"{image} and {text} are not that"
            )
        if self.image.unfreeze or self.text.unfreeze:
            raise ValueError("zero-shot trains no layer; set unfreeze = 0")
        return self


class EnsembleConfig(Group):
    """Late fusion: the weighted mean of the members' cosines, the weights chosen on validation."""

    kind: Literal["late"] = "late"
    members: Annotated[tuple["RunConfig", ...], Field(min_length=1)]
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """Seeds that each member is taken with, all of the same weight; empty: the seed of the ensemble alone."""

    def parts(self, seed: int = 0) -> "list[tuple[RunConfig, int, str]]":
        """Return what is fused: a member, its seed, and a name that no other part has; the seeds of a member in a row.

        Args:
            seed: of the ensemble.
        """
        if not self.seeds:
            return [(member, seed, member.name) for member in self.members]
        return [(member, own, f"{member.name}-seed{own}") for member in self.members for own in self.seeds]

    @model_validator(mode="after")
    def _several(self) -> "EnsembleConfig":
        parts = self.parts()
        if len(parts) < 2:
            raise ValueError("late fusion needs at least 2 members, or one with several seeds")
        if len({name for _, _, name in parts}) < len(parts):
            raise ValueError("a member, or a seed, stands there twice")
        return self

    @model_validator(mode="after")
    def _cosines(self) -> "EnsembleConfig":
        if any(
            getattr(m.method, "distance", "") != "cosine" or not getattr(m.method, "normalised", False)
            for m in self.members
        ):
            raise ValueError("members must be dual encoders, all normalised, all compared by cosine")
        return self


Method = Annotated[
    DualEncoderConfig | CcaConfig | ZeroShotConfig | EnsembleConfig | MetricLearningConfig, Field(discriminator="kind")
]


class RunConfig(Group):
    """One model on one dataset. The same ``name`` with other values is an error, never an overwrite.

    Raises:
        XmrError: a field that does not exist, or a value out of bounds, in one line.
    """

    name: str
    """Of the run, e.g. ``ab-infonce``: the folder under ``runs/`` and the first column of ``summary.csv``."""
    task: Literal[TASKS] = "baseline"
    """Task of the assignment that this run answers; it changes no number."""
    # Not before ``Teacher`` knows what a config is.
    method: Method = Field(default_factory=lambda: DualEncoderConfig())

    def __init__(self, **values: Any):
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise XmrError(f"config {values.get('name', '?')!r}: {_one_line(error)}") from None

    @field_validator("name")
    @classmethod
    def _folder(cls, name: str) -> str:
        if not re.fullmatch(r"[\w.-]+", name, re.ASCII) or name.strip(".") == "":
            raise ValueError("is no name for a folder; use letters, digits, - _ .")
        return name

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return json.loads(self.model_dump_json())

    def replace(self, **changes: Any) -> "RunConfig":
        """Return this config with fields changed, each named by its path: ``{"loss.margin": 0.3, "name": "x"}``.

        Paths begin in ``method`` unless they name a field of ``RunConfig``; ``branches.0`` is the first branch.

        Raises:
            XmrError: a field that does not exist, or a value out of bounds.
        """
        values = self.to_dict()
        # Another loss first: it brings its own settings, which other changes may then set.
        for path, value in sorted(changes.items(), key=lambda change: not change[0].endswith("loss.name")):
            steps = path.split(".")
            steps = steps if steps[0] in type(self).model_fields else ["method", *steps]
            if steps[-2:] == ["loss", "name"] and value != self.get(path):
                steps, value = steps[:-1], _settings_of(value)
            _put(values, steps, value, self.name)
        return RunConfig(**values)

    def get(self, path: str, default: Any = None) -> Any:
        """Return a field by its path (see ``replace``) or a property by its name; ``default`` where there is none."""
        if isinstance(getattr(type(self), path, None), property):
            return getattr(self, path)
        at: Any = self.to_dict()
        for step in path.split(".") if path.split(".")[0] in at else ["method", *path.split(".")]:
            at = (
                at[int(step)]
                if isinstance(at, list) and step.isdigit()
                else at.get(step)
                if isinstance(at, dict)
                else None
            )
        return default if at is None else at

    def with_features(self, change: "Callable[[str, FeatureSpec], FeatureSpec]") -> "RunConfig":
        """Return this config with ``change(side, features)`` in place of the features of each branch."""
        method = self.to_dict()["method"]
        for side in ("image", "text"):
            tower = method.get(side, {})
            for branch in tower.get("branches", [tower] if tower else []):
                branch["features"] = change(side, FeatureSpec.parse(branch["features"])).slug
        return self.replace(method=method)

    @property
    def singles(self) -> "tuple[RunConfig, ...]":
        """This model, or of late fusion its members'."""
        if isinstance(self.method, EnsembleConfig):
            return tuple(single for member in self.method.members for single in member.singles)
        return (self,)

    def branches(self, side: str) -> tuple[Branch, ...]:
        """Return the branches of ``image`` or ``text``; of late fusion all members', each once."""
        if not isinstance(self.method, EnsembleConfig):
            return _branches(self.method, side)
        return tuple(dict.fromkeys(branch for single in self.singles for branch in _branches(single.method, side)))

    def features(self, side: str) -> tuple[FeatureSpec, ...]:
        """Return the features of each branch of ``image`` or ``text``; two branches may have the same."""
        return tuple(branch.features for branch in self.branches(side))

    @property
    def image_specs(self) -> tuple[FeatureSpec, ...]:
        return tuple(dict.fromkeys(self.features("image")))

    @property
    def text_specs(self) -> tuple[FeatureSpec, ...]:
        return tuple(dict.fromkeys(self.features("text")))

    def _distinct(self, side: str) -> list[tuple[FeatureSpec, str]]:
        return list(dict.fromkeys((branch.features, branch.pooling) for branch in self.branches(side)))

    @property
    def image_features(self) -> str:
        return join_slugs(tuple(spec for spec, _ in self._distinct("image")))

    @property
    def text_features(self) -> str:
        return join_slugs(tuple(spec for spec, _ in self._distinct("text")))

    @property
    def image_pooling(self) -> str:
        return _joined([pooling for _, pooling in self._distinct("image")])

    @property
    def text_pooling(self) -> str:
        return _joined([pooling for _, pooling in self._distinct("text")])

    @property
    def distance(self) -> str:
        return getattr(self.method, "distance", "cosine")

    @property
    def loss_name(self) -> str:
        """The short name of the loss, or what stands in its place."""
        if isinstance(self.method, Trained):
            return str(self.method.loss)
        return {"cca": "closed form", "zero-shot": "not trained", "late": "scores averaged"}[self.method.kind]

    @property
    def track(self) -> str:
        """``clean`` or ``open``: the worst of all that the model learned from."""
        return worst_track(spec.provenance.track for spec in self._learned_from)

    @property
    def _learned_from(self) -> tuple[FeatureSpec, ...]:
        """The features of the model itself, and of those that taught it."""
        teachers = (getattr(single.method, "teacher", None) for single in self.singles)
        of_teachers = (spec for own in teachers if own for spec in own.model._learned_from)
        return tuple(dict.fromkeys((*self.image_specs, *self.text_specs, *of_teachers)))

    def track_reasons(self) -> Iterator[str]:
        """Say of each feature that is not clean what it was trained on."""
        for spec in self._learned_from:
            if spec.provenance.track != "clean":
                yield f"{spec.slug}: {spec.provenance.note or 'trained on ' + ', '.join(spec.provenance.trained_on)}"


Teacher.model_rebuild()
DualEncoderConfig.model_rebuild()
EnsembleConfig.model_rebuild()
RunConfig.model_rebuild()


def _branches(method: Any, side: str) -> tuple[Branch, ...]:
    tower = getattr(method, side, None)
    return () if tower is None else (tower,) if isinstance(tower, Branch) else tower.branches


def _settings_of(loss: Any) -> Any:
    """Return a loss with its defaults; what is no name of one is left for the config to refuse."""
    return LossConfig(name=loss).model_dump() if isinstance(loss, str) else {"name": loss}


def _joined(poolings: list[str]) -> str:
    return poolings[0] if len(set(poolings)) == 1 else "+".join(poolings)


def _put(values: Any, path: list[str], value: Any, name: str) -> None:
    *steps, last = path
    at = values
    for step in steps:
        at = (
            at[int(step)]
            if isinstance(at, list) and step.isdigit() and int(step) < len(at)
            else at.get(step)
            if isinstance(at, dict)
            else None
        )
        if at is None:
            break
    if isinstance(at, list) and last.isdigit() and int(last) < len(at):
        at[int(last)] = value
    elif isinstance(at, dict) and last in at:
        at[last] = value
    else:
        known = listed(last, at) if isinstance(at, dict) else "there is no such part"
        raise XmrError(f"config {name!r}: there is no field {'.'.join(path).removeprefix('method.')!r}; {known}")


def _one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    # The tag of the union is part of pydantic's path, but of nobody's config.
    kinds = {method.model_fields["kind"].default for method in get_args(get_args(Method)[0])}
    where = ".".join(str(step) for step in first["loc"] if step not in kinds)
    shown = "" if isinstance(first["input"], dict | BaseModel) else f" = {first['input']!r}"
    if first["type"] == "extra_forbidden":
        return f"there is no field {where!r}"
    return f"{where}{shown}: {first['msg'].removeprefix('Value error, ')}"
