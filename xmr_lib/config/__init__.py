"""What a run is: one frozen record, in groups, of everything that can change its numbers."""

from .flat import from_flat
from .groups import (
    Branch,
    CcaConfig,
    DualEncoderConfig,
    EnsembleConfig,
    ImageTower,
    LossConfig,
    MetricLearningConfig,
    OptimiserConfig,
    RunConfig,
    TextBranch,
    TextTower,
)
from .profiles import PROFILES, Profile, profile
from .version1 import read_config

__all__ = [
    "PROFILES",
    "Branch",
    "CcaConfig",
    "DualEncoderConfig",
    "EnsembleConfig",
    "ImageTower",
    "LossConfig",
    "MetricLearningConfig",
    "OptimiserConfig",
    "Profile",
    "RunConfig",
    "TextBranch",
    "TextTower",
    "from_flat",
    "profile",
    "read_config",
]
