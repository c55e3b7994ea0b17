"""What training by gradient descent needs of a config: the loss and the optimiser."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator
from torch import nn

from ..losses import LOSSES
from ..registry import settings_of
from .towers import Group, Share


class LossConfig(BaseModel):
    """A registered loss by name; the other fields are the arguments of its class, with their bounds and defaults."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str = "infonce"

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        name = values.get("name", "infonce")
        if not isinstance(name, str):
            raise ValueError(f"a loss has a name, not {name!r}")
        settings = create_model(
            name, __config__=ConfigDict(extra="forbid", allow_inf_nan=False), **settings_of(LOSSES[name])
        )
        return {"name": name, **settings(**{k: v for k, v in values.items() if k != "name"}).model_dump()}

    @property
    def settings(self) -> dict[str, Any]:
        return dict(self.model_extra or {})

    def build(self) -> nn.Module:
        return LOSSES[self.name](**self.settings)

    def __str__(self) -> str:
        """The short name, e.g. ``triplet-hardest``."""
        return "-".join(str(part) for part in (self.name, self.settings.get("negatives")) if part)


class OptimiserConfig(Group):
    """AdamW, linear warm-up and cosine decay."""

    epochs: Annotated[int, Field(ge=1)] = 12
    """Most passes over the captions; the cosine schedule ends there."""
    batch: Annotated[int, Field(ge=2)] = 1024
    """Pairs per step: negatives come from it, so one pair alone has none."""
    learning_rate: Annotated[float, Field(gt=0, le=10)] = 1e-3
    """Peak of the schedule."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-2
    """AdamW's, on weights but not on biases."""
    warmup: Share = 0.05
    """Share of all steps in which the learning rate rises."""
    patience: Annotated[int, Field(ge=1)] = 4
    """Epochs without a better validation score after which training stops."""
