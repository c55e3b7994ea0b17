"""Two recorded models beside each other: the paired interval against a loop, and what is printed."""

import re

import numpy as np
import pytest
from made_up_results import write_made_up_run
from test_cli import fails, xmr
from test_statistics import RECALLS, naive_recall, owners
from test_statistics import run as ranked

from xmr_lib.errors import XmrError
from xmr_lib.experiment import compare_runs, run
from xmr_lib.metrics import Ranks, bootstrap_interval, difference_interval, paired_test, summarise
from xmr_lib.records import RANKS, read_ranks, run_folder
from xmr_lib.study import get_configs


@pytest.mark.parametrize("metric", ["rsum", "i2t_r1", "t2i_r5"])
def test_the_paired_interval_agrees_with_a_loop_over_the_same_draws(metric):
    owner = owners(12)
    a, b = [ranked(owner, 1), ranked(owner, 2)], [ranked(owner, 3, 2.0)]
    rng = np.random.default_rng(5)
    draws = [np.bincount(rng.integers(12, size=12), minlength=12) for _ in range(40)]
    values = [
        np.mean([naive_recall(one, metric, drawn) for one in b])
        - np.mean([naive_recall(one, metric, drawn) for one in a])
        for drawn in draws
    ]
    expected = np.quantile(values, [0.05, 0.95])
    assert difference_interval(a, b, metric, draws=40, seed=5, level=0.9) == pytest.approx(tuple(expected))


@pytest.mark.parametrize("metric", [*RECALLS, "rsum"])
def test_the_paired_interval_turns_with_the_sides_and_is_nothing_of_equals(metric):
    owner = owners(40)
    a, b = [ranked(owner, 1)], [ranked(owner, 2, 2.0)]
    low, high = difference_interval(a, b, metric, draws=300)
    assert difference_interval(b, a, metric, draws=300) == pytest.approx((-high, -low))
    assert low <= summarise(b[0])[metric] - summarise(a[0])[metric] <= high
    assert difference_interval(a, a, metric, draws=50) == (0, 0)


def test_what_both_share_does_not_widen_the_paired_interval():
    """Every hard image is hard for both, and one recall apart: the pairs are sure of what each alone is not."""
    owner = np.arange(200)
    places = np.where(np.random.default_rng(0).random(200) < 0.5, 2, 50)
    a, b = Ranks(places, places, owner), Ranks(places - 1, places - 1, owner)
    assert difference_interval([a], [b], "i2t_r5") == pytest.approx((0, 0))
    low, high = bootstrap_interval([a], "i2t_r5")
    assert high - low > 10
    with pytest.raises(XmrError, match="same test images"):
        difference_interval([a], [ranked(owners(9), 1)])
    with pytest.raises(XmrError, match="no interval for 'medr'"):
        difference_interval([a], [b], "medr")


@pytest.fixture
def results(tmp_path):
    """Two made-up models of data that nobody has."""
    folder = tmp_path / "made-up"
    write_made_up_run(folder, "ab-infonce", 9.0, seeds=(0, 1))
    write_made_up_run(folder, "e-lstm", 3.0)
    return folder


def ranks(folder, model, seed=0):
    return read_ranks(folder, model, seed)


def test_the_numbers_are_those_of_the_statistics(results):
    a, b = [ranks(results, "ab-infonce", seed) for seed in (0, 1)], [ranks(results, "e-lstm")]
    lines = compare_runs(results / "runs" / "ab-infonce", results / "runs" / "e-lstm" / "seed0", changed=0)
    means = [np.mean([summarise(one)["rsum"] for one in own]) for own in (a, b)]
    assert f"rSum {means[0]:6.2f}  mean of seeds 0, 1" in lines[0] and f"rSum {means[1]:6.2f}  seed 0" in lines[1]
    low, high = difference_interval(a, b)
    assert f"B − A  {means[1] - means[0]:+.2f}  (95 %" in lines[2] and f"{low:+.2f} to {high:+.2f}" in lines[2]
    assert f"p = {paired_test(a, b):.4f}" in lines[2]
    table = {line.split()[0]: line.split()[1:] for line in lines[5:]}
    assert list(table) == RECALLS
    for metric, cells in table.items():
        values = [np.mean([summarise(one)[metric] for one in own]) for own in (a, b)]
        low, high = difference_interval(a, b, metric)
        assert cells[:3] == [f"{values[0]:.2f}", f"{values[1]:.2f}", f"{values[1] - values[0]:+.2f}"]
        assert cells[3:] == [f"{low:+.2f}", "to", f"{high:+.2f}"]


def moved(lines):
    """Read the lists: title → (rank in A, in B, name) of each."""
    found, title = {}, None
    for line in lines:
        if "rank A → B" in line:
            title = (line.split()[0], line.split("for the ")[1].split(":")[0])
            found[title] = []
        elif title and line:
            before, after, name = re.fullmatch(r" +([\d.]+) → ([\d.]+) +(.+)", line).groups()
            found[title].append((float(before), float(after), name))
    return found


def test_the_queries_that_moved_most_are_named_by_number_where_there_are_no_data(results):
    a, b = ranks(results, "ab-infonce"), ranks(results, "e-lstm")
    lines = compare_runs(results / "runs" / "ab-infonce" / "seed0", results / "runs" / "e-lstm", changed=4)
    found = moved(lines)
    names = {
        "images": [f"image {image}" for image in range(a.images)],
        "captions": [f"image {caption // 2}#{caption % 2}" for caption in range(len(a.t2i))],
    }
    for (what, how), rows in found.items():
        before, after = (own.i2t if what == "images" else own.t2i for own in (a, b))
        ratio = after / before if how == "better" else before / after
        assert [row[0] / row[1] if how == "worse" else row[1] / row[0] for row in rows] == pytest.approx(
            np.sort(ratio)[:4]
        )
        for first, second, name in rows:
            place = names[what].index(name)
            assert (first, second) == (before[place], after[place]) and (second < first) == (how == "better")
    assert len(found) == 4 and all(len(rows) == 4 for rows in found.values())
    same = compare_runs(results / "runs" / "e-lstm", results / "runs" / "e-lstm")
    assert sum(line.endswith(": none") for line in same) == 4


def test_queries_are_named_by_file_and_caption_where_the_data_are_at_hand(smoke_workspace):
    workspace = smoke_workspace
    for config in get_configs(workspace, "ab-infonce", "cca-mean"):
        run(workspace, config)
    a, b = (run_folder(workspace.results, name, 0) for name in ("ab-infonce", "cca-mean"))
    shown = xmr("compare", a, b, "--changed", 2)
    assert shown.exit_code == 0
    part, found = workspace.dataset.split("test"), moved(shown.stdout.splitlines())
    own = read_ranks(workspace.results, "ab-infonce", 0)
    for before, _, name in found[("images", "better")] + found[("images", "worse")]:
        assert own.i2t[part.filenames.index(name)] == before
    for before, _, name in found[("captions", "better")] + found[("captions", "worse")]:
        caption_id, text = name.split("  ", 1)
        filename, k = caption_id.split("#")
        caption = part.captions_of(part.filenames.index(filename))[int(k)]
        assert part.raw[caption] == text and own.t2i[caption] == before


def test_what_cannot_be_compared_is_one_line(results, tmp_path, monkeypatch, capsys):
    model = results / "runs" / "ab-infonce"
    assert "no run with ranks here" in fails(monkeypatch, capsys, "compare", model, results / "runs" / "nothing")
    other = tmp_path / "other"
    write_made_up_run(other, "e-lstm", 3.0)
    message = fails(monkeypatch, capsys, "compare", model, other / "runs" / "e-lstm")
    assert "scored on other data" in message and "name other, not made-up" in message
    assert "changed -1: give 0 or more" in fails(monkeypatch, capsys, "compare", model, model, "--changed", "-1")
    (tmp_path / "captions.csv").write_text("\n".join(["image,caption", *(f"{k}.jpg,a dog {k}" for k in range(30))]))
    message = fails(monkeypatch, capsys, "compare", model, model, "--data", tmp_path / "captions.csv")
    assert "was made on other data" in message
    (model / "seed0" / RANKS).unlink()
    assert "no ranks here" in fails(monkeypatch, capsys, "compare", model / "seed0", model)
