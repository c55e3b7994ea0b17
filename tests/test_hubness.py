"""Hubs against counting, and notebook 09's table of them."""

import numpy as np
import pytest
from scipy.stats import skew

from xmr_lib.experiment import run
from xmr_lib.experiment.run import embed, model_of
from xmr_lib.metrics.hubness import occurrences, skewness
from xmr_lib.study import get_configs
from xmr_lib.study.searching import hubs


def test_occurrences_count_every_place():
    assert occurrences(np.array([[0, 1], [0, 2], [0, 1]]), 4).tolist() == [3, 2, 1, 0]


def test_skewness_is_scipys():
    counts = np.random.default_rng(0).poisson(2, size=200) ** 2
    assert skewness(counts) == pytest.approx(skew(counts))
    assert skewness(np.full(5, 3)) == 0


def test_the_table_of_hubs_counts_what_a_loop_counts(smoke_workspace):
    [config] = get_configs(smoke_workspace, "ab-infonce-meanmax")
    [result] = run(smoke_workspace, config)
    table, figure = hubs(smoke_workspace, result)
    images, captions = embed(smoke_workspace, result, "val")
    owner = smoke_workspace.usable(config).split("val").image_of_caption
    scores = model_of(smoke_workspace, result).similarity(images, captions)
    first = [np.argsort(-scores[:, caption])[:10] for caption in range(len(captions))]
    row = table.loc[("caption → images", "without")]
    assert row["R@1 (%)"] == pytest.approx(100 * np.mean([own[0] == o for own, o in zip(first, owner, strict=True)]))
    assert row["R@10 (%)"] == pytest.approx(100 * np.mean([o in own for own, o in zip(first, owner, strict=True)]))
    counts = np.bincount(np.concatenate(first), minlength=len(images))
    assert row["most often found"] == counts.max() and row["skewness"] == pytest.approx(skew(counts))
    assert row["never found (%)"] == pytest.approx(100 * np.mean(counts == 0))
    row = table.loc[("image → captions", "without")]
    hits = [owner[np.argmax(scores[image])] == image for image in range(len(images))]
    assert row["R@1 (%)"] == pytest.approx(100 * np.mean(hits))
    assert [axis.get_title(loc="left") or axis.get_title() for axis in figure.axes] == [
        "caption → images",
        "image → captions",
    ]
    # Whether validation takes the bank or not, what it would do is shown.
    assert table.index.get_level_values("query bank").str.startswith("with").all() and len(table) == 4
    legends = [text.get_text() for axis in figure.axes for text in axis.get_legend().get_texts()]
    assert sum(text.startswith("with query bank") for text in legends) == 2
