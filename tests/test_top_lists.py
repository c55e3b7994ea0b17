"""The best items against sorting whole rows, and against the ranks that metrics count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xmr_lib.errors import XmrError
from xmr_lib.metrics import ranks_from_similarity, ranks_of_embeddings
from xmr_lib.metrics.top_lists import top_lists


def problem(seed, images=12, coarse=False):
    """Embeddings whose own pairs are near; ``coarse``: of few values, so that many scores tie."""
    rng = np.random.default_rng(seed)
    owner = np.concatenate([np.arange(images), rng.integers(images, size=2 * images)])
    vectors, captions = rng.normal(size=(images, 6)), rng.normal(size=(3 * images, 6))
    captions += vectors[owner]
    if coarse:
        vectors, captions = np.sign(vectors), np.sign(captions)
    return vectors.astype(np.float32), captions.astype(np.float32), owner


def whole(lists):
    parts = list(lists)
    return [np.concatenate([getattr(part, name) for part in parts]) for name in ("items", "scores", "relevant")]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    coarse=st.booleans(),
    direction=st.sampled_from(["i2t", "t2i"]),
    distance=st.sampled_from(["cosine", "dot", "euclidean"]),
    top=st.sampled_from([1, 4, 12, 99]),
)
def test_lists_are_whole_rows_sorted_and_wrong_items_win_ties(seed, coarse, direction, distance, top):
    images, captions, owner = problem(seed, coarse=coarse)
    items, scores, relevant = whole(top_lists(images, captions, owner, direction, top, distance, block=5))
    similarity = images.astype(float) @ captions.T.astype(float)
    if distance == "cosine":
        lengths = np.linalg.norm(images.astype(float), axis=1), np.linalg.norm(captions.astype(float), axis=1)
        similarity /= np.outer(*lengths)
    if distance == "euclidean":
        similarity = -((images[:, None].astype(float) - captions[None].astype(float)) ** 2).sum(2)
    right = owner[None] == np.arange(len(images))[:, None]
    similarity, right = (similarity, right) if direction == "i2t" else (similarity.T, right.T)
    for query in range(len(similarity)):
        keys = [(-float(similarity[query, i]), bool(right[query, i]), i) for i in range(similarity.shape[1])]
        expected = [i for *_, i in sorted(keys)][:top]
        # Coarse values are whole numbers, which tie exactly; divided by their lengths they tie but for rounding.
        if coarse and distance != "cosine":
            assert items[query].tolist() == expected
        assert scores[query] == pytest.approx(np.sort(similarity[query])[::-1][:top], abs=1e-5)
        assert relevant[query].tolist() == right[query, items[query]].tolist()
        assert (np.diff(scores[query]) <= 0).all() and len(set(items[query])) == len(items[query])


@pytest.mark.parametrize("coarse", [False, True])
def test_a_right_item_stands_at_the_rank_that_is_counted(coarse):
    images, captions, owner = problem(3, 40, coarse)
    ranks = ranks_of_embeddings(images, captions, owner)
    for direction, places in (("i2t", ranks.i2t), ("t2i", ranks.t2i)):
        _, _, relevant = whole(top_lists(images, captions, owner, direction, 1000, block=16))
        assert (relevant.argmax(1) + 1).tolist() == places.tolist()
    items, _, _ = whole(top_lists(images, captions, owner, "i2t", 1000))
    places = [int(np.flatnonzero(items[image] == caption)[0]) + 1 for caption, image in enumerate(owner)]
    assert places == ranks.i2t_positions.tolist()


def test_scores_that_are_all_alike_put_right_items_last():
    alike = np.ones((3, 2), np.float32)
    items, _, _ = whole(top_lists(alike, np.ones((6, 2), np.float32), np.array([0, 0, 1, 1, 2, 2]), "i2t", 6))
    assert items.tolist() == [[2, 3, 4, 5, 0, 1], [0, 1, 4, 5, 2, 3], [0, 1, 2, 3, 4, 5]]
    assert ranks_from_similarity(np.ones((3, 6)), np.array([0, 0, 1, 1, 2, 2])).i2t.tolist() == [5, 5, 5]


def test_bad_input_is_refused():
    images, captions, owner = problem(0)
    for arguments, message in ((("i2t", 0), "at least 1"), (("i2i", 3), "'i2i' is unknown")):
        with pytest.raises(XmrError, match=message):
            top_lists(images, captions, owner, *arguments)
    captions[7, 0] = np.nan
    with pytest.raises(XmrError, match="with caption 7 is not finite"):
        list(top_lists(images, captions, owner, "t2i", 3))
