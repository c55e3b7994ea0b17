"""Profiles: how large a run is. Everything that a profile changes stands here; the method never depends on it."""

from dataclasses import dataclass

from ..errors import XmrError, listed
from .groups import MetricLearningConfig, RunConfig, Trained


@dataclass(frozen=True)
class Profile:
    """Sizes of data, networks and trainings; scores of two profiles are not comparable. None: as the model says."""

    name: str
    scenes: tuple[int, int, int]
    """Pictures of ``scenes`` to draw for train, val and test."""
    fasttext_epochs: int
    """Passes of self-trained FastText over the training captions."""
    detector_epochs: int
    """Passes of the light Faster R-CNN over the training images."""
    hidden: int | None = None
    """Width of hidden layers, of both towers."""
    embed_dim: int | None = None
    batch: int | None = None
    """Pairs per step: it changes how many negatives there are."""
    epochs: int | None = None
    """The most there may be; a model with fewer keeps its own."""

    def apply(self, config: RunConfig) -> RunConfig:
        """Return a config with this profile's sizes; of CCA and late fusion nothing changes."""
        if not isinstance(config.method, Trained):
            return config
        towers = ("image",) if isinstance(config.method, MetricLearningConfig) else ("image", "text")
        changes = {f"{tower}.hidden": self.hidden for tower in towers}
        changes |= {"embed_dim": self.embed_dim, "optimiser.batch": self.batch}
        if self.epochs is not None:
            changes["optimiser.epochs"] = min(self.epochs, config.method.optimiser.epochs)
        return config.replace(**{path: value for path, value in changes.items() if value is not None})


PROFILES = {
    "smoke": Profile("smoke", (60, 20, 20), 1, 5, hidden=64, embed_dim=32, batch=64, epochs=2),
    "demo": Profile("demo", (800, 100, 200), 20, 1, embed_dim=256, batch=256, epochs=8),
    "full": Profile("full", (800, 100, 200), 10, 2),
}


def profile(name: str) -> Profile:
    """Return a profile by name.

    Raises:
        XmrError: there is none of that name.
    """
    if name not in PROFILES:
        raise XmrError(f"profile {name!r} is unknown; {listed(name, PROFILES)}")
    return PROFILES[name]
