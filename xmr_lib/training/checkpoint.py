"""One file per run that holds all a run needs to go on."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from ..config import read_config
from ..errors import XmrError
from ..records import flat
from ..tensor_file import read_tensors, write_tensors

UNRECORDED = {"precision": "fp32", "processes": 1, "chunk": 0}
"""What checkpoints of older versions do not say."""


@dataclass(frozen=True)
class Checkpoint:
    """Where a run is kept, and what it must have been made by: another one is refused."""

    path: str | Path
    """File to go on from, if it is there, and to write."""
    identity: dict
    """Plain values that JSON can hold: config, data, seed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", Path(self.path))

    def save(
        self, modules: nn.Module, optimiser: torch.optim.Optimizer, history: dict, best: dict[str, Tensor]
    ) -> None:
        """Write the modules as they are and at their best so far, the optimiser's state, the history as JSON."""
        tensors = {f"now.{name}": tensor for name, tensor in modules.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
        for index, state in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{name}": tensor for name, tensor in state.items()}
        facts = {"identity": json.dumps(self.identity), "history": json.dumps(history)}
        write_tensors(self.path, tensors, facts)

    def load(self, modules: nn.Module, optimiser: torch.optim.Optimizer) -> tuple[dict, dict[str, Tensor]] | None:
        """Bring modules and optimiser to where the file ends, if it is there; return its history and its best state.

        Raises:
            XmrError: the file is damaged, or belongs to a run with another config or other data.
        """
        if not self.path.is_file():
            return None
        metadata, tensors = self._read()
        history = json.loads(metadata["history"])
        if "validation" not in history:
            raise XmrError(f"{self.path}: a checkpoint of version 1; delete it and train again")
        try:
            modules.load_state_dict(_with_prefix(tensors, "now."))
        except RuntimeError as error:
            line = str(error).splitlines()[-1].strip()
            raise XmrError(
                f"{self.path}: a checkpoint of other modules ({line:.200}); delete it and train again"
            ) from None
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _with_prefix(tensors, "optimiser.").items():
            index, key = name.split(".")
            state.setdefault(int(index), {})[key] = tensor
        optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
        return history, _with_prefix(tensors, "best.")

    def _read(self) -> tuple[dict[str, str], dict[str, Tensor]]:
        metadata, tensors = read_tensors(self.path, "a checkpoint", "delete it and train again")
        identity = json.loads(metadata.get("identity", "{}"))
        if "config" in identity and "config" in self.identity:
            # A field that came after the checkpoint was made has its default, which changes nothing.
            try:
                identity["config"] = read_config(identity["config"]).to_dict()
            except XmrError as error:
                raise XmrError(f"{self.path}: {error}; delete it and train again") from None
        found = flat(identity)
        for key, value in flat(json.loads(json.dumps(self.identity))).items():
            # A fact of the data that was not recorded then tells nothing; there was one way to compute.
            unrecorded = value if key.startswith("data.") else UNRECORDED.get(key)
            if found.get(key, unrecorded) != value:
                raise XmrError(
                    f"{self.path}: this checkpoint was made with {key} = {found.get(key)!r}, not {value!r}; "
                    "give the run another name or delete the file"
                )
        return metadata, tensors


def _with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
