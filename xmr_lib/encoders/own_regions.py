"""Regions that the user brings: ``regions:FOLDER``, of bottom-up attention's ``.npz`` or SCAN's ``*_ims.npy``."""

from pathlib import Path

import numpy as np

from ..data.captioned import CaptionedImages
from ..errors import XmrError
from ..features.spec import ENCODERS, FeatureSpec
from ..features.store import FeatureStore
from ..provenance import UNKNOWN, Provenance, told_by_card
from ..regions import import_regions
from .base import ImageEncoder


@ENCODERS.register("regions")
class OwnRegions(ImageEncoder):
    """Vectors of regions and their ``BOX_FEATURES``, as they lie in the files (see ``regions``).

    Nobody can know from such files which detector made them: the track is open, unless a model card says what it was
    trained on (``datasets`` at the head of a ``README.md`` beside the files).
    """

    asks_for_source = True
    ragged, dtype = True, "float16"
    of_pictures = False

    @classmethod
    def yields(cls, spec: FeatureSpec) -> str:
        return "rows"

    @classmethod
    def provenance_of(cls, spec: FeatureSpec) -> Provenance:
        listed, bases = told_by_card(Path(spec.source).expanduser() / "README.md")
        if not listed:
            return Provenance((UNKNOWN,), note=f"{spec.source}: nobody says what made these regions was trained on")
        # What the detector was made from has taught it too, and nobody says what that was.
        trained_on = (*listed, *((UNKNOWN,) if bases else ()))
        return Provenance(trained_on, note=f"{spec.source}: trained on {', '.join(trained_on)}, says its card")

    def features(self, pixels: np.ndarray) -> np.ndarray:
        raise XmrError(
            f"{self.spec.slug}: the regions of photographs come from files, no detector for them is here; give their "
            "rows (encode_image_features; regions.read_npz reads them), or train on frcnn-lite0 or frcnn-resnet50"
        )

    def store(self, dataset: CaptionedImages, folder: str | Path, strict: bool = False) -> FeatureStore:
        return import_regions(self.spec.source, dataset, folder, strict)
