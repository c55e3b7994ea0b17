"""``FeatureSpec``: which features; the only place that reads and prints their slugs."""

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote

from ..errors import XmrError
from ..provenance import Provenance
from ..registry import Registry

ENCODERS: Registry[type] = Registry("feature")
"""Name → class of an encoder (see ``encoders.base``)."""
_LAYERS = re.compile(r"@\d{1,3}(-\d{1,3})?$")
JOIN = "+"
"""Between the slugs of several kinds of features in a table."""


LONGEST = 120
"""Characters of a folder's name, before a hash takes the place of the rest."""


@dataclass(frozen=True)
class FeatureSpec:
    """One kind of features: an encoder, and what is taken of it.

    Slugs: ``effnet-lite0``, ``effnet-lite0-grid`` (an output by name), ``effnet-lite0@15`` (behind a block),
    ``minilm@4-6`` (the mean of layers), ``bert:NAME_OR_FOLDER@11`` (a source of the user's),
    ``clip-image-patches:NAME_OR_FOLDER`` (both).
    """

    encoder: str
    """Name that the encoder is registered under."""
    output: str = ""
    """One of the encoder's outputs; empty: its first."""
    layers: tuple[int, ...] = ()
    """Layers or the block behind which the features are taken; empty: the end of the network."""
    source: str = ""
    """Name or folder of weights that the user brings, of an encoder that asks for one."""

    def __post_init__(self) -> None:
        encoder = ENCODERS[self.encoder]
        if self.output and self.output not in encoder.outputs:
            raise XmrError(f"features {self.slug!r}: {self.encoder} has no output {self.output!r}")
        if bool(self.source) != encoder.asks_for_source:
            raise XmrError(
                f"features {self.slug!r}: "
                + (f"name the weights, {self.encoder}:NAME_OR_FOLDER" if not self.source else "takes no source")
            )
        if JOIN in self.source or self.source != self.source.strip() or _LAYERS.search(self.source):
            raise XmrError(
                f"features {self.slug!r}: a name with {JOIN!r}, with blanks at its ends or ending in '@NUMBER' can't "
                "be told from the rest; give the folder another name"
            )
        encoder.check_layers(self)

    @classmethod
    def parse(cls, slug: str) -> "FeatureSpec":
        """Read a slug.

        Raises:
            XmrError: no such features, or no such layers.
        """
        slug = slug.strip()
        name, _, wanted = slug.rpartition("@") if _LAYERS.search(slug) else (slug, "", "")
        head, _, source = name.partition(":")
        first, _, last = wanted.partition("-")
        layers = tuple(range(int(first), int(last or first) + 1)) if wanted else ()
        if wanted and not layers:
            raise XmrError(f"features {slug!r}: layers are told as @4 or @4-6, the lower one first")
        if head in ENCODERS:
            return cls(head, "", layers, source)
        stem, dash, output = head.rpartition("-")
        if dash and stem in ENCODERS and output in ENCODERS[stem].outputs[1:]:
            return cls(stem, output, layers, source)
        ENCODERS[head]  # raises, with the list of what there is
        raise AssertionError

    @classmethod
    def parse_several(cls, slugs: str) -> "tuple[FeatureSpec, ...]":
        """Read slugs that are joined by ``+``."""
        return tuple(map(cls.parse, slugs.split(JOIN)))

    @property
    def slug(self) -> str:
        """What people type and what stands in tables."""
        output = f"-{self.output}" if self.output else ""
        source = f":{self.source}" if self.source else ""
        layers = "-".join(map(str, dict.fromkeys((self.layers[0], self.layers[-1])))) if self.layers else ""
        return f"{self.encoder}{output}{source}{'@' if layers else ''}{layers}"

    @property
    def folder(self) -> str:
        """A name for a folder that is legal on every system, however long the path of a source is."""
        name = quote(self.slug, safe="@-_.+")
        name = name[:-1] + "%2E" if name.endswith(".") else name
        return name if len(name) <= LONGEST else f"{name[:LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"

    @property
    def modality(self) -> str:
        return ENCODERS[self.encoder].modality

    @property
    def yields(self) -> str:
        """``vector`` (one per item), ``rows`` (several, ragged) or ``map`` (of a network that was cut in two)."""
        return ENCODERS[self.encoder].yields(self)

    @property
    def space(self) -> str:
        """The space that these vectors share with those of the other modality; empty where they share none."""
        return ENCODERS[self.encoder].space(self)

    @property
    def provenance(self) -> Provenance:
        return ENCODERS[self.encoder].provenance_of(self)

    def __str__(self) -> str:
        return self.slug


def join_slugs(specs: "tuple[FeatureSpec, ...]") -> str:
    """Return what ``parse_several`` reads."""
    return JOIN.join(spec.slug for spec in specs)
