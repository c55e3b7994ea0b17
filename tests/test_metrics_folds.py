"""Five folds of 1,000 images against a loop over sorted lists."""

import numpy as np
import pytest

from xmr_lib.errors import XmrError
from xmr_lib.metrics import five_folds, ranks_of_embeddings, summarise


def problem(images, seed=0, embed=8):
    """Embeddings in which own pairs are favoured; 1 … 3 captions per image, not grouped."""
    rng = np.random.default_rng(seed)
    owner = rng.permutation(np.repeat(np.arange(images), rng.integers(1, 4, images)))
    x = rng.normal(size=(images, embed)).astype(np.float32)
    return x, (x[owner] + 0.8 * rng.normal(size=(len(owner), embed))).astype(np.float32), owner


def similarity(x, y, distance):
    x, y = x.astype(float), y.astype(float)
    if distance == "euclidean":
        return np.array([-((row - y) ** 2).sum(1) for row in x])
    return (x / np.linalg.norm(x, axis=1, keepdims=True)) @ (y / np.linalg.norm(y, axis=1, keepdims=True)).T


def naive_folds(x, y, owner, distance):
    sums = {}
    for fold in range(5):
        images = [1000 * fold + place for place in range(1000)]
        captions = [caption for caption in range(len(y)) if owner[caption] // 1000 == fold]
        scores = similarity(x[images], y[captions], distance)
        lists = {
            "i2t": [
                [owner[captions[place]] == image for place in np.argsort(-row)]
                for image, row in zip(images, scores, strict=True)
            ],
            "t2i": [
                [images[place] == owner[caption] for place in np.argsort(-column)]
                for caption, column in zip(captions, scores.T, strict=True)
            ],
        }
        for direction, found in lists.items():
            for k in (1, 5, 10):
                hits = [any(right[:k]) for right in found]
                name = f"{direction}_r{k}"
                sums[name] = sums.get(name, 0) + 100 * sum(hits) / len(hits)
    means = {name: total / 5 for name, total in sums.items()}
    return means | {"rsum": sum(means.values())}


@pytest.mark.parametrize(("distance", "images"), [("cosine", 5000), ("euclidean", 5040)])
def test_folds_agree_with_a_loop(distance, images):
    x, y, owner = problem(images)
    found = five_folds(x, y, owner, distance)
    assert found == pytest.approx(naive_folds(x, y, owner, distance), abs=1e-9)
    assert 5 < found["t2i_r1"] < 95
    # A gallery of five times the size is harder.
    assert found["rsum"] > summarise(ranks_of_embeddings(x, y, owner, distance))["rsum"]


def test_the_order_of_the_split_makes_the_folds():
    x, y, owner = problem(5000)
    shuffled = np.random.default_rng(1).permutation(5000)
    place = np.argsort(shuffled)
    assert five_folds(x[shuffled], y, place[owner], "cosine") != five_folds(x, y, owner, "cosine")


def test_fewer_images_than_the_folds_need_are_refused_in_one_line():
    with pytest.raises(XmrError, match=r"need 5,000 test images; there are 4,999") as caught:
        five_folds(*problem(4999), "cosine")
    assert "\n" not in str(caught.value)
    x, y, owner = problem(5000)
    with pytest.raises(XmrError, match="have an image"):
        five_folds(x, y, owner[1:], "cosine")
