"""Towers of a config: which features, how they become one vector, and the map into the common space."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator, model_validator

from .. import encoders  # noqa: F401 (its encoders register themselves: a slug can be read after that)
from ..features.spec import FeatureSpec
from ..modules import FUSIONS, POOLINGS

Share = Annotated[float, Field(ge=0, lt=1)]
Rate = Annotated[float, Field(gt=0, le=10)]
Width = Annotated[int, Field(ge=1, le=65_536)]
Scaling = Literal["none", "l2", "power", "standardise"]
Distance = Literal["cosine", "euclidean"]
Features = Annotated[
    FeatureSpec,
    BeforeValidator(lambda value: FeatureSpec.parse(value) if isinstance(value, str) else value),
    PlainSerializer(lambda spec: spec.slug),
]

_ITEMS = {"image": "images", "text": "captions"}


class Group(BaseModel):
    """Fields that belong together."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)


class Branch(Group):
    """One kind of features of a tower, and how an item's rows become one vector."""

    modality: ClassVar[str] = "image"

    features: Features
    pooling: str = "none"
    """Aggregation of rows; ``none``: the features are one vector per item already."""
    unfreeze: Annotated[int, Field(ge=0, le=48)] = 0
    """Pretrained layers trained with the loss: of a transformer the last, of a CNN those behind a map, of a box head
    fc7."""
    lr_multiplier: Rate = 1.0
    """Learning rate of what was learned before (pretrained layers, word vectors), as a share of the rest's."""

    @field_validator("features")
    @classmethod
    def _of_this_side(cls, spec: FeatureSpec) -> FeatureSpec:
        if spec.modality != cls.modality:
            raise ValueError(
                f"these are features of {_ITEMS[spec.modality]}; this branch needs features of {_ITEMS[cls.modality]}"
            )
        return spec

    @field_validator("pooling")
    @classmethod
    def _known(cls, name: str) -> str:
        if name != "none":
            POOLINGS[name]
        return name


class TextBranch(Branch):
    """The same of captions."""

    modality: ClassVar[str] = "text"

    pooling: str = "mean"
    train_words: bool = False
    """Whether the vectors of words are trained with the loss, from what the features give."""
    word_scale: Rate = 1.0
    """Deviation of the words' vectors where training starts: Adam's steps are large beside small vectors."""
    word_dropout: Share = 0.0
    """Share of words left out of a caption in training."""

    @model_validator(mode="after")
    def _of_rows(self) -> "TextBranch":
        if self.features.yields != "rows" and (self.pooling != "none" or self.train_words or self.word_dropout):
            raise ValueError(
                f"{self.features} has one vector per caption: set pooling = none, and leave its words as they are"
            )
        return self

    @property
    def pooled_ahead(self) -> bool:
        """Whether nothing before the aggregation is trained: it is done once, ahead of training."""
        in_model = self.train_words or self.word_dropout > 0 or self.unfreeze > 0
        return not in_model and self.pooling != "none" and getattr(POOLINGS[self.pooling], "fixed", False)


class Tower(Group):
    """One modality: branches, their fusion, and the map into the common space."""

    fusion: Literal[FUSIONS] = "concat"
    """How several branches become one embedding."""
    scaling: Scaling = "l2"
    """What is done to a feature vector first; ReLU features differ tenfold in length, which l2 takes away."""
    projection: Literal["linear", "mlp", "residual"] = "residual"
    """``residual`` is the sum of a linear layer and an MLP with one hidden layer."""
    hidden: Width = 512
    """Width of hidden layers, in units: of the MLP, of a recurrent network, of self-attention."""
    dropout: Share = 0.3
    """Share of inputs and hidden units dropped in training."""


class ImageTower(Tower):
    branches: Annotated[tuple[Branch, ...], Field(min_length=1)] = (Branch(features="effnet-lite0"),)


class TextTower(Tower):
    branches: Annotated[tuple[TextBranch, ...], Field(min_length=1)] = (TextBranch(features="fasttext-self"),)
    scaling: Scaling = "standardise"
    """``standardise`` takes away the common vector that all captions share."""
