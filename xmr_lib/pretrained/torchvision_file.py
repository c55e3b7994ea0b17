"""Weights that torchvision publishes: address, hash and size as its own list states them, kept in torch's cache."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import XmrError
from ..weights import Weights, digest_of, from_file_or_torch_cache, torch_cache
from .base import Pretrained
from .consent import check_online, consent
from .fetch import fetch

HASH = re.compile(r"-([0-9a-f]{8,64})\.[a-z]+$")
"""The beginning of a file's SHA-256 at the end of its name, as torch.hub has it."""


@dataclass(frozen=True)
class TorchvisionWeights(Pretrained):
    """A model of torchvision's with one of its published weights."""

    model: str
    """Name of the model there, e.g. ``vgg16``; they can be asked for by it, too."""
    version: str = "IMAGENET1K_V1"
    """Which of the model's weights."""
    variable: str = ""
    """Environment variable that may name a file of the user's; empty: ``XMR_NAME_WEIGHTS``."""

    def __post_init__(self) -> None:
        if not self.variable:
            object.__setattr__(self, "variable", f"XMR_{self.name.replace('-', '_').upper()}_WEIGHTS")

    @property
    def published(self) -> Any:
        """torchvision's own entry, a ``WeightsEnum``: ``url``, ``meta`` (categories, scores), ``transforms``."""
        # Here as elsewhere: what takes a second to import is imported where it is used.
        from torchvision.models import get_model_weights

        return get_model_weights(self.model)[self.version]

    @property
    def file(self) -> str:
        """Name of the file, in torch's cache as on the server."""
        return self.published.url.rsplit("/", 1)[-1]

    @property
    def aliases(self) -> tuple[str, ...]:
        return (self.model,)

    @property
    def origin(self) -> str:
        return f"${self.variable}" if os.environ.get(self.variable) else "torchvision"

    def stated_bytes(self) -> int:
        return round(self.published.meta["_file_size"] * 2**20)

    def bytes_to_fetch(self) -> int:
        check_online(self.name)
        return self.stated_bytes()

    def path(self) -> Path | None:
        named = os.environ.get(self.variable)
        path = Path(named).expanduser() if named else torch_cache() / self.file
        return path if path.is_file() else None

    def get(self) -> Path:
        if named := os.environ.get(self.variable):
            if path := self.path():
                return path
            # What is downloaded would not be looked at.
            raise XmrError(f"{self.name}: {self.variable} names {named}, where no file is; correct it, or unset it")
        cached = torch_cache() / self.file
        [digest] = HASH.findall(self.file)
        if cached.is_file() and digest_of(cached).startswith(digest):
            return cached
        check_online(self.name)
        # What lies there is damaged: its name says which hash it should have.
        cached.unlink(missing_ok=True)
        return fetch(self.published.url, cached, digest, self.name)

    def find(self, file: str | Path | None = None) -> Weights:
        """Find them: in ``file``, in the file that the variable names, or in torch's cache, downloaded with consent.

        Raises:
            XmrError: they are in none of these; the message lists the ways to get them.
        """
        mine = file or os.environ.get(self.variable)
        if not mine and consent() and self.path() is None:
            self.get()
        return from_file_or_torch_cache(self.name, str(file) if file else None, self.file, self.variable)
