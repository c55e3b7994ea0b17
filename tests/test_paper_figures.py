"""Figures at the paper's width: exactly as wide as asked for, nothing on top of each other, nothing cut, no Type 3."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from xmr_lib.analysis import chance_shares, rank_grid, rank_shares
from xmr_lib.config import from_flat
from xmr_lib.errors import XmrError
from xmr_lib.experiment import ranks_of, run
from xmr_lib.figures import (
    COLUMN,
    PAGE,
    modality_gap,
    rank_distribution,
    recall_bars,
    rsum_intervals,
    save_figure,
    shared_space,
    time_accuracy,
    training_curves,
    word_weights,
)
from xmr_lib.figures.style import PALETTE, RIGHT, line_style
from xmr_lib.metrics import Ranks, chance_levels, summarise
from xmr_lib.records import Result
from xmr_lib.study import attended_words, caption_cases, case_ranks, get_configs, image_cases

NAMES = {"model-0": "the mean ‖ max of the same words, trained", "model-3": "bidirectional GRU, trained words"}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def made(count: int) -> tuple[list[list[Result]], list[list[Ranks]]]:
    """Results of so many models that never were, two seeds each, of all widths of names."""
    rng, owner = np.random.default_rng(0), np.repeat(np.arange(60), 5)
    groups, ranks = [], []
    for model in range(count):
        own = [
            Ranks(*(np.minimum(1 + rng.geometric(0.02 + 0.01 * model, 300), last) for last in (300, 60)), owner)
            for _ in range(2)
        ]
        history = {"loss": [3.0, 2.0, 1.5], "val_rsum": [100.0 + model, 150.0 + 3 * model, 170.0 + 4 * model]}
        groups.append(
            [
                Result(
                    from_flat(f"model-{model}", image_features=("effnet-lite0", "vgg16-course")[model % 2]),
                    seed, {}, summarise(one), 200.0, chance_levels(owner), 60.0, history, {},
                )
                for seed, one in enumerate(own)
            ]
        )  # fmt: skip
        ranks.append(own)
    return groups, ranks


def shares(count: int) -> pd.DataFrame:
    groups, ranks = made(count)
    tables = []
    for direction, last in (("i2t", 300), ("t2i", 60)):
        places = rank_grid(last)
        curves = {g[0].model: rank_shares(getattr(own[0], direction), places) for g, own in zip(groups, ranks)}  # noqa: B905
        curves["chance"] = chance_shares(ranks[0][0].image_of_caption, direction, places)
        tables += [
            pd.DataFrame({"run": name, "direction": direction, "rank": places, "share": values})
            for name, values in curves.items()
        ]
    return pd.concat(tables)


def points(images: int = 80, topics: int = 8) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    names = np.array([*(f"topic {k}" for k in range(topics)), "other"])[rng.integers(0, topics + 1, images)]
    rows = [
        {"model": "m", "method": method, "stage": stage, "modality": modality, "image": image, "topic": names[image]}
        | dict(zip("xy", rng.random(2), strict=True))
        for method in ("tsne", "umap")
        for stage in ("before", "after")
        for modality in ("image", "caption")
        for image in range(images)
    ]
    return pd.DataFrame(rows)


def gaps(models: int = 4) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    rows = [
        {"run": f"r-onehot-glove-trained-{m}", "stage": stage, "temperature": 0.05, "gap": gap, "pair_distance": 1.4}
        | {"other_distance": 1.4, "share": gap**2 / 1.96, "rsum": 100.0, "rsum_closed": 101.0}
        for m in range(models)
        for stage, gap in (("before", 0.9), ("after", 0.2))
    ]
    closing = [
        {"run": "r-onehot-glove-trained-0", "temperature": t, "closed": c, "loss": 1 + rng.random(), "rsum": 100.0}
        for t in (0.05, 0.2, 1.0)
        for c in (-1.0, -0.5, 0.0, 0.5, 1.0)
    ]
    return pd.DataFrame(rows), pd.DataFrame(closing)


def summary(count: int) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return pd.DataFrame(
        {
            "run": [f"model-{k}" for k in range(count)],
            "task": [("baseline", "a", "b", "c", "d", "e", "fusion")[k % 7] for k in range(count)],
            "cpu_minutes": np.exp(rng.uniform(-2, 3, count)),
            "rsum": rng.uniform(200, 330, count),
        }
    )


FIGURES = {
    "recall at 1": lambda w: recall_bars(*made(20), cutoffs=(1,), width=w, names=NAMES),
    "recall": lambda w: recall_bars(*made(12), width=w, names=NAMES),
    "rsum": lambda w: rsum_intervals(*made(20), width=w, names=NAMES),
    "curves": lambda w: training_curves(made(10)[0], w, NAMES),
    "ranks": lambda w: rank_distribution(shares(6), [f"model-{k}" for k in range(6)], w, NAMES),
    "t-SNE": lambda w: shared_space(points(), width=w),
    "UMAP": lambda w: shared_space(points(), "umap", width=w),
    "gap": lambda w: modality_gap(*gaps(), width=w),
    "time": lambda w: time_accuracy(summary(14), w, NAMES),
}


def boxes(figure) -> dict:
    """Return the words of a drawn figure with the boxes they fill, axes' ticks included, in dots."""
    figure.draw_without_rendering()
    found = {}
    for text in figure.findobj(plt.Text):
        box = text.get_window_extent()
        if text.get_visible() and text.get_text().strip() and box.width > 0:
            found[text] = box
    for axis in figure.axes:
        # Ticks beyond the limits are there, but not drawn.
        for side, ticks in (("x", axis.xaxis), ("y", axis.yaxis)):
            low, high = sorted(getattr(axis, f"get_{side}lim")())
            for tick in (*ticks.get_major_ticks(), *ticks.get_minor_ticks()):
                if not low <= tick.get_loc() <= high or not tick.label1.get_visible():
                    found.pop(tick.label1, None)
                found.pop(tick.label2, None)
    return found


def overlapping(figure, slack: float = 1.0) -> list[tuple[str, str]]:
    found = list(boxes(figure).items())
    return [
        (a.get_text(), b.get_text())
        for k, (a, x) in enumerate(found)
        for b, y in found[k + 1 :]
        if min(x.x1, y.x1) - max(x.x0, y.x0) > slack and min(x.y1, y.y1) - max(x.y0, y.y0) > slack
    ]


def cut(figure, slack: float = 1.5) -> list[str]:
    inside = figure.bbox
    return [
        text.get_text()
        for text, box in boxes(figure).items()
        if box.x0 < -slack or box.y0 < -slack or box.x1 > inside.x1 + slack or box.y1 > inside.y1 + slack
    ]


@pytest.mark.parametrize("width", [COLUMN, PAGE])
@pytest.mark.parametrize("name", FIGURES)
def test_no_words_lie_on_each_other_or_are_cut(name, width):
    figure = FIGURES[name](width)
    assert figure.get_figwidth() == width
    assert overlapping(figure) == [] and cut(figure) == []
    sizes = {text.get_fontsize() for text in boxes(figure)}
    assert min(sizes) >= 6.5 and max(sizes) <= 9


def test_the_checks_would_see_it():
    figure, axis = plt.subplots()
    axis.text(0.5, 0.5, "one")
    axis.text(0.51, 0.5, "two")
    axis.text(1.2, 0.5, "far outside of everything")
    figure.set_layout_engine("none")
    assert ("one", "two") in overlapping(figure) and "far outside of everything" in cut(figure)


@pytest.mark.parametrize("name", FIGURES)
def test_a_pdf_is_vectors_as_wide_as_asked_without_type_3(name, tmp_path):
    first = save_figure(FIGURES[name](COLUMN), tmp_path, "first", "pdf").read_bytes()
    again = save_figure(FIGURES[name](COLUMN), tmp_path, "again", "pdf").read_bytes()
    assert first == again
    [box] = re.findall(rb"/MediaBox \[ *0 0 ([\d.]+) ([\d.]+)", first)
    assert float(box[0]) == pytest.approx(72 * COLUMN, abs=0.1)
    assert b"/Type3" not in first and b"/Subtype /Image" not in first and len(first) < 120_000


def test_an_unknown_kind_of_file(tmp_path):
    with pytest.raises(XmrError, match="kind 'svg' is unknown; there are png, pdf"):
        save_figure(FIGURES["time"](None), tmp_path, "x", "svg")


def test_on_a_screen_the_figures_are_as_before(tmp_path):
    for name, draw in FIGURES.items():
        figure = draw(None)
        assert overlapping(figure) == [], name
        with Image.open(save_figure(figure, tmp_path, "x")) as picture:
            assert picture.width > 800


def test_lines_differ_in_colour_or_dashes():
    styles = [tuple(line_style(k).values()) for k in range(32)]
    assert len(set(styles)) == 32 and len({style[0] for style in styles}) == len(PALETTE)


def lightness(colour: str) -> float:
    """CIE L* of a colour: what is left of it for who sees no hues."""
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    y = np.dot(linear, (0.2126, 0.7152, 0.0722))
    return 116 * np.cbrt(y) - 16 if y > 0.008856 else 903.3 * y


def test_the_shades_of_recall_are_told_apart_by_lightness_alone():
    from xmr_lib.figures.bars import SHADES

    light = [lightness(shade) for shade in SHADES]
    assert np.diff(light).min() > 15


def test_rank_curves_are_the_facts():
    table = shares(2)
    axes = rank_distribution(table, ["model-1"]).axes
    line = axes[1].lines[0]
    own = table[(table["run"] == "model-1") & (table["direction"] == "t2i")]
    assert list(line.get_xdata()) == list(own["rank"])
    assert list(line.get_ydata()) == pytest.approx(list(100 * own["share"]))
    with pytest.raises(XmrError, match="no ranks of nobody"):
        rank_distribution(table, ["nobody"])


def test_the_bars_of_a_pair_are_its_squared_distance():
    table, closing = gaps(1)
    bars = modality_gap(table, closing).axes[0].patches
    assert [bar.get_width() for bar in bars] == pytest.approx([0.81, 1.96 - 0.81, 0.04, 1.92])


def test_every_point_is_drawn_and_pairs_are_joined():
    table = points(images=30)
    panel = shared_space(table, pairs=5).axes[0]
    assert sum(len(own.get_offsets()) for own in panel.collections) == 60
    own = table[(table["method"] == "tsne") & (table["stage"] == "before")].set_index(["modality", "image"])
    ends = {(tuple(line.get_xdata()), tuple(line.get_ydata())) for line in panel.lines}
    wanted = [np.linspace(0, 29, 5).round().astype(int)]
    assert ends == {
        tuple(tuple(own.loc[(side, image), axis] for side in ("image", "caption")) for axis in "xy")
        for image in wanted[0]
    }


def test_a_topic_is_written_as_its_words_are():
    table = points(topics=1)
    figure = shared_space(table.replace("topic 0", "$5 or $6"), width=COLUMN)
    figure.draw_without_rendering()
    [name] = [text for text in figure.findobj(plt.Text) if "$5" in text.get_text()]
    assert name._preprocess_math(name.get_text()) == ("$5 or $6", False)


def test_a_long_caption_goes_on_below(tmp_path):
    words = [f"word{k}" for k in range(30)]
    figure = word_weights([words, ["short"]], [np.full(30, 1 / 30), np.ones(1)], "title", COLUMN)
    texts = figure.axes[0].texts
    assert [text.get_text() for text in texts] == [*words, "short"]
    assert len({round(text.get_position()[1], 3) for text in texts}) > 4
    assert overlapping(figure) == [] and cut(figure) == []


@pytest.fixture(scope="module")
def trained(smoke_workspace):
    [result] = run(smoke_workspace, *get_configs(smoke_workspace, "ab-infonce-meanmax"))
    return result


def frames(figure) -> list:
    green = tuple(int(RIGHT[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return [axis for axis in figure.axes if axis.images and axis.spines["left"].get_edgecolor()[:3] == green]


def test_galleries_show_the_cases_with_their_ranks_and_the_right_answer(smoke_workspace, trained, tmp_path):
    ranks, told = ranks_of(smoke_workspace, trained), case_ranks(smoke_workspace, trained)
    assert told["t2i"]["best"] == ranks.t2i.min() and told["i2t"]["worst"] == ranks.i2t.max()
    figure = caption_cases(smoke_workspace, trained)
    words = " ".join(text.get_text() for axis in figure.axes for text in axis.texts)
    assert all(f"{case}: rank {rank}" in words for case, rank in told["t2i"].items())
    # The own image once beside each caption, and once more where it is found.
    assert len(frames(figure)) == 3 + sum(rank <= 5 for rank in told["t2i"].values())
    assert save_figure(figure, tmp_path, "gallery", "pdf").stat().st_size < 400_000
    captions = image_cases(smoke_workspace, trained)
    labels = [axis.get_ylabel() for axis in captions.axes if axis.get_ylabel()]
    assert labels == [f"{case}: rank {rank}" for case, rank in told["i2t"].items()]
    framed = [text for axis in captions.axes for text in axis.texts if text.get_bbox_patch() is not None]
    assert len(framed) >= 3
    assert overlapping(figure) == overlapping(captions) == []


def test_attended_words_at_the_papers_width(smoke_workspace):
    [result] = run(smoke_workspace, *get_configs(smoke_workspace, "e-attention-trained"))
    figure = attended_words(smoke_workspace, result, count=4, width=COLUMN)
    assert figure.get_figwidth() == COLUMN and cut(figure) == []
