"""The TeX sources: what they name, and that no result is typed in them."""

import re
from pathlib import Path

import pytest
from tex_digits import typed_digits

from xmr_lib.errors import XmrError
from xmr_lib.publish.figures import FIGURES
from xmr_lib.publish.galleries import GALLERIES
from xmr_lib.publish.sources import DOCUMENTS, figures_named, tables_named, uses

REPORT = Path(__file__).parent.parent / "report"
METHOD = {"3_method.tex", "S_features.tex"}
"""Sources that say how things are computed: their formulas may have numbers."""
SOURCES = sorted([*REPORT.glob("sec/*.tex"), *(REPORT / f"{name}.tex" for name in DOCUMENTS)])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_digit_is_typed(path):
    assert typed_digits(path.read_text("utf-8"), path.name in METHOD) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The model scores 12.3 points higher.", 2),
        (r"It has $p<0.01$.", 2),
        (r"R@5 of \val{ab-infonce}{rsum}", 1),
        (r"\begin{tabular}{lr} CCA & 18.9 \\ \end{tabular}", 2),
        (r"\caption{Results with 3 seeds.}", 1),
        (r"\ifbetter{c-roi-mean}{ab-infonce}{gains 4 points}{}{}", 1),
        (r"see \cref{tab:12} and \cite{smith2020}, \vspace{2pt} \includegraphics[width=0.5\linewidth]{fig1}", 0),
        (r"\val{d-meanmax-layers4to6}{i2t_r10} \fact{draws} % 42 of them", 0),
        (r"\begin{tikzpicture} \draw (0,0) -- (1,2); \end{tikzpicture}", 0),
    ],
)
def test_the_search_for_digits_finds_them(text, found):
    assert len(typed_digits(text)) == found


def test_formulas_may_have_numbers_where_the_method_is_told():
    assert typed_digits(r"$\tfrac12 x_1$", method=True) == [] != typed_digits(r"$\tfrac12 x_1$")
    assert typed_digits(r"$x_1$ reaches 12 points", method=True)


@pytest.fixture
def folder(tmp_path):
    """Sources of the test's own."""
    folder = tmp_path / "report"
    (folder / "sec").mkdir(parents=True)
    for name in DOCUMENTS:
        (folder / f"{name}.tex").write_text("")
    return folder


def test_uses_are_found_wherever_they_stand(folder):
    (folder / "main.tex").write_text(
        "% \\val{commented}{out}\n100\\,\\% \\val{a}{rsum}\n"
        "\\ifbetter{a}\n  {@g}{by \\difference{a}{b}}{}{}\\foreach \\name in {x} \\values\n\\val{a}{rsum}"
    )
    found = {use.key: use.place for use in uses(folder)}
    assert found == {
        "val:a:rsum": "report/main.tex:2",
        "ifbetter:a:@g": "report/main.tex:3",
        "difference:a:b": "report/main.tex:4",
    }


@pytest.mark.parametrize("text", [r"\val{a}", r"\rsum{#1}", r"\compare{a}{\other}", r"\val{}{rsum}"])
def test_a_use_must_name_things_plainly(folder, text):
    (folder / "sec" / "1.tex").write_text("\n" + text)
    with pytest.raises(XmrError, match=r"report/sec/1\.tex:2: \\\w+ takes \d plain"):
        uses(folder)


def test_tables_and_figures_are_found(folder):
    (folder / "slides.tex").write_text(
        "\\input{tables/basics}\\input{sec/x}\\includegraphics<1>[width=1cm]{rsum_all}\\includegraphics{figures/b.pdf}"
    )
    assert tables_named(folder) == ["basics"]
    assert figures_named(folder) == ["b", "rsum_all"]


def test_what_was_built_is_no_source(folder):
    (folder / "build" / "scenes").mkdir(parents=True)
    (folder / "build" / "scenes" / "main.tex").write_text("\\val{a}{rsum}")
    assert uses(folder) == []


def test_a_missing_document_is_told(folder):
    (folder / "slides.tex").unlink()
    with pytest.raises(XmrError, match=r"slides\.tex: not here"):
        uses(folder)


def test_every_figure_of_the_sources_has_a_maker():
    assert set(figures_named(REPORT)) <= {*FIGURES, *GALLERIES}


def test_every_citation_has_an_entry_and_every_label_is_there_once():
    texts = "\n".join(path.read_text("utf-8") for path in REPORT.rglob("*.tex") if "build" not in path.parts)
    entries = re.findall(r"^@\w+\{([^,]+),", (REPORT / "main.bib").read_text("utf-8"), re.M)
    assert len(entries) == len(set(entries)) >= 25
    cited = {key.strip() for keys in re.findall(r"\\cite\w*\{([^}]+)\}", texts) for key in keys.split(",")}
    assert cited <= set(entries)
    labels = re.findall(r"\\label\{([^}]+)\}", texts)
    assert len(labels) == len(set(labels))
