"""What networks from Hugging Face were trained on: by their names, or by the card beside their weights."""

import re
from collections.abc import Callable
from pathlib import Path

from ..provenance import UNKNOWN, Provenance, told_by_card


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
    listed, bases = told_by_card(Path(source) / "README.md")
    if not listed:
        return Provenance(
            (UNKNOWN,), note=f"{source}: nobody says what it was trained on; it may have seen the test captions"
        )
    for base in bases:
        listed += learned(base)
    made_from = f", made from {', '.join(bases)}" if bases else ""
    return Provenance(listed, note=f"{source}: trained on {', '.join(listed)}{made_from}, says its card")
