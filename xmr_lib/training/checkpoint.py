"""One file a run that holds all a run needs to go on: safetensors, written whole or not at all."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ..config import Config
from ..errors import XmrError
from ..paths import atomic_write


def save_checkpoint(
    path: Path,
    identity: dict,
    modules: nn.Module,
    optimiser: torch.optim.Optimizer,
    history: dict,
    best: dict[str, Tensor],
) -> None:
    """Write the modules, the optimiser's state and the best model so far; ``history`` and ``identity`` as JSON."""
    tensors = {f"now.{name}": tensor for name, tensor in modules.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
    for index, state in optimiser.state_dict()["state"].items():
        tensors |= {f"optimiser.{index}.{name}": tensor for name, tensor in state.items()}
    # Convolutions leave their optimiser's state in another order of axes, which safetensors refuses.
    tensors = {name: tensor.contiguous() for name, tensor in tensors.items()}
    with atomic_write(path) as temporary:
        save_file(tensors, temporary, {"identity": json.dumps(identity), "history": json.dumps(history)})


def load_checkpoint(
    path: Path, identity: dict, modules: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[dict, dict[str, Tensor]] | None:
    """Go on from a file, if it is there; return its history and its best model.

    Raises:
        XmrError: the file is damaged, or belongs to a run with another config or other data.
    """
    if not path.is_file():
        return None
    metadata, tensors = _read(path, identity)
    modules.load_state_dict(_with_prefix(tensors, "now."))
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _with_prefix(tensors, "optimiser.").items():
        index, key = name.split(".")
        state.setdefault(int(index), {})[key] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
    return json.loads(metadata["history"]), _with_prefix(tensors, "best.")


def _read(path: Path, identity: dict) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except SafetensorError as error:
        raise XmrError(f"{path}: not a checkpoint that can be read ({error}); delete it and train again") from None
    found = json.loads(metadata.get("identity", "{}"))
    if "config" in found:
        # A field that came after the checkpoint was made has the default, which changes nothing.
        found["config"] = Config.from_dict(found["config"]).to_dict()
    found = _flat(found)
    for key, value in _flat(json.loads(json.dumps(identity))).items():
        if found.get(key) != value:
            raise XmrError(
                f"{path}: this checkpoint was made with {key} = {found.get(key)!r}, not {value!r}; "
                "give the run another name or delete the file"
            )
    return metadata, tensors


def _flat(values: dict, prefix: str = "") -> dict[str, object]:
    """Name the values within dictionaries like ``config.epochs``, so that one that differs can be told alone."""
    flat: dict[str, object] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
