"""numbers.tex: every number is the table's own, every comparison the paired test's."""

import re
import shutil

import numpy as np
import pytest
from made_up_results import write_made_up_results, write_made_up_run

from xmr_lib.errors import XmrError
from xmr_lib.experiment.sweep import Point, add_points, sweep_file
from xmr_lib.metrics import Ranks, holm, paired_test
from xmr_lib.plotdata import read_plotdata, write_plotdata
from xmr_lib.publish.compare import Comparisons, p_text, signed
from xmr_lib.publish.fact_values import fact_value
from xmr_lib.publish.facts import RecordedResults
from xmr_lib.publish.groups import GROUPS, chosen
from xmr_lib.publish.numbers import numbers_tex, with_hash
from xmr_lib.publish.sources import Use
from xmr_lib.publish.tex import escape, scientific
from xmr_lib.study import MODELS
from xmr_lib.study.names import NAMES

PUBLISHED = "slug,dataset,method,i2t_r1,source\nold,scenes,Old & Co,18.0,Somebody 1999\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_made_up_results(tmp_path_factory.mktemp("results") / "scenes")


@pytest.fixture
def macros(folder, tmp_path):
    """From uses to what they print and the comments behind them."""
    (tmp_path / "published.csv").write_text(PUBLISHED)

    def write(*uses):
        found = [Use(macro, tuple(names), "report/x.tex:1") for macro, *names in uses]
        text = numbers_tex(RecordedResults.read(folder), tmp_path, found, "scenes")
        lines = re.findall(r"^\\xmrset\{([^}]*)\}\{(.*)\}% (.*)$", text, re.M)
        assert [key for key, _, _ in lines] == [use.key for use in found]
        return {key: (value, origin) for key, value, origin in lines}

    return write


def test_numbers_are_those_of_the_table_of_record(folder, macros):
    rows = RecordedResults.read(folder).rows
    columns = ("i2t_r1", "t2i_r10", "rsum", "val_rsum", "cpu_minutes", "t2i_medr")
    found = macros(*(("val", run, column) for run in rows for column in columns))
    for run, row in rows.items():
        for column in columns:
            assert found[f"val:{run}:{column}"][0] == f"{float(row[column]):.1f}"
    row = rows["ab-infonce"]
    low, high = (f"{float(row[column]):.1f}" for column in ("rsum_low", "rsum_high"))
    found = macros(("ci", "ab-infonce"), ("rsum", "ab-infonce"), ("val", "ab-infonce", "seeds"), ("name", "e-gru"))
    assert found["ci:ab-infonce"] == (f"{low}--{high}", "ab-infonce, scenes, seeds 0, 1")
    assert found["rsum:ab-infonce"][0] == f"{float(row['rsum']):.1f} [{low}--{high}]"
    assert found["val:ab-infonce:seeds"][0] == "2"
    assert rows["ab-infonce"]["rsum_bank"] == "" and macros(("val", "ab-infonce", "rsum_bank")).popitem()[1][0] == "--"
    assert found["name:e-gru"][0] == NAMES["e-gru"]


def test_validation_chooses(folder, macros):
    facts = RecordedResults.read(folder)
    for group, members in GROUPS.items():
        best = max(members, key=lambda run: float(facts.rows[run]["val_rsum"]))
        assert chosen(facts, group) == best
    best = chosen(facts, "regions")
    found = macros(("chosen", "regions"), ("val", "@regions", "rsum"), ("name", "@all"))
    assert found["chosen:regions"][0] == NAMES[best]
    assert found["val:@regions:rsum"] == (f"{float(facts.rows[best]['rsum']):.1f}", f"{best}, scenes, seeds 0")
    assert "the highest val_rsum of the group all" in found["name:@all"][1]
    rows = [facts.rows[chosen(facts, group)] for group in ("clean", "single", "best", "all")]
    assert [row["track"] for row in rows[:3]] == ["clean"] * 3 and rows[0]["task"] != "best"
    assert all(row["loss"] != "scores averaged" for row in rows[:2])
    # Each group holds the one before.
    scores = [float(row["val_rsum"]) for row in rows]
    assert scores == sorted(scores)
    with pytest.raises(XmrError, match="group 'magic' is unknown"):
        chosen(facts, "magic")


def test_facts_and_configs(macros):
    keys = ("dataset", "train_images", "test_captions", "draws", "test_draws", "alpha", "models", "processor", "seeds")
    found = macros(*(("fact", key) for key in keys), ("fact", "comparisons"), ("compare", "e-gru", "e-lstm"))
    values = [found[f"fact:{key}"][0] for key in keys]
    models = str(len([run for run in NAMES if not run.startswith("i-")]))
    assert values == ["scenes", "12,000", "120", "2,000", "10,000", "0.05", models, "Abacus", "2"]
    assert found["fact:comparisons"][0] == "1"
    found = macros(
        *(("cfg", "ab-infonce", path) for path in ("optimiser.learning_rate", "optimiser.batch", "text.dropout")),
        *(("cfg", "ab-infonce", path) for path in ("image_features", "text.branches.0.pooling", "method.embed_dim")),
        ("cfg", "cca-mean", "regularisations"),
    )
    expected = ["$10^{-3}$", "1024", "0.3", "effnet-lite0", "mean", "512", "0.01, 0.03, 0.1, 0.3, 1"]
    assert [value for value, _ in found.values()] == expected


def test_published_numbers_and_image_retrieval(macros):
    found = macros(("published", "old", "i2t_r1"), ("published", "old", "method"), ("imagerow", "i-pooled", "map"))
    assert found["published:old:i2t_r1"] == ("18.0", "published.csv, Somebody 1999")
    assert found["published:old:method"][0] == r"Old \& Co"
    assert found["imagerow:i-pooled:map"][0] == "40.2"


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (("val", "magic", "rsum"), r"report/x.tex:1: \\val: .*no row of the run 'magic'"),
        (("val", "ab-infonce", "magic"), "no column 'magic'"),
        (("name", "magic"), "no readable name"),
        (("chosen", "magic"), "group 'magic' is unknown"),
        (("fact", "magic"), "fact 'magic' is unknown; there are dataset"),
        (("cfg", "ab-infonce", "magic"), "no field 'magic'"),
        (("cfg", "ab-infonce", "optimiser.magic"), "no field 'optimiser.magic'; it has .*method.optimiser.batch"),
        (("cfg", "cca-mean", "optimiser.batch"), "no field 'optimiser.batch'"),
        (("published", "magic", "i2t_r1"), "no row 'magic'"),
        (("published", "old", "t2i_r1"), "nothing in a column 't2i_r1'"),
        (("imagerow", "i-pooled", "magic"), "no 'magic' of 'i-pooled'"),
        (("compare", "ab-infonce", "magic"), "no row of the run 'magic'"),
    ],
)
def test_what_cannot_be_had_is_told_with_its_place(macros, use, message):
    with pytest.raises(XmrError, match=message):
        macros(use)


def test_the_detector_is_measured_or_that_is_told(folder, tmp_path):
    own = shutil.copytree(folder, tmp_path / "own" / "scenes")
    facts = RecordedResults.read(own)
    assert fact_value(facts, "detector_map", 0) == "25.0"
    (own / "detector.json").unlink()
    with pytest.raises(XmrError, match="'xmr detector train --dataset scenes' records it"):
        fact_value(facts, "detector_map", 0)
    # Of COCO's detector nothing is measured here, and no sentence asks.
    shutil.rmtree(own / "runs" / "c-roi-attention")
    write_made_up_run(own, "c-roi-attention", 3.0, image_features="frcnn-resnet50")
    assert fact_value(RecordedResults.read(own), "detector_map", 0) == "--"


def test_facts_of_the_study_over_batch_sizes(folder, tmp_path):
    facts = RecordedResults.read(folder)
    found = [
        fact_value(facts, key, 0) for key in ("batch-smallest", "batch-largest", "hardest-largest", "all-smallest")
    ]
    # Made up: 240 less a fiftieth of the batch, and a point more for the second seed.
    assert found == ["32", "2,048", f"{240 - 2048 / 50 + 0.5:.1f}", f"{240 - 32 / 50 + 0.5:.1f}"]
    assert fact_value(facts, "hardest-largest-share", 0) == f"{0.2048 / 0.2:.2f}"
    assert {"batch sizes", "row ab-infonce"} <= facts.used.keys()
    # Nothing was tried without warm-up.
    assert fact_value(facts, "hardest-largest-cold", 0) == "--"
    with pytest.raises(XmrError, match="has no loss 'magic'; it has infonce, semihard, all, hardest"):
        fact_value(facts, "magic-largest", 0)
    own = tmp_path / "own" / "scenes"
    write_made_up_run(own, "ab-infonce", 3.0)
    with pytest.raises(XmrError, match="the study over batch sizes is not recorded; 'xmr run --dataset scenes"):
        fact_value(RecordedResults.read(own), "hardest-largest", 0)


def test_the_epoch_of_the_siamese_encoder_and_the_model_of_the_map(folder):
    facts = RecordedResults.read(folder)
    # Counted from 1, in the record from 0.
    assert fact_value(facts, "siamese_epochs", 0) == "2" and "siamese" in facts.used
    assert fact_value(facts, "space_model", 0) in NAMES.values()


def test_facts_of_the_study_over_boxes(folder, tmp_path):
    facts = RecordedResults.read(folder)
    assert fact_value(facts, "boxes_given", 0) == "255.0" and fact_value(facts, "boxes_worst", 0) == "240.0"
    assert fact_value(facts, "boxes_worst_map", 0) == "5.5" and "plotdata detector_quality" in facts.used
    own = tmp_path / "own" / "scenes"
    write_made_up_run(own, "c-roi-attention", 3.0)
    write_made_up_run(own, "r-fasttext", 4.0)
    assert fact_value(RecordedResults.read(own), "boxes_given", 0) == "--"
    table = read_plotdata(folder, "detector_quality")
    write_plotdata(own, "detector_quality", table)
    with pytest.raises(XmrError, match=r"detector_quality\.csv is not of the recorded runs .* --only 03'"):
        fact_value(RecordedResults.read(own), "boxes_given", 0)


def test_facts_of_the_schedule_setting_by_setting(tmp_path):
    own = tmp_path / "own" / "scenes"
    base = [result.val_rsum for result in write_made_up_run(own, "r-fasttext", 3.0, seeds=(0, 1))]
    assert fact_value(RecordedResults.read(own), "schedule-dropout", 0) == "--"
    # A seed that the base has not been trained with tells nothing.
    moved = [(0, base[0] - 2), (1, base[1] - 3), (2, 600.0)]
    points = [Point("r-fasttext-learning-rate", seed, rsum, 3, 3, 0.1, 0.2, 1.0, "0") for seed, rsum in moved]
    add_points(sweep_file(own, "schedule"), points)
    facts = RecordedResults.read(own)
    assert fact_value(facts, "schedule-learning-rate", 0) == "$-2.5$"
    assert fact_value(facts, "schedule-learning-rate-spread", 0) == "$-3.0$ to $-2.0$"
    assert fact_value(facts, "schedule-dropout", 0) == "--" and "schedule" in facts.used


def test_models_that_rest_on_one_seed_are_counted(folder):
    facts = RecordedResults.read(folder)
    alone = {run for run, row in facts.rows.items() if row["seeds"] == "1"}
    of_several = {run for run in alone if MODELS[run].get("seeds")}
    assert {"f-table-late", "s-late"} <= of_several and "f-words-late" in alone - of_several
    assert fact_value(facts, "single_seed", 0) == str(len(alone - of_several))


def test_comparisons_are_the_paired_test_after_holm(folder):
    facts = RecordedResults.read(folder)
    pairs = [("ab-infonce", "ab-triplet-all"), ("e-gru", "ab-infonce"), ("e-gru", "e-lstm"), ("e-lstm", "e-gru")]
    comparisons = Comparisons.of(facts, [(*pair, "") for pair in (*pairs, ("e-gru", "e-gru"))])
    assert len(comparisons.pairs) == 3
    # By hand: two models with two seeds, one of them against a model with one: each counts with all its own.
    raw = [
        paired_test(facts.ranks("ab-infonce"), facts.ranks("ab-triplet-all")),
        paired_test(facts.ranks("ab-infonce"), facts.ranks("e-gru")),
        paired_test(facts.ranks("e-gru"), facts.ranks("e-lstm")),
    ]
    for pair, p in zip(pairs, holm(raw), strict=False):
        found = comparisons.between(*pair)
        assert found.p == pytest.approx(p)
        back = comparisons.between(*pair[::-1])
        assert (back.p, back.difference) == (found.p, -found.difference)
    rows = [float(facts.row(run)["rsum"]) for run in ("e-gru", "ab-infonce")]
    assert [len(facts.results(run)) for run in ("e-gru", "ab-infonce")] == [1, 2]
    # What the rows of the tables differ by.
    assert comparisons.between("e-gru", "ab-infonce").difference == pytest.approx(rows[0] - rows[1], abs=1e-3)


@pytest.fixture
def three(tmp_path):
    """A good model, a bad one, and one like the good one."""
    folder = tmp_path / "scenes"
    for run, mean in (("ab-infonce", 2.0), ("cca-mean", 20.0), ("e-gru", 2.05)):
        write_made_up_run(folder, run, mean)
    return folder


def test_decisions_higher_lower_undecided(three, tmp_path):
    (tmp_path / "published.csv").write_text(PUBLISHED)
    pairs = [("ab-infonce", "cca-mean"), ("cca-mean", "ab-infonce"), ("ab-infonce", "e-gru"), ("e-gru", "e-gru")]
    uses = [Use(macro, pair, "x:1") for pair in pairs for macro in ("compare", "ifbetter", "difference", "points")]
    text = numbers_tex(RecordedResults.read(three), tmp_path, uses, "scenes")
    value = dict(re.findall(r"^\\xmrset\{([^}]*)\}\{(.*)\}% ", text, re.M))
    better, worse, like, same = (value[f"compare:{a}:{b}"] for a, b in pairs)
    # Of comparisons that are beyond doubt the text says once how small p is.
    assert re.fullmatch(r"scores \d+\.\d higher than CCA", better)
    assert re.fullmatch(r"scores \d+\.\d lower than InfoNCE in both directions", worse)
    assert re.fullmatch(
        r"cannot be told apart from a GRU over frozen words "
        r"\(difference \S+\d+\.\d \[\$-\$\d+\.\d, \$\+\$\d+\.\d\], \$p=\d\.\d{3,4}\$\)",
        like,
    )
    facts = RecordedResults.read(three)
    doubtful = Comparisons(facts, ((*pairs[1], ""),))
    doubtful.__dict__["p_values"] = {(*pairs[0], ""): 0.012}
    assert re.fullmatch(r"scores \d+\.\d higher than CCA \(\$p=0\.012\$\)", doubtful.sentence(*pairs[0]))
    assert same == "is the very model called a GRU over frozen words"
    # \ifcase: text for higher, for lower, for undecided.
    assert [value[f"ifbetter:{a}:{b}"] for a, b in pairs] == ["0", "1", "2", "2"]
    points = value["points:ab-infonce:cca-mean"]
    assert value["difference:ab-infonce:cca-mean"] == f"$+${points}"
    assert value["difference:cca-mean:ab-infonce"] == f"$-${points}"
    assert f"scores {points} higher" in better


def test_one_direction_is_compared_by_its_own_recalls(three, tmp_path):
    (tmp_path / "published.csv").write_text(PUBLISHED)
    uses = [Use("comparein", (way, "ab-infonce", "cca-mean"), "x:1") for way in ("itot", "ttoi")]
    facts = RecordedResults.read(three)
    uses += [Use("fact", ("comparisons",), "x:1")]
    text = numbers_tex(facts, tmp_path, uses, "scenes")
    value = dict(re.findall(r"^\\xmrset\{([^}]*)\}\{(.*)\}% ", text, re.M))
    assert value["fact:comparisons"] == "2"
    for name, way in (("itot", "i2t"), ("ttoi", "t2i")):
        sums = [sum(float(facts.rows[run][f"{way}_r{k}"]) for k in (1, 5, 10)) for run in ("ab-infonce", "cca-mean")]
        assert value[f"comparein:{name}:ab-infonce:cca-mean"] == f"scores {sums[0] - sums[1]:.1f} higher than CCA"
    # A model that differs in the other direction alone is undecided in this one.
    ranks = facts.ranks("cca-mean")
    better = [Ranks(own.i2t_positions, np.ones_like(own.t2i), own.image_of_caption) for own in ranks]
    assert paired_test(better, ranks, directions=("i2t",)) == 1.0
    assert paired_test(better, ranks, directions=("t2i",)) < 0.001
    with pytest.raises(XmrError, match=r"x:1: \\comparein: no direction is called 'both'; there are itot, ttoi"):
        numbers_tex(facts, tmp_path, [Use("comparein", ("both", "ab-infonce", "cca-mean"), "x:1")], "scenes")


def test_more_comparisons_ask_for_more(folder):
    facts = RecordedResults.read(folder)
    runs = [run for run in facts.rows if run.startswith("e-")]
    alone = Comparisons.of(facts, [(runs[0], runs[1], "")]).between(runs[0], runs[1]).p
    among = Comparisons.of(facts, [(runs[0], other, "") for other in runs[1:]]).between(runs[0], runs[1]).p
    assert among >= alone


def test_every_model_of_the_study_has_a_readable_name():
    from xmr_lib.study import MODELS
    from xmr_lib.study.among_images import METRIC_LEARNING

    assert set(NAMES) == {*MODELS, *METRIC_LEARNING, "i-pooled", "i-regions"}
    assert all(name.isascii() for name in NAMES.values())
    assert len(set(NAMES.values())) == len(NAMES)
    assert all(run in MODELS for members in GROUPS.values() for run in members)


def test_values_become_tex():
    assert escape("a_b & 100 % #1 {x} → y") == r"a\_b \& 100 \% \#1 \{x\} $\to$ y"
    assert [scientific(value) for value in (1e-3, 2e-3, 0.00015)] == [
        "$10^{-3}$",
        r"$2\times10^{-3}$",
        r"$1.5\times10^{-4}$",
    ]
    assert [signed(value) for value in (1.25, -3.0, 0.04, -0.04)] == ["$+$1.2", "$-$3.0", "0.0", "0.0"]
    assert [p_text(p) for p in (0.0004, 0.0123, 0.0496, 0.0503, 0.05, 1.0)] == [
        "$p<0.001$", "$p=0.012$", "$p=0.0496$", "$p=0.0503$", "$p=0.050$", "$p=1.000$",
    ]  # fmt: skip


def test_the_hash_stands_in_the_file():
    text = with_hash("% x\n", "0123abcd")
    assert r"\newcommand\factshash{0123abcd}" in text and "/XMRFacts (0123abcd)" in text
