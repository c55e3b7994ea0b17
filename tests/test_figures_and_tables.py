"""Figures and tables show what they were given."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from course_twin import write_course_twin
from matplotlib.text import Text
from PIL import Image

from xmr_lib.data import read_dataset
from xmr_lib.experiment import ranks_of, run
from xmr_lib.experiment.run import embed
from xmr_lib.figures import dataset_figure, recall_bars, rsum_intervals, save_figure, shrink_figure, training_curves
from xmr_lib.figures.style import RIGHT
from xmr_lib.metrics import bootstrap_interval, paired_test
from xmr_lib.study import caption_queries, get_configs, image_queries, similarities
from xmr_lib.study.tables import config_table, results_table, save_table, styled


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def runs(smoke_workspace):
    groups = [run(smoke_workspace, config, (0, 1)) for config in get_configs(smoke_workspace, "cca-mean", "ab-infonce")]
    return groups, [[ranks_of(smoke_workspace, result) for result in results] for results in groups]


def test_the_table_holds_means_chance_and_p_values(runs):
    groups, ranks = runs
    table = results_table(groups, ranks)
    assert list(table.index) == ["cca-mean", "ab-infonce", "chance"]
    assert table.loc["cca-mean", "rSum"] == pytest.approx(np.mean([r.test["rsum"] for r in groups[0]]))
    assert table.loc["chance", "i→t R@1"] == groups[0][0].chance["i2t_r1"]
    best = max(groups, key=lambda g: np.mean([r.val_rsum for r in g]))[0].model
    other = next(g[0].model for g in groups if g[0].model != best)
    assert table.loc[best, "p"] == "" and table.loc[other, "p"] != ""
    low, high = map(float, table.loc["cca-mean", "95 % interval"].split("–"))
    assert low <= table.loc["cca-mean", "rSum"] <= high


def test_a_row_with_fewer_seeds_is_tested_on_the_seeds_that_both_have(runs):
    groups, ranks = runs
    table = results_table([groups[0], groups[1][1:]], [ranks[0], ranks[1][1:]], against="cca-mean")
    p = paired_test(ranks[1][1:], ranks[0][1:])
    assert table.loc["cca-mean", "p"] == ""
    assert table.loc["ab-infonce", "p"] == ("<0.001" if p < 0.001 else f"{p:.3f}")


def test_intervals_are_drawn_where_they_are(runs):
    groups, ranks = runs
    axes = rsum_intervals(groups, ranks).axes[0]
    low, high = bootstrap_interval(ranks[1])
    assert list(axes.lines[2].get_xdata()) == pytest.approx([low, high])
    assert axes.lines[3].get_xdata()[0] == pytest.approx(np.mean([r.test["rsum"] for r in groups[1]]))
    assert [label.get_text() for label in axes.get_yticklabels()] == ["cca-mean (2)", "ab-infonce (2)"]


def test_tables_are_saved_as_csv_alone(runs, tmp_path):
    table = results_table(*runs)
    save_table(table, tmp_path, "t")
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
    read = pd.read_csv(tmp_path / "t.csv", index_col=0)
    assert read.loc["cca-mean", "rSum"] == pytest.approx(table.loc["cca-mean", "rSum"], abs=0.051)
    assert list(read.columns) == list(table.columns)
    assert "font-weight: bold" in styled(table).to_html()


def test_the_table_of_configs_shows_what_differs(smoke_workspace):
    table = config_table(get_configs(smoke_workspace, "cca-mean", "a-recipe"))
    assert table.loc["distance", "a-recipe"] == "euclidean" and table.loc["kind", "cca-mean"] == "cca"
    assert table.loc["loss.margin", "cca-mean"] == "" and table.loc["loss.margin", "a-recipe"] == 1.0
    assert "track" not in table.index and "name" not in table.index


def test_similarities_are_those_of_the_pairs_and_a_curve_at_one_is_its_recall(runs, smoke_workspace):
    groups, ranks = runs
    figure = similarities(smoke_workspace, groups, pairs=5)
    pairs, spread, answered = figure.axes[:3]
    images, captions = embed(smoke_workspace, groups[-1][0], "test")
    owner = smoke_workspace.usable(groups[-1][0].config).split("test").image_of_caption
    first = [int(np.flatnonzero(owner == image)[0]) for image in range(5)]
    unit = [values / np.linalg.norm(values, axis=1, keepdims=True) for values in (images[:5], captions[first])]
    [drawn] = pairs.collections
    assert np.asarray(drawn.get_array()).reshape(5, 5) == pytest.approx(unit[0] @ unit[1].T, abs=1e-5)
    assert {text.get_text() for text in spread.get_legend().get_texts()} == {"right", "wrong"}
    assert spread.get_xlabel() == "cosine"
    curves = [np.array(line.get_data()) for line in answered.lines if len(line.get_xdata())]
    least = [float(share[rank == rank[rank > 0].min()].max()) for rank, share in curves]
    assert sorted(least) == pytest.approx(sorted((own[0].i2t == own[0].i2t.min()).mean() for own in ranks))


def test_bars_are_as_long_as_the_recall_and_the_last_is_chance(runs):
    groups, ranks = runs
    axes = recall_bars(groups, ranks).axes
    # Of each model the widest first: the narrower bars lie on it.
    lengths = [patch.get_width() for patch in axes[0].patches]
    expected = [np.mean([r.test[f"i2t_r{k}"] for r in results]) for results in groups for k in (10, 5, 1)]
    assert lengths == pytest.approx([*expected, *(groups[0][0].chance[f"i2t_r{k}"] for k in (10, 5, 1))])
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["cca-mean", "ab-infonce", "chance"]
    named = recall_bars(groups, ranks, names={"cca-mean": "the linear line"}).axes[0]
    assert named.get_yticklabels()[0].get_text() == "the linear line"


def test_curves_have_an_epoch_a_point_and_cca_is_a_line(runs):
    groups, _ = runs
    lines = {line.get_label(): line for line in training_curves(groups).axes[0].lines}
    assert len(lines["ab-infonce"].get_xdata()) == len(groups[1][0].history["val_rsum"])
    assert len(set(lines["cca-mean"].get_ydata())) == 1


def frames(figure):
    return [axis for axis in figure.axes if axis.images and axis.spines["left"].get_edgecolor()[:3] == rgb(RIGHT)]


def rgb(colour):
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def test_a_right_image_is_framed_if_and_only_if_it_is_found(runs, smoke_workspace):
    groups, ranks = runs
    # All 100 captions of the small test split are asked for, so the number of frames is known.
    captions = smoke_workspace.usable(groups[0][0].config).split("test").caption_count
    figure = caption_queries(smoke_workspace, groups[0][0], count=captions)
    assert len(frames(figure)) == int((ranks[0][0].t2i <= 5).sum())
    train = caption_queries(smoke_workspace, groups[0][0], count=3, gallery="train")
    assert frames(train) == [] and "train" in train.get_suptitle()


def test_own_captions_are_framed(runs, smoke_workspace):
    groups, ranks = runs
    images = len(smoke_workspace.usable(groups[0][0].config).split("test"))
    figure = image_queries(smoke_workspace, groups[0][0], count=images)
    framed = [text for axis in figure.axes for text in axis.texts if text.get_bbox_patch() is not None]
    assert len(framed) == int((ranks[0][0].i2t_positions <= 5).sum())


def test_a_dataset_without_images_still_has_its_figure(tmp_path):
    write_course_twin(tmp_path / "course", with_images=False)
    figure = dataset_figure(read_dataset(tmp_path / "course"))
    assert any(".jpg" in text.get_text() for axis in figure.axes for text in axis.texts)


def test_a_saved_figure_is_a_picture(smoke_workspace, tmp_path):
    path = save_figure(dataset_figure(smoke_workspace.dataset), tmp_path / "new", "look")
    with Image.open(path) as picture:
        assert picture.width > 800 and np.asarray(picture.convert("L")).std() > 5
    small = shrink_figure(path, tmp_path / "small.png", width=400)
    with Image.open(small) as picture:
        assert picture.width == 400 and small.stat().st_size < path.stat().st_size / 2


def test_captions_are_drawn_as_written(smoke_workspace):
    """Two dollars are no formula, and where all words are short they are drawn all the same."""
    dataset = smoke_workspace.dataset
    raw = ("$2 a_bag for $3",) * dataset.caption_count
    odd = replace(dataset, raw=raw, tokens=(("$2", "a", "$3"),) * dataset.caption_count)
    figure = dataset_figure(odd)
    figure.canvas.draw()
    texts = [text for text in figure.findobj(Text) if "a_bag" in text.get_text() or "$2" in text.get_text()]
    assert texts and all(text._preprocess_math(text.get_text())[1] is False for text in texts)
    drawn = [text._preprocess_math(text.get_text())[0] for text in texts]
    assert any("$2 a_bag for $3" in one for one in drawn) and "$2" in drawn


def test_a_picture_that_is_not_there_is_named_in_its_place(smoke_workspace, tmp_path):
    (tmp_path / "pictures").mkdir()
    figure = dataset_figure(replace(smoke_workspace.dataset, images_folder=tmp_path / "pictures"))
    names = {text.get_text() for text in figure.findobj(Text)}
    assert names & set(smoke_workspace.dataset.filenames)
