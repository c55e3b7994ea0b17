"""Whether anything may be downloaded: only where somebody said so, and never where ``HF_HUB_OFFLINE`` forbids it."""

import os

from huggingface_hub import constants

from ..errors import XmrError

ALLOW = "XMR_ALLOW_DOWNLOAD"
"""Environment variable, so that the kernels of notebooks have it too; ``--allow-download`` sets it."""
YES = ("1", "true", "yes", "on")


def consent() -> bool:
    """Whether weights that are missing may be downloaded where they are first needed."""
    return os.environ.get(ALLOW, "").strip().lower() in YES


def allow_downloads() -> None:
    """Give this consent, to this process and to those that it starts."""
    os.environ[ALLOW] = "1"


def offline() -> bool:
    """Whether ``HF_HUB_OFFLINE`` (or ``TRANSFORMERS_OFFLINE``) is set; read once, as Hugging Face's hub reads it."""
    return constants.HF_HUB_OFFLINE


def check_online(name: str) -> None:
    """Refuse to download weights where it is forbidden; torchvision's files too, though the hub has no part in them.

    Raises:
        XmrError: as said.
    """
    if offline():
        raise XmrError(f"{name}: HF_HUB_OFFLINE forbids every download; unset it and give the same command again")
