"""What a run is: one frozen record, in groups, of everything that can change its numbers."""

from .flat import from_flat
from .groups import CcaConfig, DualEncoderConfig, EnsembleConfig, MetricLearningConfig, RunConfig, ZeroShotConfig
from .profiles import PROFILES, Profile, profile
from .towers import Branch, ImageTower, TextBranch, TextTower, Tower
from .training import LossConfig, OptimiserConfig
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
    "Tower",
    "ZeroShotConfig",
    "from_flat",
    "profile",
    "read_config",
]
