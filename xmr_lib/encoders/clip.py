"""What the two sides of CLIP and SigLIP share: one network by name or folder, and what it was trained on."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import XmrError
from ..features.spec import FeatureSpec
from ..networks.clip import Clip, ClipTower, clip_weights, load_clip
from ..pretrained import Pretrained
from ..provenance import Provenance
from .base import Encoder, copy_of_folder, weights_name
from .model_cards import known_by_name, provenance_by_card

CRAWL = (
    "pictures and texts of the web, Flickr's among them: nobody can say that none is a caption of the test set (track: "
    "open)"
)


def _crawled(data: str, licence: str, url: str) -> Provenance:
    return Provenance((data,), licence, url, f"trained on {data}, {CRAWL}")


KNOWN = (
    (r"openai/clip-.*", _crawled("WIT 400M (not published)", "MIT", "https://github.com/openai/CLIP")),
    (r"laion/.*laion2b.*", _crawled("LAION-2B", "MIT", "https://github.com/mlfoundations/open_clip")),
    (r"laion/.*datacomp.*", _crawled("DataComp", "MIT", "https://github.com/mlfoundations/open_clip")),
    (
        r"google/siglip.*",
        _crawled("WebLI (not published)", "Apache 2.0", "https://github.com/google-research/big_vision"),
    ),
)
"""Names, as patterns, of networks of which it is known what they were trained on."""
USUAL = (
    *("openai/clip-vit-base-patch32", "openai/clip-vit-large-patch14"),
    *("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "google/siglip-base-patch16-224"),
)
"""Those of them that ``xmr weights`` shows."""


@cache
def provenance_of_clip(source: str) -> Provenance:
    """Return what a CLIP was trained on: by its name or the card in its folder; else ``unknown``."""
    return known_by_name(source, KNOWN) or provenance_by_card(source)


class ClipSide(Encoder):
    """One side; slugs name the network: ``clip-image:NAME_OR_FOLDER``, ``clip-text:NAME_OR_FOLDER``.

    Without more, the projected embedding, one vector. ``@11``: the states behind 11 layers, to train the others on.

    Raises:
        XmrError: the network can't be had, or has no such layer.
    """

    asks_for_source, known_sources = True, USUAL
    folder: Path | None = None
    """Where a copy of the network lies; None: where its name leads."""
    tower: ClipTower

    @classmethod
    def restore(cls, spec: FeatureSpec, folder: str | Path, networks: str | Path | None = None) -> Any:
        made = cls(spec)
        made.folder = copy_of_folder(networks, spec.source)
        return made

    @classmethod
    def pretrained_of(cls, spec: FeatureSpec) -> tuple[Pretrained, ...]:
        return (clip_weights(spec.source),)

    @classmethod
    def check_layers(cls, spec: FeatureSpec) -> None:
        if spec.layers and (spec.output or len(spec.layers) > 1):
            raise XmrError(f"features {spec.slug!r}: states are taken behind one layer, as {spec.encoder}:NAME@11")

    @classmethod
    def yields(cls, spec: FeatureSpec) -> str:
        return "map" if spec.layers else "rows" if spec.output else "vector"

    @classmethod
    def space(cls, spec: FeatureSpec) -> str:
        return f"clip:{spec.source}" if cls.yields(spec) == "vector" else ""

    @classmethod
    def provenance_of(cls, spec: FeatureSpec) -> Provenance:
        return provenance_of_clip(spec.source)

    @property
    def layer(self) -> int | None:
        """The layer behind which the network is cut.

        Raises:
            XmrError: there is none to train behind it.
        """
        if not self.spec.layers:
            return None
        [layer] = self.spec.layers
        if layer >= self.tower.layers:
            raise XmrError(
                f"features {self.spec.slug!r}: it has {self.tower.layers} layers; behind @{layer} none is left to train"
            )
        return layer

    def _load(self) -> Clip:
        clip = load_clip(self.spec.source, self.folder)
        return replace(clip, weights=replace(clip.weights, name=weights_name(self.spec.source)))
