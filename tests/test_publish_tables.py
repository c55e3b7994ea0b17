"""Tables of the documents: the record's own numbers, the best in bold, chance below."""

import csv
import re
import shutil
from pathlib import Path

import pytest
from made_up_results import write_made_up_results

from xmr_lib.errors import XmrError
from xmr_lib.publish.facts import RecordedResults
from xmr_lib.publish.tables import table_tex
from xmr_lib.publish.tabular import Cell, Column, Row, tabular
from xmr_lib.publish.tex import escape
from xmr_lib.study.names import NAMES
from xmr_lib.study.table_rows import HEADLINE, OURS, TABLES, TASKS
from xmr_lib.summary_csv import SUMMARY_COLUMNS, TEXT_COLUMNS

ALL = ("all_wide", "all_others_wide")
SPECIAL = ("image_retrieval", "published", "false_negatives", *ALL, "configs", "torture", "scale")
ROOT = Path(__file__).parent.parent
EXACT = ("exact float16", "1000000")
PUBLISHED = (
    "slug,dataset,method,image_features,text_features,i2t_r1,i2t_r5,i2t_r10,t2i_r1,t2i_r5,t2i_r10,note,cite,source\n"
    "whole,scenes,Whole,VGG,GRU,10.0,20.0,30.5,5.0,15.0,25.5,e,,Somebody 2001\n"
    "old,scenes,Old,VGG,LSTM,99.9,,,1.0,2.0,3.0,,old1999,Somebody 1999\n"
    "other,elsewhere,Other,VGG,LSTM,55.5,,,1.0,2.0,3.0,,,Nobody\n"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_made_up_results(tmp_path_factory.mktemp("results") / "scenes")
    (folder / "published.csv").write_text(PUBLISHED)
    return folder


def body(text):
    """Rows with numbers: cells without bold, and the comment."""
    rows = [line.split(r"\\") for line in text.splitlines() if "&" in line and "R@" not in line]
    return [
        ([cell.strip() for cell in re.sub(r"\\textbf\{(.*?)\}", r"\1", cells).split("&")], rest) for cells, rest in rows
    ]


@pytest.mark.parametrize("name", TABLES)
def test_numbers_are_those_of_the_record_and_carry_their_origin(folder, name):
    facts = RecordedResults.read(folder)
    text = table_tex(facts, folder, name)
    lines = [line for block in TABLES[name] for line in block]
    found = [row for row in body(text) if "chance" not in row[0][0] and "seeds" in row[1]]
    assert len(found) == len(lines)
    for (cells, origin), line in zip(found, lines, strict=True):
        row = facts.rows[line.run]
        assert cells[0] == line.label
        assert origin.startswith(f"% {line.run}, scenes, seeds 0")
        assert cells[-1] == row["seeds"]
        assert f"{float(row['rsum']):.1f}" in cells
        assert f"{float(row['rsum_low']):.1f}--{float(row['rsum_high']):.1f}" in cells
        numbers = [row[column] for column in SUMMARY_COLUMNS[8:] if column not in TEXT_COLUMNS]
        # The clock of these runs was not read.
        printed = {f"{float(number):.1f}" for number in numbers if number}
        assert {cell for cell in cells[1:-1] if "--" not in cell} <= printed
    chance = facts.results("cca-mean")[0].chance
    assert f"& {chance['rsum']:.1f}" in text.splitlines()[-3]


@pytest.mark.parametrize("name", [*TABLES, *SPECIAL, "regions_wide"])
def test_a_table_is_whole(folder, name):
    text = table_tex(RecordedResults.read(folder), folder, name)
    assert text.count("\\begin{tabular}") == text.count("\\end{tabular}") == 1
    assert all(rule in text for rule in (r"\toprule", r"\midrule", r"\bottomrule"))
    columns = re.search(r"\\begin\{tabular\}\{(.*)\}$", text, re.M)[1]
    width = len(re.sub(r"@\{(\\hspace\{[^{}]*\})?\}", "", columns))
    for line in text.splitlines():
        if "&" in line and "multicolumn" not in line:
            assert line.split(r"\\")[0].count("&") == width - 1, line


def test_the_wide_tables_have_all_models_by_task(folder):
    facts = RecordedResults.read(folder)
    rows = [row for name in ALL for row in body(table_tex(facts, folder, name))]
    found = [cells[0] for cells, origin in rows if "seeds" in origin]
    runs = [re.search(r"\\textsf\{(.*)\}", cell)[1] for cell in found]
    assert sorted(runs) == sorted(facts.rows)
    assert {row["task"] for row in facts.rows.values()} <= {task for task, _ in TASKS}


def test_what_was_tried_against_the_readers_is_summed_up(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("xmr_lib.publish.facts.reference_root", lambda: tmp_path)
    facts = RecordedResults.read(folder)
    with pytest.raises(XmrError, match=r"table torture: .*summary\.csv: not there; 'make torture' makes it"):
        table_tex(facts, folder, "torture")
    (tmp_path / "torture").mkdir()
    lines = ["trial,what,tried,told,read,same", "killed,a job,3,0,0,3", "one bit flipped,a,900,890,0,10"]
    (tmp_path / "torture" / "summary.csv").write_text("\n".join([*lines, "one bit flipped,b,200,100,20,80", ""]))
    text = table_tex(facts, folder, "torture")
    assert r"killed & 1 & 3 & 0 & 0 & 3 \\" in text
    assert r"one bit flipped & 2 & 1,100 & 990 & 20 & 90 \\" in text and "torture" in facts.used


def test_what_more_pairs_would_take_is_what_was_measured_times_their_number(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("xmr_lib.publish.facts.reference_root", lambda: tmp_path)
    facts = RecordedResults.read(folder)
    bench = tmp_path / "bench"
    bench.mkdir()
    (bench / "rates.csv").write_text("name,value,unit\npictures,100,a\ncaptions,500,b\npairs,20000,c\n")
    with pytest.raises(XmrError, match=r"table scale: .*engines\.csv: not there; 'make bench LONG=1' makes it"):
        table_tex(facts, folder, "scale")
    shutil.copy(ROOT / "results" / "bench" / "engines.csv", bench)
    rows = {cells[0]: cells[1:] for cells, _ in body(table_tex(facts, folder, "scale")) if cells[0]}
    # A million pictures at 100 a second: 10,000 seconds, 2.8 hours.
    assert rows["features of the images"] == ["h", "2.8", "278"]
    assert rows["MiniLM over the captions"] == ["h", "0.56", "56"]
    # 16 epochs of a million pairs, 20,000 a second: 800 seconds.
    assert rows["training, 16 epochs"] == ["h", "0.22", "22"]
    assert rows["embeddings of one side"] == ["GB", "2.0", "205"]
    [exact] = [r for r in csv.DictReader((bench / "engines.csv").open()) if (r["engine"], r["vectors"]) == EXACT]
    assert float(rows["exact search: a query"][1]) == pytest.approx(1 / float(exact["queries_per_second"]), rel=0.05)
    assert {"bench rates", "bench engines"} <= set(facts.used)
    # Rows that nobody measured are a gap like a file that is not there.
    lines = (bench / "rates.csv").read_text().splitlines(keepends=True)
    (bench / "rates.csv").write_text("".join(line for line in lines if not line.startswith("pairs")))
    with pytest.raises(XmrError, match=r"table scale: bench rates: nothing measured of pairs; 'benchmarks/rates\.py'"):
        table_tex(RecordedResults.read(folder), folder, "scale")


def test_published_numbers_of_this_dataset_alone(folder):
    facts = RecordedResults.read(folder)
    text = table_tex(facts, folder, "published")
    assert r"Old~\cite{old1999} & VGG & LSTM & \textbf{99.9} & 1.0 & -- \\% published.csv, Somebody 1999" in text
    assert r"Whole$^{e}$ & VGG & GRU & 10.0 & \textbf{5.0} & 106.0 \\% published.csv, Somebody 2001" in text
    assert "Other" not in text
    ours = [row for row in body(text) if "seeds" in row[1]]
    assert [cells[2] for cells, _ in ours] == list(OURS.values())
    # Each block has its own best.
    best = max(float(facts.rows[line.run]["rsum"]) for line in OURS)
    assert f"\\textbf{{{best:.1f}}}" in text
    late = next(cells for cells, origin in ours if origin.startswith("% s-late"))
    assert late[1] == "Lite0 + Lite2"


def test_a_run_that_a_table_needs(folder):
    facts = RecordedResults.read(folder)
    del facts.rows["e-bigru"]
    with pytest.raises(XmrError, match=r"table recurrent: .*no row of the run 'e-bigru'; 'xmr train e-bigru"):
        table_tex(facts, folder, "recurrent")
    assert "word table twice" in table_tex(facts, folder, "fusion")
    del facts.rows["f-table-late"]  # not needed
    assert "word table twice" not in table_tex(facts, folder, "fusion")


def test_an_unknown_table(folder):
    with pytest.raises(XmrError, match="table magic: there is none of this name; there are basics"):
        table_tex(RecordedResults.read(folder), folder, "magic")


def test_the_best_of_a_column_is_bold_and_ties_are_too():
    columns = [Column("m", "l"), Column("up"), Column("down", best="min"), Column("n", best="none")]
    rows = [
        Row([Cell(name), Cell(f"{up:.1f}", up), Cell(f"{down:.1f}", down), Cell("1", 1.0)])
        for name, up, down in (("a", 1.04, 3.0), ("b", 1.01, 2.0), ("c", 0.9, 5.0))
    ]
    text = tabular(
        columns, [("", rows[:2]), ("others", rows[2:])], Row([Cell("chance"), Cell("9.0"), Cell(""), Cell("")])
    )
    assert r"a & \textbf{1.0} & 3.0 & 1 \\" in text
    assert r"b & \textbf{1.0} & \textbf{2.0} & 1 \\" in text
    assert r"c & 0.9 & 5.0 & 1 \\" in text
    assert "chance & 9.0 &" in text
    assert r"\emph{others}" in text


def test_headline_rows_are_rows_of_tables():
    in_tables = {line.run for blocks in TABLES.values() for block in blocks for line in block}
    assert {line.run for line in (*HEADLINE, *OURS)} <= in_tables


HOSTILE = "[50% of_#1 & {x} $y$ ~ ^ \\z"
"""What may stand in a cell that a person writes."""
PRINTED = r"{[}50\% of\_\#1 \& \{x\} \$y\$ \textasciitilde{} \textasciicircum{} \textbackslash{}z"


def rewritten(folder, name, rows):
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_names_of_methods_runs_and_sources_are_texts_and_no_tex(folder, tmp_path):
    folder = shutil.copytree(folder, tmp_path / "scenes")
    published = {"slug": "a", "dataset": "scenes", "method": HOSTILE, "i2t_r1": "1.5", "source": "one\n& two \\\\ %"}
    rewritten(folder, "published.csv", [published])
    rows = list(csv.DictReader((folder / "image_retrieval.csv").open()))
    rewritten(folder, "image_retrieval.csv", [rows[0] | {"run": HOSTILE}, *rows[1:]])
    facts = RecordedResults.read(folder)
    text = table_tex(facts, folder, "published")
    assert f"\n{PRINTED} & -- & -- & 1.5 & -- & -- \\\\% published.csv, one & two" in text
    assert not [line for line in text.splitlines() if "two" in line and not line.startswith(PRINTED)]
    assert f"\n{PRINTED} & " in table_tex(facts, folder, "image_retrieval")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"i2t_r1": "45.2%"}, r"published.csv: 'a': i2t_r1 is '45.2%'; write a number"),
        ({"i2t_r1": "1_0"}, r"i2t_r1 is '1_0'"),
        ({"i2t_r1": "nan"}, r"i2t_r1 is 'nan'"),
        ({"cite": "a}b"}, r"'a': cite is 'a}b'; write a key of main.bib"),
        ({"method": ""}, r"each row needs a 'slug' of its own and 'source', 'dataset', 'method'"),
        ({"method": "李"}, r"table published: '李' holds '李' \(U\+674E\)"),
    ],
)
def test_what_is_no_number_or_key_of_others_is_told(folder, tmp_path, changed, message):
    row = {"slug": "a", "dataset": "scenes", "method": "A", "i2t_r1": "1.5", "cite": "x2000", "source": "S"}
    rewritten(tmp_path, "published.csv", [row | changed])
    with pytest.raises(XmrError, match=message):
        table_tex(RecordedResults.read(folder), tmp_path, "published")


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("r1", "4_2", "'i-pooled' has no number as its 'r1'"),
        ("seeds", "\\x", "no number as its 'seeds'"),
        ("map", "", "no 'map'"),
    ],
)
def test_image_retrieval_that_nobody_wrote_is_told(folder, tmp_path, column, value, message):
    folder = shutil.copytree(folder, tmp_path / "scenes")
    rows = list(csv.DictReader((folder / "image_retrieval.csv").open()))
    rewritten(folder, "image_retrieval.csv", [rows[0] | {column: value}])
    with pytest.raises(XmrError, match=message + ".*; 'xmr run --dataset scenes --only 07'"):
        table_tex(RecordedResults.read(folder), folder, "image_retrieval")


def test_readable_names_are_tex_as_they_are():
    """No text that is escaped on its way: the one with brackets never begins a row."""
    found = {name for name in NAMES.values() if escape(name) != name}
    assert found == {"the [CLS] token of MiniLM"}


def test_false_negatives_are_those_of_notebook_11_and_of_the_recorded_runs(folder, tmp_path):
    own = shutil.copytree(folder, tmp_path / "scenes")
    rows = body(table_tex(RecordedResults.read(own), own, "false_negatives"))
    recorded = RecordedResults.read(own).results("ab-infonce-meanmax")[0].test["t2i_r1"]
    cells = [cells for cells, origin in rows if "ab-infonce-meanmax" in origin][-1]
    assert cells[:2] == [r"t$\to$i", "shared words"] and cells[2] == f"{recorded:.1f}" and cells[3] == "12.5"
    path = own / "tables" / "11_false_negatives.csv"
    path.write_text(path.read_text().replace(f",{recorded:.1f},", f",{recorded + 3:.1f},"))
    with pytest.raises(XmrError, match=r"not of the recorded runs \(R@1 of 'ab-infonce-meanmax'"):
        table_tex(RecordedResults.read(own), own, "false_negatives")
    path.unlink()
    with pytest.raises(XmrError, match="'xmr run --dataset scenes --profile demo --only 11' makes it"):
        table_tex(RecordedResults.read(own), own, "false_negatives")
