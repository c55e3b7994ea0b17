"""The nearest items against sorting."""

import numpy as np
import pytest

from xmr_lib.errors import XmrError
from xmr_lib.search import nearest

RNG = np.random.default_rng(0)
QUERIES, GALLERY = RNG.normal(size=(6, 8)), RNG.normal(size=(20, 8))


def naive_similarity(query, item, distance):
    if distance == "euclidean":
        return -float(np.sqrt(sum((q - g) ** 2 for q, g in zip(query, item, strict=True))))
    return float(query @ item / np.sqrt((query @ query) * (item @ item)))


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("count", [1, 7, 20, 99])
def test_nearest_agrees_with_sorting(distance, count):
    found, values = nearest(QUERIES, GALLERY, count, distance)
    for query, places, similarities in zip(QUERIES, found, values, strict=True):
        table = [(naive_similarity(query, item, distance), i) for i, item in enumerate(GALLERY)]
        expected = sorted(table, reverse=True)[:count]
        assert places.tolist() == [i for _, i in expected]
        assert similarities == pytest.approx([value for value, _ in expected])


def test_many_queries_are_searched_in_blocks_and_stay_in_order():
    queries = np.random.default_rng(1).normal(size=(2500, 8)).astype(np.float32)
    found, values = nearest(queries, GALLERY.astype(np.float32), 3)
    assert found.shape == values.shape == (2500, 3)
    for i in (0, 1023, 1024, 2499):
        assert found[i].tolist() == nearest(queries[i : i + 1], GALLERY.astype(np.float32), 3)[0][0].tolist()


def test_an_item_finds_itself():
    found, values = nearest(GALLERY, GALLERY, 1, "euclidean")
    assert found[:, 0].tolist() == list(range(20))
    assert values == pytest.approx(0, abs=1e-5)


def test_an_unknown_measure_is_refused():
    with pytest.raises(XmrError, match="'dot' is unknown; there are cosine, euclidean"):
        nearest(QUERIES, GALLERY, 1, "dot")
