"""What something has learned from: the track of a model, clean or open, follows from it and is never set by hand."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

TRACKS = ("clean", "transductive", "open")
"""From the best to the worst: nothing seen of the test set; its images without captions; perhaps its captions."""
SEEN_BEFORE = ("flickr30k", "flickr8k", "multi30k", "snli", "allnli", "sick", "stsb")
"""Data sets whose sentences are, or may be, captions of those that this project tests on; blanks, dashes and
capitals make no other name."""
CRAWLED = ("wit400m", "laion", "webli", "datacomp")
"""Pictures with texts as the web has them: nobody can say that no caption of Flickr's photographs is among them."""
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Provenance:
    """Where pretrained weights or vectors come from."""

    trained_on: tuple[str, ...]
    """Data sets, e.g. ``ImageNet-1k``; ``unknown`` where nobody says; empty: nothing was learned."""
    licence: str = ""
    url: str = ""
    note: str = ""
    """What a reader has to know wherever scores are printed."""

    @property
    def track(self) -> str:
        """``open`` where the test set's captions were, or may have been, among the training data."""
        names = [re.sub(r"[\W_]", "", name.lower()) for name in self.trained_on]
        doubtful = (*SEEN_BEFORE, *CRAWLED)
        return "open" if any(n == UNKNOWN or any(seen in n for seen in doubtful) for n in names) else "clean"


def worst_track(tracks: Iterable[str]) -> str:
    """Return the track of a model that learned from several things: the worst of theirs."""
    return max(tracks, key=TRACKS.index, default="clean")


def told_by_card(model_card: str | Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return ``datasets`` and ``base_model`` in the head of a model card, if there is one."""
    model_card = Path(model_card)
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
