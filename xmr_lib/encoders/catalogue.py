"""The catalogue of pretrained weights: put together from what every registered encoder states of itself."""

from dataclasses import dataclass

from ..errors import XmrError
from ..features.spec import ENCODERS, FeatureSpec
from ..pretrained import HubWeights, Pretrained
from ..provenance import Provenance
from ..registry import load_plugins


@dataclass(frozen=True)
class Entry:
    """One line of the catalogue."""

    pretrained: Pretrained
    provenance: Provenance


def catalogue() -> list[Entry]:
    """Return all weights that an encoder here, or of a plugin, stands on; those of several encoders once."""
    load_plugins()
    found: dict[str, Entry] = {}
    for name, encoder in list(ENCODERS.items()):
        sources = encoder.known_sources if encoder.asks_for_source else ("",)
        for spec in (FeatureSpec(name, source=source) for source in sources):
            for pretrained in encoder.pretrained_of(spec):
                known = {alias for entry in found.values() for alias in _names(entry.pretrained)}
                if known.isdisjoint(_names(pretrained)):
                    found[pretrained.name] = Entry(pretrained, spec.provenance)
    return list(found.values())


def pretrained_named(name: str) -> tuple[Pretrained, ...]:
    """Return the weights that a name stands for: theirs, their publisher's, any of the hub's, the slug of features.

    Raises:
        XmrError: there are none; the message lists what there is.
    """
    for entry in (entries := catalogue()):
        # Without its owner, too, as people call it: clip-vit-base-patch32.
        if name in _names(entry.pretrained) or name in {own.rpartition("/")[2] for own in _names(entry.pretrained)}:
            return (entry.pretrained,)
    hub = HubWeights(name, name)
    if "/" in name and hub.can_be_fetched:
        return (hub,)
    try:
        spec = FeatureSpec.parse(name)
    except XmrError:
        known = ", ".join(entry.pretrained.name for entry in entries)
        raise XmrError(f"weights {name!r} are unknown; there are {known}, and OWNER/NAME of Hugging Face's") from None
    if not (found := ENCODERS[spec.encoder].pretrained_of(spec)):
        raise XmrError(f"{name}: nothing to download: these features have no weights that somebody publishes")
    return found


def _names(pretrained: Pretrained) -> tuple[str, ...]:
    return (pretrained.name, *pretrained.aliases)
