"""What networks from Hugging Face were trained on: by their names, or by the card beside their weights."""

import re
from collections.abc import Callable
from pathlib import Path

import yaml

from ..provenance import UNKNOWN, Provenance


def known_by_name(source: str, names: tuple[tuple[str, Provenance], ...]) -> Provenance | None:
    """Return what is known of a name: of the first pattern that fits all of it, capitals or not; None if none does.

    Hugging Face prefers a folder of such a name to the network that is known by it, and nobody knows a folder.
    """
    if Path(source).is_dir():
        return None
    return next((known for pattern, known in names if re.fullmatch(pattern, source, re.IGNORECASE)), None)


def provenance_by_card(source: str, learned: Callable[[str], tuple[str, ...]] = lambda base: (UNKNOWN,)) -> Provenance:
    """Return what the card in a folder lists; ``unknown`` where there is none, or it says nothing.

    Args:
        learned: what a network of this name was trained on: what another was made from has taught it too.
    """
    listed, bases = _told_by(Path(source) / "README.md")
    if not listed:
        return Provenance(
            (UNKNOWN,), note=f"{source}: nobody says what it was trained on; it may have seen the test captions"
        )
    for base in bases:
        listed += learned(base)
    made_from = f", made from {', '.join(bases)}" if bases else ""
    return Provenance(listed, note=f"{source}: trained on {', '.join(listed)}{made_from}, says its card")


def _told_by(model_card: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return ``datasets`` and ``base_model`` in the head of a model card, if there is one."""
    if not model_card.is_file():
        return (), ()
    head = model_card.read_text("utf-8", "replace").split("---")
    try:
        facts = yaml.safe_load(head[1]) if len(head) > 2 and not head[0].strip() else None
    except yaml.YAMLError:
        facts = None
    if not isinstance(facts, dict):
        return (), ()
    listed, bases = facts.get("datasets"), facts.get("base_model")
    bases = [bases] if isinstance(bases, str) else bases
    found = (tuple(map(str, names)) if isinstance(names, list) else () for names in (listed, bases))
    return next(found), next(found)
