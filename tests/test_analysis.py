"""What lies behind a score: each number against a naive loop, each rule against a case worked out by hand."""

import math

import numpy as np
import pytest
from course_twin import write_course_twin
from hypothesis import given, settings
from hypothesis import strategies as st

from xmr_lib.analysis import (
    chance_shares,
    chosen_cases,
    close_gap,
    find_topics,
    modality_gap,
    project_2d,
    rank_grid,
    rank_shares,
    topic_closeness,
)
from xmr_lib.data import CaptionedImages, read_dataset
from xmr_lib.errors import XmrError
from xmr_lib.metrics import chance_levels


def space(seed=0, images=7, embed=5, apart=1.5):
    """Images and captions, one to three per image, the modalities apart."""
    rng = np.random.default_rng(seed)
    owner = np.repeat(np.arange(images), rng.integers(1, 4, images))
    x = rng.normal(size=(images, embed))
    return x + apart, x[owner] + 0.3 * rng.normal(size=(len(owner), embed)), owner


def captioned(*images: list[str]) -> CaptionedImages:
    """A dataset of images with these captions, all of the training split."""
    captions = [caption for own in images for caption in own]
    return CaptionedImages(
        name="made",
        image_ids=np.arange(len(images)),
        filenames=tuple(f"{i}.jpg" for i in range(len(images))),
        raw=tuple(captions),
        tokens=tuple(tuple(caption.split()) for caption in captions),
        caption_ids=np.arange(len(captions)),
        image_of_caption=np.repeat(np.arange(len(images)), [len(own) for own in images]),
        splits={"train": np.arange(len(images))},
        split_source="layout",
        layout="made",
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_gap_is_that_of_a_loop_over_pairs(seed):
    x, y, owner = space(seed)
    found = modality_gap(x, y, owner)
    pairs = [(x[i], y[c]) for c, i in enumerate(owner)]
    means = [sum(side) / len(pairs) for side in zip(*pairs, strict=True)]
    assert found.gap == pytest.approx(math.dist(*means))
    assert found.pair_distance == pytest.approx(math.sqrt(np.mean([math.dist(*pair) ** 2 for pair in pairs])))
    others = [math.dist(a, b) ** 2 for a, _ in pairs for _, b in pairs]
    assert found.other_distance == pytest.approx(math.sqrt(np.mean(others)))
    # The share is exact: what is left when each modality is moved to its own mean is the rest.
    rest = np.mean([math.dist(a - means[0], b - means[1]) ** 2 for a, b in pairs])
    assert found.share == pytest.approx(1 - rest / found.pair_distance**2)


def test_the_worked_example_of_the_gap():
    found = modality_gap(np.eye(2), np.array([[3.0, 0.0], [2.0, 1.0]]), np.array([0, 1]))
    assert (found.gap, found.pair_distance, found.share) == pytest.approx((2, 2, 1))
    assert found.other_distance == pytest.approx(math.sqrt(5))


def test_a_gap_is_closed_widened_or_left():
    x, y, owner = space()
    same = close_gap(x, y, owner, 0.0)
    np.testing.assert_allclose(same[0], x / np.linalg.norm(x, axis=1, keepdims=True))
    np.testing.assert_allclose(same[1], y / np.linalg.norm(y, axis=1, keepdims=True))
    gaps = [modality_gap(*close_gap(x, y, owner, share), owner).gap for share in (-1.0, 0.0, 0.5, 1.0)]
    assert gaps == sorted(gaps, reverse=True) and gaps[-1] < 0.2 * gaps[1]
    # Before they are put back onto the sphere, the means lie on each other.
    step = (x[owner].mean(0) - y.mean(0)) / 2
    np.testing.assert_allclose((x - step)[owner].mean(0), (y + step).mean(0))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=50))
def test_shares_are_those_of_a_loop(ranks):
    places = rank_grid(60)
    found = rank_shares(np.array(ranks), places)
    assert list(found) == pytest.approx([sum(rank <= place for rank in ranks) / len(ranks) for place in places])
    assert found[-1] == 1 and (np.diff(found) >= 0).all()


@pytest.mark.parametrize("items", [1, 5, 10, 11, 200, 5000])
def test_the_grid_has_the_first_ten_places_and_the_last(items):
    grid = rank_grid(items)
    assert set(range(1, min(items, 10) + 1)) <= set(grid.tolist()) and grid[-1] == items
    assert (np.diff(grid) > 0).all() and len(grid) < 50


def test_chance_is_that_of_the_table_and_of_a_simulation():
    owner = np.repeat(np.arange(12), [1, 5, 2, 5, 5, 3, 5, 5, 5, 1, 5, 5])
    levels, places = chance_levels(owner), np.array([1, 5, 10, len(owner)])
    for direction in ("i2t", "t2i"):
        shares = chance_shares(owner, direction, places)
        assert list(100 * shares[:3]) == pytest.approx([levels[f"{direction}_r{k}"] for k in (1, 5, 10)])
        assert shares[-1] == 1
    rng = np.random.default_rng(0)
    firsts = [np.flatnonzero(rng.permutation(owner) == image)[0] + 1 for _ in range(1500) for image in range(12)]
    expected = rank_shares(np.array(firsts), np.arange(1, len(owner) + 1))
    found = chance_shares(owner, "i2t", np.arange(1, len(owner) + 1))
    assert np.abs(found - expected).max() < 0.015
    with pytest.raises(XmrError, match="direction 'both' is unknown"):
        chance_shares(owner, "both", places)


def test_cases_are_the_best_the_median_and_the_worst():
    ranks = np.array([1, 7, 1, 3, 40])
    chosen = {seed: chosen_cases(ranks, seed) for seed in range(30)}
    assert all(list(own["typical"]) == [3] and list(own["worst"]) == [4] for own in chosen.values())
    # Two queries are equally good: the seed decides, and every seed decides the same way twice.
    assert {int(own["best"][0]) for own in chosen.values()} == {0, 2}
    assert all(np.array_equal(chosen_cases(ranks, seed)["best"], own["best"]) for seed, own in chosen.items())


def test_no_query_is_chosen_twice_even_if_all_ranks_are_equal():
    chosen = chosen_cases(np.ones(9, dtype=int), count=2)
    queries = np.concatenate(list(chosen.values()))
    assert len(queries) == len(set(queries.tolist())) == 6


@pytest.mark.parametrize("method", ["tsne", "umap"])
def test_a_map_keeps_neighbours_together_and_is_the_same_for_a_seed(method):
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(3), 30)
    points = (10 * np.eye(3, 60)[clusters] + rng.normal(size=(90, 60))).astype(np.float32)
    flat = project_2d(points, method, 3)
    assert np.array_equal(flat, project_2d(points, method, 3))
    # t-SNE starts from the first two principal components: it needs no chance.
    assert np.array_equal(flat, project_2d(points, method, 4)) == (method == "tsne")
    assert flat.min() >= 0 and flat.max() <= 1 and np.ptp(flat, axis=0).max() == pytest.approx(1)
    distances = np.linalg.norm(flat[:, None] - flat, axis=-1)
    np.fill_diagonal(distances, np.inf)
    assert (clusters[distances.argmin(1)] == clusters).mean() > 0.95


def test_maps_say_what_they_can_not_draw():
    with pytest.raises(XmrError, match="map 'pca' is unknown; there are tsne, umap"):
        project_2d(np.eye(9), "pca")
    with pytest.raises(XmrError, match="4 points are too few"):
        project_2d(np.eye(4), "tsne")


DOGS = ["a dog runs", "the dog barks", "two dogs play"]
SNOW = ["a man in snow", "snow on a man", "the man walks"]


def test_topics_are_words_that_annotators_agree_on():
    train = captioned(*[DOGS] * 3, *[SNOW] * 2, ["a thing", "some object", "the red one"])
    topics = find_topics(train)
    # Dog by dogs too; man before snow, since three captions and two say them, of equally many images: the alphabet.
    assert topics.words == ("dog", "man") or topics.words == ("dog", "snow")
    assert topics.words[0] == "dog" and topics.names[-1] == "other"
    assert list(topics.of(train)) == [0, 0, 0, 1, 1, 2]
    # Function words are said by everybody, of every image: no agreement beyond chance.
    assert "a" not in topics.words and "the" not in topics.words


def test_numbers_and_colours_name_no_topic():
    red = ["two red things", "a red couple of two", "two of red"]
    train = captioned(*[red] * 4, *[DOGS] * 4)
    assert find_topics(train).words == ("dog",)


def test_an_image_has_the_rarest_topic_that_two_captions_say():
    both = ["a dog in snow", "dog and snow", "a dog"]
    train = captioned(*[DOGS] * 5, *[["snow here", "white snow", "snow"]] * 2, both)
    topics = find_topics(train)
    assert topics.words == ("dog", "snow")
    # One caption that says snow is not enough.
    assert list(topics.of(captioned(both, ["a dog", "dog in snow", "the dog"], ["dog", "a cat", "b"]))) == [1, 0, 2]


def test_single_captions_give_no_topics():
    topics = find_topics(captioned(["a dog"], ["a dog"], ["snow"]))
    assert topics.words == () and list(topics.of(captioned(["a dog"]))) == [0]


def test_topics_of_a_dataset_are_the_same_every_time(tmp_path):
    write_course_twin(tmp_path / "course", images=30, feature_files=False)
    dataset = read_dataset(tmp_path / "course")
    assert find_topics(dataset) == find_topics(dataset)
    assert find_topics(dataset, 1).words == find_topics(dataset, 1).words[:1]


def test_closeness_is_that_of_a_loop():
    rng = np.random.default_rng(1)
    x, y, topics = rng.normal(size=(9, 4)), rng.normal(size=(9, 4)), np.array([0, 0, 1, 1, 1, 2, 0, 2, 1])
    found = topic_closeness(x, y, topics, other=2, nearest=3)
    known = [i for i in range(9) if topics[i] != 2]

    def cosine(i, j):
        return float(x[i] @ y[j] / np.linalg.norm(x[i]) / np.linalg.norm(y[j]))

    assert found["pair"] == pytest.approx(np.mean([cosine(i, i) for i in known]))
    same = [(i, j) for i in known for j in known if i != j and topics[i] == topics[j]]
    different = [(i, j) for i in known for j in known if topics[i] != topics[j]]
    assert found["same"] == pytest.approx(np.mean([cosine(*pair) for pair in same]))
    assert found["different"] == pytest.approx(np.mean([cosine(*pair) for pair in different]))
    hits = []
    for i in known:
        nearest = sorted((j for j in known if j != i), key=lambda j, i=i: -cosine(i, j))[:3]
        hits += [topics[j] == topics[i] for j in nearest]
    assert found["precision"] == pytest.approx(100 * np.mean(hits))
    assert found["chance"] == pytest.approx(100 * len(same) / (len(same) + len(different)))
