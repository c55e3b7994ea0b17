"""On what a number was made."""

import platform
from importlib.metadata import version
from pathlib import Path

import torch

from ..runtime import Runtime

LIBRARIES = ("torch", "numpy", "scipy", "gensim", "safetensors")


def machine(runtime: Runtime) -> dict[str, object]:
    """Return processor, device, threads and the versions that decide numbers."""
    return {
        "device": runtime.name,
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "system": platform.system(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
