"""Files of word vectors made elsewhere: GloVe's text, word2vec's text and binaries, FastText's ``.vec`` and ``.bin``.

gensim reads them; what it would loop over for ever, or make room for, is held against the file's size before.
"""

import itertools
import mmap
import re
import struct
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import XmrError

HEADER = re.compile(rb"\d+ \d+\s*\n")
"""First line of word2vec's files: words, dimensions."""
LOOKED_AT = 1000
"""Lines that tell how many numbers a line has."""
MAGIC = 793712314
"""First number of a FastText ``.bin``."""
SETTINGS = struct.Struct("<2i12id3i2q")
"""What stands before its words: magic, version, 12 settings and a double; words, of which labels, tokens, pruned."""


def read_text(file: str | Path, wanted: set[str]) -> dict[str, np.ndarray]:
    """Return the vectors of some words from a text file: a word, which may hold blanks, and its numbers per line.

    Raises:
        XmrError: the file can't be read, or a line does not fit; the line is told.
    """
    file, found, number, last = Path(file), {}, 0, 0
    try:
        with file.open(encoding="utf-8", newline="\n") as lines:
            first = list(itertools.islice(lines, LOOKED_AT))
            header = bool(first and HEADER.fullmatch(first[0].encode()))
            counts = Counter(line.rstrip().count(" ") for line in first[header:])
            [(dim, _)] = counts.most_common(1) or [(0, 0)]
            if not dim:
                raise ValueError("no word with numbers behind it")
            for number, line in enumerate(itertools.chain(first, lines), start=1):
                if header and number == 1:
                    continue
                word, *numbers = line.rstrip().rsplit(" ", dim)
                last = len(numbers)
                if word in wanted:
                    if len(numbers) < dim:
                        raise ValueError(f"{len(numbers)} numbers behind {word[:40]!r}, where others have {dim}")
                    found[word] = np.array(numbers, dtype=np.float32)
                    if not np.isfinite(found[word]).all():
                        raise ValueError(f"a number of {word[:40]!r} is not finite")
            if last < dim:
                raise ValueError(f"the file is cut off here: {last} numbers, where others have {dim}")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        where = f"line {number}: " if number else ""
        raise XmrError(
            f"{file}: not vectors in GloVe's text format ({where}{reason[:120]}); a line is a word and its numbers"
        ) from None
    return found


@lru_cache(maxsize=1)
def open_vectors(file: str | Path) -> Any:
    """Load a file of vectors as gensim's ``KeyedVectors``.

    ``.bin`` is FastText's (any word has a vector) or word2vec's binary, all else is text.

    Raises:
        XmrError: it is damaged, cut off or something else.
    """
    from gensim.models import KeyedVectors
    from gensim.models.fasttext import load_facebook_vectors

    file = Path(file)
    try:
        if file.suffix != ".bin":
            _check_header(file, bytes_per_number=2)
            return KeyedVectors.load_word2vec_format(str(file))
        with file.open("rb") as opened:
            fasttext = opened.read(4) == struct.pack("<i", MAGIC)
        if fasttext:
            _check_fasttext(file)
            return load_facebook_vectors(str(file))
        _check_header(file, bytes_per_number=4)
        return KeyedVectors.load_word2vec_format(str(file), binary=True)
    except (OSError, ValueError, NotImplementedError, EOFError, AssertionError, struct.error) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise XmrError(
            f"{file}: not vectors that can be read ({reason[:120]}); give a .bin of FastText's or word2vec's, or a .vec"
        ) from None


def _check_header(file: Path, bytes_per_number: int) -> None:
    """Hold the numbers that word2vec's first line promises against the file's size."""
    with file.open("rb") as opened:
        line = opened.readline(100)
    if not HEADER.fullmatch(line):
        raise ValueError("it does not begin with the numbers of its words and dimensions")
    words, dim = map(int, line.split())
    if words * (dim * bytes_per_number + 1) > file.stat().st_size:
        raise ValueError(f"it is cut off: too small for {words} words of {dim} dimensions")


def _check_fasttext(file: Path) -> None:
    """Walk over the words to where the vectors begin, and hold what is due behind them against the file's size."""
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
        _, _, *facts = SETTINGS.unpack_from(content)
        dim, buckets, entries, words, pruned = facts[0], facts[8], facts[13], facts[14], facts[17]
        if min(dim, buckets, entries, words) < 0:
            raise ValueError("its settings are negative numbers")
        place = SETTINGS.size
        for _ in range(entries):
            end = content.find(b"\0", place)
            if end < 0:
                raise ValueError(f"it is cut off within its {entries} words")
            # Behind a word: how often it occurs (8 bytes), and whether it is a label.
            place = end + 10
        due = place + 8 * max(pruned, 0) + 1 + 16 + 4 * dim * (words + buckets)
        # A quantised model is smaller; gensim says that it can't be read.
        if place < len(content) and not content[place + 8 * max(pruned, 0)] and due > len(content):
            raise ValueError(f"it is cut off: {len(content)} bytes where {due} are due")
        if place >= len(content):
            raise ValueError("it is cut off behind its words")
