"""Ranks against a loop that sorts every query's list."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xmr_lib.errors import XmrError
from xmr_lib.metrics import Ranks, ranks_from_similarity, ranks_of_embeddings, rsums_of_fusions, summarise
from xmr_lib.metrics.scores import Scores

WORKED = np.array([[0.9, 0.2, 0.5, 0.1], [0.3, 0.4, 0.8, 0.6]])


def naive_ranks(similarity, owner, optimistic=False):
    """Sort each query's list: by score, then foreign before own (or behind), own items by their number."""
    images, captions = similarity.shape
    foreign_first = 1 if optimistic else -1
    positions, t2i = [0] * captions, [0] * captions
    for image in range(images):
        key = {c: (-similarity[image, c], 0 if owner[c] == image else foreign_first, c) for c in range(captions)}
        for place, caption in enumerate(sorted(key, key=key.get), start=1):
            if owner[caption] == image:
                positions[caption] = place
    for caption in range(captions):
        key = {i: (-similarity[i, caption], 0 if i == owner[caption] else foreign_first) for i in range(images)}
        t2i[caption] = sorted(key, key=key.get).index(owner[caption]) + 1
    return positions, t2i


def owners(counts, seed):
    return np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))


def same(one, other):
    np.testing.assert_array_equal(one.i2t_positions, other.i2t_positions)
    np.testing.assert_array_equal(one.t2i, other.t2i)


@st.composite
def problems(draw):
    """Few distinct scores (ties), 1 … 9 captions per image, not grouped."""
    owner = owners(draw(st.lists(st.integers(1, 9), min_size=1, max_size=6)), draw(st.integers(0, 99)))
    levels = draw(st.sampled_from([1, 2, 4, 1000]))
    scores = draw(st.integers(0, 10**6).map(np.random.default_rng)).integers(0, levels, (owner.max() + 1, len(owner)))
    return scores.astype(draw(st.sampled_from([np.float32, np.float64]))) / 8, owner


@settings(max_examples=150, deadline=None)
@given(problem=problems(), optimistic=st.booleans())
def test_ranks_agree_with_sorting(problem, optimistic):
    similarity, owner = problem
    result = ranks_from_similarity(similarity, owner, optimistic)
    positions, t2i = naive_ranks(similarity, owner, optimistic)
    assert result.i2t_positions.tolist() == positions
    assert result.t2i.tolist() == t2i
    assert result.i2t.tolist() == [
        min(p for p, o in zip(positions, owner, strict=True) if o == i) for i in range(len(similarity))
    ]


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=7),
    seed=st.integers(0, 10**6),
    block=st.sampled_from([1, 2, 3, 5, 1024]),
    distance=st.sampled_from(["dot", "euclidean"]),
    optimistic=st.booleans(),
)
def test_embeddings_of_small_integers_tie_exactly(counts, seed, block, distance, optimistic):
    rng = np.random.default_rng(seed)
    owner = owners(counts, seed)
    images = rng.integers(-2, 3, (len(counts), 3)).astype(np.float32)
    captions = rng.integers(-2, 3, (len(owner), 3)).astype(np.float32)
    dense = images @ captions.T
    if distance == "euclidean":
        dense = -((images[:, None] - captions[None]) ** 2).sum(-1)
    blocks = ranks_of_embeddings(images, captions, owner, distance, block, optimistic)
    same(blocks, ranks_from_similarity(dense, owner, optimistic))


@pytest.mark.parametrize("distance", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("block", [1, 7, 40, 1000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_equal_the_dense_matrix(distance, block, dtype):
    rng = np.random.default_rng(3)
    owner = owners(rng.integers(1, 10, 40), 3)
    images = (rng.normal(size=(40, 16)) * rng.uniform(0.5, 2, (40, 1))).astype(dtype)
    captions = (rng.normal(size=(len(owner), 16)) + images[owner]).astype(dtype)
    one, other = images.astype(float), captions.astype(float)
    dense = {
        "dot": lambda: one @ other.T,
        "cosine": lambda: one @ other.T / np.outer(np.linalg.norm(one, axis=1), np.linalg.norm(other, axis=1)),
        "euclidean": lambda: -np.linalg.norm(one[:, None] - other[None], axis=-1),
    }[distance]()
    same(ranks_of_embeddings(images, captions, owner, distance, block), ranks_from_similarity(dense, owner))


@pytest.mark.parametrize("distance", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize("noise", [0.0, 1e-8, 1e-7, 1e-5, 1.0])
@pytest.mark.parametrize("optimistic", [False, True])
def test_what_single_precision_cannot_tell_is_told_by_double(distance, noise, optimistic):
    """Scores that differ in the last bits, or not at all, or are far apart; lengths of very different sizes."""
    rng = np.random.default_rng(7)
    owner = owners(rng.integers(1, 4, 300), 7)
    few = rng.normal(size=(12, 48)) * rng.choice([1e-3, 1, 50], (12, 1))
    images = few[rng.integers(0, 12, 300)] + noise * rng.normal(size=(300, 48))
    captions = images[owner] + noise * rng.normal(size=(len(owner), 48))
    images, captions = images.astype(np.float32), captions.astype(np.float32)
    scores = Scores(images, captions, distance)
    every = np.indices((300, len(owner))).reshape(2, -1)
    dense = scores.pairs(*every).reshape(300, len(owner))
    found = ranks_of_embeddings(images, captions, owner, distance, 128, optimistic)
    same(found, ranks_from_similarity(dense, owner, optimistic))


def test_numbers_that_single_precision_cannot_hold_are_ranked_in_double():
    rng = np.random.default_rng(2)
    images, captions = rng.normal(size=(20, 8)) * 1e30, rng.normal(size=(40, 8))
    owner = np.repeat(np.arange(20), 2)
    plain = ranks_of_embeddings(images / 1e30, captions, owner, "dot")
    same(ranks_of_embeddings(images, captions, owner, "dot"), plain)


def test_worked_example():
    result = ranks_from_similarity(WORKED, np.array([0, 0, 1, 1]))
    assert result.i2t_positions.tolist() == [1, 3, 1, 2]
    assert result.t2i.tolist() == [1, 2, 1, 1]
    assert result.i2t.tolist() == [1, 1]
    assert result.images == 2


def test_numbering_of_captions_does_not_matter():
    rng = np.random.default_rng(5)
    owner = np.repeat(np.arange(6), rng.integers(1, 10, 6))
    similarity = rng.normal(size=(6, len(owner)))
    shuffle = rng.permutation(len(owner))
    straight, mixed = (
        ranks_from_similarity(similarity, owner),
        ranks_from_similarity(similarity[:, shuffle], owner[shuffle]),
    )
    same(Ranks(straight.i2t_positions[shuffle], straight.t2i[shuffle], owner[shuffle]), mixed)


@pytest.mark.parametrize("distance", ["cosine", "dot", "euclidean"])
@pytest.mark.parametrize(("images", "captions", "embed"), [(5, 2, 512), (7, 5, 100), (33, 5, 64), (301, 1, 17)])
def test_a_collapsed_model_gets_the_worst_ranks(distance, images, captions, embed):
    """Also from embeddings, where a matrix product may round equal rows differently."""
    rng = np.random.default_rng(embed)
    owner = np.repeat(np.arange(images), captions)
    collapsed = [np.tile(rng.normal(size=embed).astype(np.float32), (n, 1)) for n in (images, len(owner))]
    for result in (
        ranks_of_embeddings(*collapsed, owner, distance),
        ranks_from_similarity(np.full((images, len(owner)), 0.3), owner),
    ):
        assert (result.t2i == images).all()
        assert (result.i2t == len(owner) - captions + 1).all()
    assert (ranks_of_embeddings(*collapsed, owner, distance, optimistic=True).i2t == 1).all()


@pytest.mark.parametrize("distance", ["cosine", "dot", "euclidean"])
def test_a_block_run_never_holds_more_than_blocks(distance):
    """The dense matrix would take 24 MB in single precision, 48 MB in double."""
    rng = np.random.default_rng(0)
    owner = rng.permutation(np.repeat(np.arange(1000), 6))
    images, captions = (rng.normal(size=(n, 4)).astype(np.float32) for n in (1000, 6000))
    tracemalloc.start()
    ranks_of_embeddings(images, captions, owner, distance, block=64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A block of queries by the whole gallery, in double precision, with a copy in single and two masks.
    assert peak < 64 * 6000 * 14


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad):
    similarity = WORKED.copy()
    similarity[1, 2] = bad
    with pytest.raises(XmrError, match="first that of image 1 with caption 2") as error:
        ranks_from_similarity(similarity, np.array([0, 0, 1, 1]))
    assert "\n" not in str(error.value)
    embeddings = np.array([[1.0, 2.0], [bad, 1.0]])
    with pytest.raises(XmrError, match="not finite"):
        ranks_of_embeddings(embeddings, np.ones((2, 2)), np.array([0, 1]), "dot")


@pytest.mark.parametrize(
    ("owner", "message"),
    [
        ([0, 0, 0, 0], "image 1 has no caption"),
        ([1, 1, 1, 1], "image 0 has no caption"),
        ([0, 0, 1, 2], "outside 0 … 1"),
        ([0, 0, 1, -1], "outside 0 … 1"),
    ],
)
def test_owners_that_cannot_be_are_refused(owner, message):
    with pytest.raises(XmrError, match=message):
        ranks_from_similarity(WORKED, np.array(owner))


def test_wrong_shapes_are_refused():
    with pytest.raises(XmrError, match="4 captions were scored, but 3 have an image"):
        ranks_from_similarity(WORKED, np.array([0, 0, 1]))
    with pytest.raises(XmrError, match="2 captions were scored, but 3 have an image"):
        ranks_of_embeddings(np.eye(2), np.eye(2), np.array([0, 1, 1]))
    with pytest.raises(XmrError, match="0 captions were scored"):
        ranks_from_similarity(np.zeros((0, 0)), np.zeros(0, dtype=int))


def test_an_unknown_measure_is_refused():
    with pytest.raises(XmrError, match="'manhattan' is unknown; there are cosine, dot, euclidean"):
        ranks_of_embeddings(np.eye(2), np.eye(2), np.array([0, 1]), "manhattan")


def fused_one_by_one(members, weightings, owner) -> list[float]:
    """Each weighting's own ranking of all pairs."""
    units = [[own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-30) for own in pair] for pair in members]
    cosines = [(x @ y.T).astype(np.float32) for x, y in units]
    fusions = (sum(np.float32(w) * own for w, own in zip(weights, cosines, strict=True)) for weights in weightings)
    return [summarise(ranks_from_similarity(fusion, owner))["rsum"] for fusion in fusions]


@pytest.mark.parametrize("block", [1024, 7])
@pytest.mark.parametrize("signal", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("count", [1, 2, 4])
def test_rsums_of_fusions_are_those_of_ranking_all_pairs(block, signal, count):
    rng = np.random.default_rng(count)
    owner = owners(rng.integers(1, 6, 40), 0)
    members = []
    for dim in (3, 8, 5, 4)[:count]:
        x = rng.normal(size=(40, dim))
        # On a coarse grid, so that many cosines are the same; and the same item again and again.
        pair = x.round(), (signal * x[owner] + rng.normal(size=(len(owner), dim))).round()
        pair[0][5:8], pair[1][10:20] = pair[0][4], pair[1][9]
        members.append(pair)
    weightings = [own for own in itertools.product((0.0, 0.1, 0.3, 0.7, 1.0), repeat=count) if sum(own)]
    assert rsums_of_fusions(members, weightings, owner, block) == fused_one_by_one(members, weightings, owner)


def test_fusions_of_members_that_tell_nothing_apart_have_no_hits():
    owner = np.repeat(np.arange(20), 2)
    same_for_all = np.ones((20, 3)), np.ones((40, 3))
    assert rsums_of_fusions([same_for_all, same_for_all], [[0.5, 0.5], [0.3, 0.7]], owner) == [0.0, 0.0]


def test_a_member_that_diverged_is_named():
    good, bad = (np.ones((2, 3)), np.ones((2, 3))), (np.ones((2, 3)), np.full((2, 3), np.nan))
    with pytest.raises(XmrError, match="cosines of member 1 are not finite"):
        rsums_of_fusions([good, bad], [[0.5, 0.5]], np.array([0, 1]))


def test_fusions_hold_no_whole_matrix():
    rng = np.random.default_rng(0)
    owner = np.repeat(np.arange(2000), 5)
    members = [
        (rng.normal(size=(2000, 16)).astype(np.float32), rng.normal(size=(10_000, 16)).astype(np.float32))
        for _ in range(2)
    ]
    tracemalloc.start()
    rsums_of_fusions(members, [[0.5, 0.5], [1.0, 0.0]], owner, block=256)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # One matrix of cosines has 80 MB.
    assert peak < 20e6
