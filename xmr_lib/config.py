"""What a run is: one frozen record of everything that can change its numbers."""

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .errors import XmrError

CHOICES = {
    "task": (
        "a",
        "b",
        "c",
        "d",
        "e",
        "baseline",
        "representations",
        "fusion",
        "finetune",
        "ensemble",
        "best",
        "images",
    ),
    "track": ("clean", "open", "transductive"),
    "method": ("cca", "dual-encoder", "late"),
    "image_aggregation": ("none", "mean", "max", "score", "attention", "selfattention", "gpo"),
    "aggregation": (
        *("mean", "sum", "max", "meanmax", "idf", "cls"),
        *("attention", "selfattention", "gpo", "lstm", "bilstm", "gru", "bigru"),
        *("lstm-meanmax", "bilstm-meanmax", "gru-meanmax", "bigru-meanmax"),
    ),
    "image_fusion": ("concat", "sum", "average", "gate", "attention"),
    "text_fusion": ("concat", "sum", "average", "gate", "attention"),
    "image_input": ("none", "l2", "power", "standardise"),
    "text_input": ("none", "l2", "power", "standardise"),
    "projection": ("linear", "mlp", "residual"),
    "distance": ("cosine", "euclidean"),
    "loss": ("infonce", "triplet", "contrastive"),
    "negatives": ("random", "semihard", "hardest", "all"),
    "direction": ("i2t", "t2i", "both"),
}


PARTS = ("image_aggregation", "aggregation")
"""Fields that may hold one value a part of fused features, joined by ``+``."""


@dataclass(frozen=True)
class Config:
    """One model on one dataset. The same ``model`` name with other values is an error, never an overwrite."""

    model: str
    """Name of the run, e.g. ``ab-infonce``: the folder under ``runs/`` and the first column of ``summary.csv``."""
    task: str = "baseline"
    """Task of the assignment that this run answers; it changes no number."""
    track: str = "clean"
    """``open`` if a part has seen the test set's captions before, ``clean`` if not."""
    image_features: str = "effnet-lite0"
    """Slug of the image features; several, joined by ``+``, are fused."""
    text_features: str = "fasttext-self"
    """Slug of the word features; several, joined by ``+``, are fused."""
    image_aggregation: str = "none"
    """How regions or places of an image become one vector; ``none``: its features are one vector already."""
    tune_last_layer: bool = False
    """Whether fc7 of Faster R-CNN's box head is trained on with the loss, from the detector's own weights."""
    tune_image_tail: bool = False
    """Whether the rest of a CNN is trained with the loss; the features must be maps of it, such as effnet-lite0@15."""
    tune_rate: float = 0.1
    """Learning rate of pretrained layers, as a share of that of new ones."""
    image_fusion: str = "concat"
    """How several image features become one embedding."""
    aggregation: str = "mean"
    """How the words of a caption become one vector."""
    text_fusion: str = "concat"
    """How several text features become one embedding."""
    train_words: bool = False
    """Whether the vectors of words are trained with the loss, from what the features give."""
    word_scale: float = 1.0
    """Deviation of the words' vectors where training starts: Adam's steps are large beside small vectors."""
    word_rate: float = 1.0
    """Learning rate of the vectors of words, as a share of that of the rest."""
    word_dropout: float = 0.0
    """Share of words left out of a caption in training."""
    tune_text_layers: int = 0
    """Last layers of BERT that are trained with the loss; the features must be those of the layer before them."""
    method: str = "dual-encoder"
    """``cca``: closed form, no training; ``dual-encoder``: two projections trained by gradient descent; ``late``: the
    weighted mean of what other models say."""
    members: tuple[str, ...] = ()
    """Models of the study whose cosines ``late`` averages."""

    image_input: str = "l2"
    """What is done to an image feature first; ReLU features differ tenfold in length, which l2 takes away."""
    text_input: str = "standardise"
    """What is done to a caption feature first; ``standardise`` takes away the common vector that all captions share."""
    projection: str = "residual"
    """``linear``, ``mlp`` (one hidden layer) or ``residual`` (the sum of both), for both modalities."""
    hidden: int = 512
    """Width of the hidden layer, in units."""
    embed: int = 512
    """Dimensions of the common space."""
    dropout: float = 0.3
    """Share of inputs and hidden units dropped in training."""
    normalised: bool = True
    """Whether embeddings are scaled to length 1."""
    distance: str = "cosine"
    """How two embeddings are compared, in training and in search."""

    loss: str = "infonce"
    """``infonce`` or ``triplet``."""
    negatives: str = "hardest"
    """Which negatives of the batch a triplet takes."""
    margin: float = 0.2
    """Triplet margin, in units of the distance."""
    temperature: float = 0.07
    """Where InfoNCE's learnable temperature starts."""
    direction: str = "both"
    """``i2t`` is task (a) alone, ``t2i`` task (b) alone."""

    epochs: int = 12
    """Most passes over the captions; the cosine schedule ends there."""
    batch: int = 1024
    """Image–caption pairs a step: negatives come from it."""
    learning_rate: float = 1e-3
    """Peak of the schedule."""
    weight_decay: float = 1e-2
    """AdamW's, on weights but not on biases."""
    warmup: float = 0.05
    """Share of all steps in which the learning rate rises."""
    patience: int = 4
    """Epochs without a better validation rSum after which training stops."""

    regularisations: tuple[float, ...] = (0.01, 0.03, 0.1, 0.3, 1.0)
    """CCA: ridge, as a share of the mean variance; the best on validation is taken."""
    powers: tuple[float, ...] = (0.0, 1.0, 2.0, 4.0)
    """CCA: exponent of the correlations that weigh the dimensions; chosen with the ridge."""

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            value = getattr(self, name)
            if any(part not in allowed for part in (value.split("+") if name in PARTS else [value])):
                raise XmrError(f"config {self.model!r}: {name} = {value!r}; it is one of {', '.join(allowed)}")
        for name in ("hidden", "embed", "epochs", "batch", "patience"):
            if getattr(self, name) < 1:
                raise XmrError(f"config {self.model!r}: {name} = {getattr(self, name)} must be at least 1")
        if self.batch < 2:
            raise XmrError(f"config {self.model!r}: batch = 1 leaves no negatives; take at least 2")
        if self.track == "clean" and "minilm" in self.text_features:
            raise XmrError(f"config {self.model!r}: MiniLM may have seen the test captions; set track to open")
        if not self.model or self.model != "".join(c for c in self.model if c.isalnum() or c in "-_."):
            raise XmrError(f"config: model = {self.model!r} is no name for a folder; use letters, digits, - _ .")

    @property
    def image_parts(self) -> list[tuple[str, str]]:
        """Slug and aggregation of each of the image features."""
        return self._parts("image_features", "image_aggregation")

    @property
    def text_parts(self) -> list[tuple[str, str]]:
        """Slug and aggregation of each of the text features."""
        return self._parts("text_features", "aggregation")

    def _parts(self, features: str, aggregation: str) -> list[tuple[str, str]]:
        slugs, hows = (getattr(self, name).split("+") for name in (features, aggregation))
        hows = hows * len(slugs) if len(hows) == 1 else hows
        if len(hows) != len(slugs):
            raise XmrError(f"config {self.model!r}: {len(hows)} values of {aggregation} for {len(slugs)} features")
        return list(zip(slugs, hows, strict=True))

    def but(self, **changes: Any) -> "Config":
        """Return this config with some fields changed.

        Raises:
            XmrError: a field that does not exist.
        """
        self._refuse_unknown(changes)
        return replace(self, **changes)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "Config":
        """Read what ``to_dict`` wrote.

        Raises:
            XmrError: a field that does not exist, or no ``model``.
        """
        values = {"distance" if name == "measure" else name: value for name, value in values.items()}
        cls._refuse_unknown(values)
        if "model" not in values:
            raise XmrError("config: the field 'model' (its name) is missing")
        return cls(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold."""
        return json.loads(json.dumps(asdict(self)))

    @classmethod
    def _refuse_unknown(cls, values: dict[str, Any]) -> None:
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            known = ", ".join(field.name for field in fields(cls))
            raise XmrError(f"config: there is no field {unknown[0]!r}; there are {known}")


@dataclass(frozen=True)
class Profile:
    """Sizes, and nothing but sizes: a profile never changes what a run computes."""

    name: str
    scenes: tuple[int, int, int]
    """Pictures of ``scenes`` to draw for train, val and test."""
    changes: dict[str, Any]
    """Fields of ``Config`` that the profile sets, whatever the model sets; ``epochs`` is the most there may be."""
    fasttext_epochs: int
    """Passes of self-trained FastText over the training captions."""
    detector_epochs: int
    """Passes of the light Faster R-CNN over the training images."""


PROFILES = {
    "smoke": Profile("smoke", (60, 20, 20), {"hidden": 64, "embed": 32, "epochs": 2, "batch": 64}, 1, 5),
    "demo": Profile("demo", (800, 100, 200), {"embed": 256, "batch": 256, "epochs": 8}, 20, 1),
    "full": Profile("full", (800, 100, 200), {}, 10, 2),
}


def profile(name: str) -> Profile:
    """Return a profile by name.

    Raises:
        XmrError: there is none of that name.
    """
    if name not in PROFILES:
        raise XmrError(f"profile {name!r} is unknown; there are {', '.join(PROFILES)}")
    return PROFILES[name]
