"""Networks that Hugging Face's hub publishes: fetched by its own library, into its own cache."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, constants, snapshot_download, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoSibling
from huggingface_hub.utils import enable_progress_bars, validate_repo_id

from ..errors import XmrError
from ..weights import digest_of
from .base import Pretrained
from .consent import check_online, consent
from .fetch import disk_error

WEIGHTS = (
    re.compile(r"model(?:-\d+-of-(\d+))?\.safetensors"),
    re.compile(r"pytorch_model(?:-\d+-of-(\d+))?\.bin"),
)
"""Files of weights, whole or in so many parts; the second kind is taken where there is none of the first."""
BESIDE = re.compile(r"[^/]*\.(json|txt|model)")
"""Config, vocabulary and the like: of the top folder alone, below it are other formats."""


@dataclass(frozen=True)
class HubWeights(Pretrained):
    """A network of Hugging Face's with its config and tokenizer."""

    repo: str
    """Name there, ``bert-base-uncased`` or ``openai/clip-vit-base-patch32``; or a folder that is laid out like one."""

    @property
    def aliases(self) -> tuple[str, ...]:
        return (self.repo,)

    @property
    def origin(self) -> str:
        return "Hugging Face"

    @property
    def can_be_fetched(self) -> bool:
        """Whether the hub could have a network of this name at all."""
        try:
            validate_repo_id(self.repo)
        except HFValidationError:
            return False
        return not Path(self.repo).is_dir()

    def path(self) -> Path | None:
        # transformers, too, prefers a folder of such a name.
        if Path(self.repo).is_dir():
            return Path(self.repo)
        config = try_to_load_from_cache(self.repo, "config.json") if self.can_be_fetched else None
        # Weights are fetched last: where they are, all is.
        return Path(config).parent if isinstance(config, str) and _whole(Path(config).parent) else None

    def bytes_to_fetch(self) -> int:
        check_online(self.name)
        with self._told_in_one_line():
            missing = [file for file in self._files() if not self._cached(file.rfilename)]
        return sum(file.size or 0 for file in missing)

    def get(self) -> Path:
        if path := self.path():
            return path
        check_online(self.name)
        with self._told_in_one_line():
            files = self._files()
            # In a notebook, loading a network has switched them off.
            enable_progress_bars()
            for weights in (False, True):
                names = [file.rfilename for file in files if _is_weights(file.rfilename) == weights]
                folder = snapshot_download(self.repo, allow_patterns=names)
            for file in files:
                _check(self.name, Path(folder) / file.rfilename, file)
        return Path(folder)

    def fetch_with_consent(self) -> None:
        """Download them if they are missing and that is allowed.

        Raises:
            XmrError: see ``get``.
        """
        if consent() and self.can_be_fetched and self.path() is None:
            self.get()

    def _cached(self, file: str) -> bool:
        return isinstance(try_to_load_from_cache(self.repo, file), str)

    def _files(self) -> list[RepoSibling]:
        """Ask the hub for the files that are needed, with sizes and hashes."""
        files = HfApi().model_info(self.repo, files_metadata=True).siblings or []
        kinds = [[file for file in files if kind.fullmatch(file.rfilename)] for kind in WEIGHTS]
        weights = next(filter(None, kinds), [])
        if not weights:
            raise XmrError(f"{self.name}: {self.repo} has no weights on Hugging Face that PyTorch could read")
        return [file for file in files if BESIDE.fullmatch(file.rfilename)] + weights

    @contextmanager
    def _told_in_one_line(self) -> Iterator[None]:
        try:
            yield
        except XmrError:
            raise
        except RepositoryNotFoundError:
            raise XmrError(f"{self.name}: Hugging Face has no {self.repo}, or does not show it to everybody") from None
        # The hub's library has changed its HTTP library twice; what a cut connection raises differs with its version.
        except Exception as error:
            told = f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
            cut = f"Hugging Face can't be reached, or the connection was cut ({told})"
            reason = disk_error(error, constants.HF_HUB_CACHE) or cut
            raise XmrError(f"{self.name}: {reason}; the same command goes on with what is still missing") from None


def _is_weights(file: str) -> bool:
    return any(kind.fullmatch(file) for kind in WEIGHTS)


def _whole(folder: Path) -> bool:
    """Whether a folder has weights, and all their parts."""
    for kind in WEIGHTS:
        parts = [match for file in folder.iterdir() if file.is_file() and (match := kind.fullmatch(file.name))]
        if parts and len(parts) >= int(parts[0][1] or 1):
            return True
    return False


def _check(name: str, file: Path, told: RepoSibling) -> None:
    """Remove a file that is not the one the hub told of: its library counts the bytes and no more."""
    if told.lfs is None or digest_of(file) == told.lfs.sha256:
        return
    file.resolve().unlink()
    file.unlink(missing_ok=True)
    raise XmrError(
        f"{name}: {file.name} came with another SHA-256 than Hugging Face states ({told.lfs.sha256[:16]}…); it was "
        "removed: give the same command again, and if that changes nothing, mistrust the network"
    )
