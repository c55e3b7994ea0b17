"""Networks and tokenizers from Hugging Face's cache or a folder: whole, frozen, hashed; downloaded with consent."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from ..errors import XmrError
from ..pretrained import HubWeights, Pretrained
from ..weights import Weights

T = TypeVar("T")
Network, Tokenizer, Processor = nn.Module, Any, Any
"""``PreTrainedModel``, ``PreTrainedTokenizerBase``, ``BaseImageProcessor``: transformers takes seconds to import."""


def folder_or_name(source: Pretrained, folder: str | Path | None = None) -> str:
    """Return where a network is read from: a copy, a package, or Hugging Face's cache, fetched into it with consent.

    Raises:
        XmrError: the package is not installed, or the download failed.
    """
    if folder:
        return str(folder)
    if isinstance(source, HubWeights):
        source.fetch_with_consent()
        return source.repo
    return str(source.find().path.parent)


def load_network(
    source: Pretrained,
    where: str,
    what: str,
    kinds: Sequence[str] | None = None,
    attention: str | None = None,
    unused: tuple[str, ...] = (),
) -> Network:
    """Load a network, frozen, in evaluation mode and single precision.

    Args:
        source: what is asked for.
        where: folder, or name in Hugging Face's cache; see ``folder_or_name``.
        what: what is looked for, in messages: ``BERT``.
        kinds: types of networks that can be read; None: any.
        attention: how it is computed, ``sdpa`` or ``eager``; None: as Hugging Face chooses.
        unused: how the names of parts begin that may be missing because nothing is taken from them.

    Raises:
        XmrError: it is not there, is of no kind that can be read, or its weights are not all there.
    """
    import transformers
    from transformers import AutoConfig, AutoModel

    transformers.utils.logging.disable_progress_bar()
    kind = found_in(source, what, lambda: AutoConfig.from_pretrained(where, local_files_only=True)).model_type
    if kinds is not None and kind not in kinds:
        raise XmrError(f"{_asked(source)}: a network of the kind {kind!r}; what can be read is {', '.join(kinds)}")
    network, told = found_in(
        source,
        what,
        lambda: AutoModel.from_pretrained(
            where,
            local_files_only=True,
            output_loading_info=True,
            # MPNet has no other.
            attn_implementation="eager" if kind == "mpnet" else attention,
            dtype=torch.float32,
        ),
    )
    missing = [key for key in told["missing_keys"] if not key.startswith(unused)]
    # Hugging Face would start them at random, with a warning.
    if missing or told.get("mismatched_keys"):
        wrong = [*missing, *told.get("mismatched_keys", ())]
        raise XmrError(f"{where}: these are not the weights of a {kind}: {len(wrong)} missing ({wrong[0]}, …)")
    return network.requires_grad_(False).eval()


def found_in(source: Pretrained, what: str, load: Callable[[], T]) -> T:
    """Return what ``load`` reads from a folder or the cache.

    Raises:
        XmrError: it can't be read; the message lists the ways to get it.
    """
    try:
        return load()
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = " ".join(str(error).split())[:150]
        known = isinstance(source, HubWeights) and source.can_be_fetched
        command = f"'xmr weights get {source.name}' downloads it (so does --allow-download); or " if known else ""
        raise XmrError(
            f"{_asked(source)}: no {what} that can be loaded without a download ({reason}); {command}give "
            "a folder with its config.json, weights and the like, or put it into Hugging Face's cache"
        ) from None


def weights_of(
    source: Pretrained,
    where: str,
    network: Network,
    tokenizer: Tokenizer | None = None,
    unused: tuple[str, ...] = (),
) -> Weights:
    """Return the files of what was loaded, and the SHA-256 of its values and vocabulary, whatever they were read from.

    Args:
        unused: how the names of parts begin that nothing is taken from: where a file has none they are random.
    """
    from transformers.utils import cached_file

    home = Path(where)
    if not home.is_dir():
        # A name: its files lie in Hugging Face's cache, where they were just read.
        home = Path(cached_file(where, "config.json", local_files_only=True)).parent
    digest = hashlib.sha256()
    for key, tensor in sorted(network.state_dict().items()):
        if not key.startswith(unused):
            digest.update(key.encode() + tensor.numpy().tobytes())
    vocabulary = tokenizer.get_vocab() if tokenizer is not None else {}
    for word, number in sorted(vocabulary.items(), key=lambda item: item[1]):
        digest.update(f"{number} {word}\n".encode("utf-8", "surrogatepass"))
    files = tuple(sorted(file for file in home.glob("*") if file.is_file()))
    return Weights(_asked(source), home, digest.hexdigest(), files)


def _asked(source: Pretrained) -> str:
    """Return the name or folder that people typed."""
    return source.repo if isinstance(source, HubWeights) else source.name


def too_long(tokenizer: Tokenizer, captions: Sequence[str], longest: int) -> int:
    """Return how many captions have more tokens than ``longest``, those that are put around them included."""
    # No token is less than a byte, and there are three around a caption at most: most need no tokenizer.
    doubtful = [caption for caption in captions if len(caption.encode("utf-8", "surrogatepass")) + 3 > longest]
    tokens = tokenizer(doubtful, verbose=False)["input_ids"] if doubtful else []
    return sum(len(ids) > longest for ids in tokens)
