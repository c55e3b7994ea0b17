"""Tensors with facts in one file of safetensors, whole or not at all, and checked when they are read."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from .checksums import crc, of_json
from .errors import XmrError, one_line
from .paths import atomic_write

CHECKSUMS = ("checksum", "checksum_again")
"""Keys of the facts: two, for a bit that flips in one of them must not make the file look like one of an older version,
which has none and is believed."""


def write_tensors(path: str | Path, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
    """Write tensors, from whatever device, and facts.

    Raises:
        XmrError: the file can't be written: the disk is full, the folder can't be written to.
    """
    # Convolutions leave their optimiser's state in another order of axes, which safetensors refuses.
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        with atomic_write(path) as temporary:
            save_file(held, temporary, {**facts, **dict.fromkeys(CHECKSUMS, _checksum(held, facts))})
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise XmrError(f"{path}: can't be written ({reason}); what was there before is as it was") from None


def read_tensors(path: str | Path, what: str, remedy: str) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Return facts and tensors, in memory.

    Args:
        what: it is, in words: "a checkpoint".
        remedy: what to do where it is not: "delete it and train again".

    Raises:
        XmrError: the file can't be read, or a bit of it is not what was written.
    """
    try:
        with safe_open(path, "pt") as file:
            facts = dict(file.metadata() or {})
            # Copies: what is looked at here is what is used, not what the file holds by then.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (not a dict)
    except OSError as error:
        raise XmrError(f"{path}: can't be read ({error.strerror or error})") from None
    except Exception as error:  # a header with a flipped bit makes safetensors raise all kinds
        raise XmrError(f"{path}: not {what} that can be read ({one_line(error)}); {remedy}") from None
    told = {facts.pop(key) for key in CHECKSUMS if key in facts}
    if told and told != {_checksum(tensors, facts)}:
        raise XmrError(f"{path}: not {what} as it was written: its checksum differs; {remedy}")
    return facts, tensors


def is_sealed(path: str | Path) -> bool:
    """Tell whether a file has a checksum."""
    with safe_open(path, "pt") as file:
        return any(key in (file.metadata() or {}) for key in CHECKSUMS)


def _checksum(tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> str:
    found = of_json(dict(facts))
    for name in sorted(tensors):
        tensor = tensors[name]
        found = crc(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), found)
        found = crc(tensor.reshape(-1).view(torch.uint8).numpy(), found)
    return f"{found:08x}"
