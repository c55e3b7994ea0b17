"""From facts to PDFs: what is checked, what is built again, what is packed."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import matplotlib as mpl
import pytest
from made_up_results import write_made_up_results, write_made_up_run
from typer.testing import CliRunner

from xmr_lib import cli, publish
from xmr_lib.errors import XmrError
from xmr_lib.publish import (
    PAPER,
    SLIDES,
    Plan,
    build,
    commit_documents,
    documents,
    latex,
    pack,
    put_on_top,
    stale_files,
)
from xmr_lib.publish.latex import Latex, find_latex
from xmr_lib.publish.latex_log import read_log
from xmr_lib.publish.pdf import facts_hash, has_type_3_fonts, objects
from xmr_lib.publish.sources import DOCUMENTS

ROOT = Path(__file__).parent.parent
TINY = r"""
\documentclass{article}
\usepackage{graphicx,booktabs}
\input{numbers}
\input{team}
\graphicspath{{figures/}}
\begin{document}
\sloppy \teammembers: \rsum{ab-infonce}, \ifbetter{ab-infonce}{cca-mean}{up}{down}{undecided}.
InfoNCE \emph{\compare{ab-infonce}{cca-mean}}.

\begin{figure} \caption{\val{ab-infonce}{rsum} of \name{@cca}} \includegraphics[width=5cm]{rsum_all} \end{figure}

\input{tables/basics}

\clearpage \ref{here} \label{here}
\end{document}
"""
PUBLISHED = "slug,dataset,method,i2t_r1,i2t_r10,t2i_r1,t2i_r10,cite,source\nold,scenes,Old,1.0,2.0,3.0,4.0,,Somebody\n"


@pytest.fixture(scope="session")
def made_up(tmp_path_factory):
    """Results of every model, as scenes and as Flickr8k."""
    results = tmp_path_factory.mktemp("made-up")
    for dataset in ("scenes", "flickr8k"):
        write_made_up_results(results / dataset)
    return results


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A root with small documents of its own."""
    monkeypatch.setenv("XMR_HOME", str(tmp_path))
    monkeypatch.setattr(documents, "PAGES", {"main": (1, 2)})
    folder = tmp_path / "report"
    folder.mkdir()
    for name in DOCUMENTS:
        (folder / f"{name}.tex").write_text(TINY)
    (folder / "published.csv").write_text(PUBLISHED)
    shutil.copy(ROOT / "report" / "team.yaml", folder)
    return tmp_path


@pytest.fixture
def plan(home, made_up):
    (home / "runs").symlink_to(made_up)
    return Plan.of("scenes", strict=True)


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_where_things_go(home):
    plan = Plan.of("flickr8k", galleries_from="scenes")
    assert plan.folder == home / "report" / "build" / "flickr8k"
    assert (plan.results, plan.galleries) == (home / "results", home / "results" / "scenes")
    # Own runs come before the reference, dataset by dataset, but not for what is committed.
    (home / "runs" / "flickr8k").mkdir(parents=True)
    assert Plan.of("flickr8k").results == home / "results"
    (home / "runs" / "flickr8k" / "summary.csv").touch()
    assert Plan.of("flickr8k").results == home / "runs" and not Plan.of("flickr8k").of_reference
    assert Plan.of("scenes", galleries_from="flickr8k").galleries == home / "runs" / "flickr8k"
    committed = Plan.of("flickr8k", galleries_from="scenes", reference=True)
    assert committed.of_reference and committed.results == home / "results"
    with pytest.raises(XmrError, match="and of no other"):
        Plan.of("flickr8k", "elsewhere", reference=True)
    elsewhere = Plan.of("scenes", str(home / "mine"), str(home / "other" / "scenes"))
    assert elsewhere.folder == home / "mine" / "scenes" / "report"
    assert elsewhere.galleries == home / "other" / "scenes"


def test_a_document_is_built_once_and_again_when_a_fact_changes(latex, plan, home, made_up, tmp_path_factory):
    [pdf] = build(plan, ["main"])
    assert pdf == home / "report" / "build" / "scenes" / "report.pdf"
    assert not has_type_3_fonts(pdf) and len(facts_hash(pdf)) == 16
    figure = plan.folder / "figures" / "rsum_all.pdf"
    assert not has_type_3_fonts(figure)
    before, drawn = pdf.stat().st_mtime_ns, figure.stat().st_mtime_ns
    build(plan, ["main"])
    assert (pdf.stat().st_mtime_ns, figure.stat().st_mtime_ns) == (before, drawn)
    # Another text: LaTeX again, but no figure.
    edit(home / "report" / "main.tex", "undecided}.", "undecided}, as we know.")
    build(plan, ["main"])
    assert pdf.stat().st_mtime_ns > before and figure.stat().st_mtime_ns == drawn
    # Another result: a figure too, and another hash.
    own = tmp_path_factory.mktemp("own")
    shutil.copytree(made_up / "scenes", own / "scenes")
    (home / "runs").unlink()
    (home / "runs").symlink_to(own)
    carried = facts_hash(pdf)
    write_made_up_run(own / "scenes", "cca-mean", 3.3)
    build(plan, ["main"])
    assert figure.stat().st_mtime_ns > drawn and facts_hash(pdf) != carried
    # A figure that is no longer named is gone.
    edit(home / "report" / "main.tex", r"\includegraphics[width=5cm]{rsum_all}", "")
    for name in set(DOCUMENTS) - {"main"}:
        shutil.copy(home / "report" / "main.tex", home / "report" / f"{name}.tex")
    build(plan, ["main"])
    assert not figure.exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (r"\clearpage", r"\magic", r"main.log: error: .*main.tex:15: Undefined control sequence"),
        (r"\ref{here}", r"\ref{there}", "undefined: there"),
        (r"\ref{here}", r"\cite{nobody}", "undefined: nobody"),
        (r"\clearpage", r"\hbox to 12cm{\hskip 30cm}\hbox{\rule{20cm}{1pt}}", r"Overfull \\hbox"),
    ],
)
def test_latex_is_listened_to(latex, plan, home, old, new, message):
    edit(home / "report" / "main.tex", old, new)
    with pytest.raises(XmrError, match=message):
        build(plan, ["main"])
    assert not (plan.folder / "report.pdf").exists()


def test_a_page_too_many_is_a_warning_and_no_reason_to_go_without_the_pdf(latex, plan, home, capsys):
    edit(home / "report" / "main.tex", r"\clearpage", r"x\clearpage x\clearpage x\clearpage")
    for _ in range(2):
        [pdf] = build(plan, ["main"])
        assert pdf.is_file()
        # Said again of the PDF that is there already.
        assert f"warning: {pdf}: 4 pages; there should be 1 to 2" in capsys.readouterr().err


def test_a_style_of_references_that_is_taken_away_leaves_no_trace(latex, plan, home):
    cited = r"\nocite{a}\IfFileExists{own.bst}{\bibliographystyle{own}}{\bibliographystyle{plain}}\bibliography{main}"
    edit(home / "report" / "main.tex", r"\clearpage", cited + r"\clearpage")
    (home / "report" / "main.bib").write_text("@misc{a, title = {A}, author = {B}}")
    plain = subprocess.run(["kpsewhich", "plain.bst"], capture_output=True, text=True, check=True).stdout.strip()
    own = home / "report" / "own.bst"
    for there in (True, False):
        shutil.copy(plain, own) if there else own.unlink()
        build(plan, ["main"])
        style = "own" if there else "plain"
        assert f"The style file: {style}.bst" in (plan.folder / "main.blg").read_text()


def test_the_reference_is_read_and_not_written(home, made_up):
    (home / "results").mkdir()
    shutil.copytree(made_up / "scenes", home / "results" / "scenes")
    (home / "results" / "scenes" / "numbers.tex").write_text("as committed")
    shown = CliRunner().invoke(cli.app, ["overleaf"])
    assert shown.output.splitlines()[0] == f"results: {home / 'results' / 'scenes'} (the reference in git)"
    assert (home / "results" / "scenes" / "numbers.tex").read_text() == "as committed"
    shutil.copytree(made_up / "scenes", home / "runs" / "scenes")
    shown = CliRunner().invoke(cli.app, ["overleaf"])
    assert shown.output.splitlines()[0] == f"results: {home / 'runs' / 'scenes'}"
    assert (home / "runs" / "scenes" / "numbers.tex").read_text().startswith("% Written by")


def test_fonts_of_type_3_are_refused(latex, plan, monkeypatch):
    def save(figure, folder, name, kind):
        folder.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context({"pdf.fonttype": 3}):
            figure.savefig(folder / f"{name}.{kind}")
        return folder / f"{name}.{kind}"

    monkeypatch.setattr(publish.figures, "save_figure", save)
    with pytest.raises(XmrError, match="fonts of Type 3"):
        build(plan, ["main"])


def test_a_number_that_is_not_there_stops_latex(latex, plan, home):
    """Whoever runs LaTeX by hand after adding a number gets no empty place."""
    build(plan, ["main"])
    edit(plan.folder / "main.tex", r"\clearpage", r"\val{e-gru}{rsum}")
    Latex(find_latex().program).run(plan.folder, "main")
    assert "Undefined control sequence" in read_log(plan.folder, "main").problems[0]


def test_nothing_is_written_where_a_fact_is_missing(plan, home):
    edit(home / "report" / "slides.tex", r"\clearpage", r"\val{e-magic}{rsum}")
    with pytest.raises(XmrError, match=r"report/slides.tex:15: \\val: .*no row of the run 'e-magic'"):
        build(plan, ["main"])
    assert not plan.folder.exists()


def test_what_is_not_recorded_is_left_out_and_said_so_unless_it_is_to_be_strict(latex, home, made_up, tmp_path, capsys):
    # Without what other builds have left there.
    shutil.copytree(made_up / "scenes", tmp_path / "less" / "scenes", ignore=shutil.ignore_patterns("numbers.tex"))
    summary = tmp_path / "less" / "scenes" / "summary.csv"
    summary.write_text("".join(line for line in summary.open() if not line.startswith(("c-roi-", "a-recipe,"))))
    more = (
        r"\val{c-roi-gpo}{rsum}, \ifbetter{@regions}{ab-infonce}{up}{down}{undecided}, \fact{comparisons} tests"
        r"\typeout{\ifrecorded{@regions}{had}{missing} regions, \ifrecorded{ab-infonce}{had}{missing} loss}"
        r"\imagerow{clip-zero-shot}{map}\includegraphics[width=5cm]{attention_regions}"
        r"\includegraphics[width=5cm]{shared_space}\input{tables/image_retrieval}"
    )
    edit(home / "report" / "main.tex", r"\clearpage", more)
    (tmp_path / "less" / "scenes" / "image_retrieval.csv").unlink()
    (tmp_path / "less" / "scenes" / "plotdata" / "shared_space.csv").unlink()
    with pytest.raises(XmrError, match="no row of the run"):
        build(Plan.of("scenes", tmp_path / "less", strict=True), ["main"])
    plan = Plan.of("scenes", tmp_path / "less", tmp_path / "nowhere")
    [built] = build(plan, ["main"])
    told = capsys.readouterr().err
    assert "left out, not recorded (--strict stops instead): @regions, a-recipe, attention_regions, c-roi-" in told
    assert ", image retrieval, shared_space" in told
    numbers, table = ((plan.folder / name).read_text() for name in ("numbers.tex", "tables/basics.tex"))
    assert r"\xmrset{val:c-roi-gpo:rsum}{[c-roi-gpo?]}" in numbers and r"{ifbetter:@regions:ab-infonce}{3}" in numbers
    # What is left is compared with what is left; the table has one line less.
    assert r"\xmrset{fact:comparisons}{1}" in numbers
    assert "recipe, t" in table
    assert re.search(r"recipe, i[^&]*& \\multicolumn\{7\}\{c\}\{\\emph\{not recorded\}\}", table)
    assert (plan.folder / "tables" / "image_retrieval.tex").read_text() == "\\emph{image retrieval: not recorded}\n"
    assert (plan.folder / "figures" / "shared_space.pdf").is_file()
    assert "missing regions, had loss" in (plan.folder / "main.log").read_text("utf-8", "replace")
    assert not has_type_3_fonts(built)
    # It is no record of anything.
    assert not (tmp_path / "less" / "scenes" / "numbers.tex").exists()
    edit(home / "report" / "main.tex", "c-roi-gpo", "c-roi-magic")
    with pytest.raises(XmrError, match="no row of the run 'c-roi-magic'"):
        build(plan, ["main"])
    assert Plan.of("scenes", reference=True).strict


def test_a_gallery_that_is_missing_names_the_notebook(plan, home, made_up):
    edit(home / "report" / "main.tex", r"\clearpage", r"\includegraphics{gallery_images}")
    with pytest.raises(
        XmrError, match=r"gallery_images.pdf: the gallery is missing; 'xmr run --dataset nowhere --only 08'"
    ):
        build(Plan.of("scenes", galleries_from="nowhere", strict=True), ["main"])


@pytest.mark.parametrize("what", ["report", "slides"])
def test_without_latex_the_message_says_how_to_get_it(plan, monkeypatch, what):
    monkeypatch.setattr(latex.shutil, "which", lambda name: None)
    stopped = CliRunner().invoke(cli.app, [what])
    assert isinstance(stopped.exception, XmrError)
    told = str(stopped.exception)
    assert "\n" not in told and "LaTeX is missing" in told
    for system in ("apt-get install --no-install-recommends latexmk", "macOS: 'brew", "conda-forge tectonic"):
        assert system in told
    # The numbers are written nevertheless, and the zip needs no LaTeX.
    assert (plan.results / "scenes" / "numbers.tex").is_file()
    assert CliRunner().invoke(cli.app, ["overleaf"]).exit_code == 0


def test_without_latex_the_demo_ends_and_says_so(plan, monkeypatch):
    monkeypatch.setattr(latex.shutil, "which", lambda name: None)
    line = cli.demo.publish_demo(None, {})
    assert "\n" not in line and line.startswith("no report.pdf and no slides.pdf: LaTeX is missing")


def test_tectonic_is_taken_where_there_is_no_latexmk(monkeypatch):
    monkeypatch.setattr(latex.shutil, "which", lambda name: "/bin/tectonic" if name == "tectonic" else None)
    assert find_latex().command("main")[:3] == ["/bin/tectonic", "-X", "compile"]


def test_a_program_that_does_nothing_is_told(tmp_path):
    with pytest.raises(XmrError, match=r"true: wrote no log of main.tex"):
        Latex(shutil.which("true")).run(tmp_path, "main")


def test_the_log_is_read(tmp_path):
    (tmp_path / "x.log").write_text(
        "Overfull \\hbox (9.99pt too wide) in paragraph at lines 1--2\n"
        "Overfull \\vbox (10.5pt too high) has occurred while \\output is active\n"
        "LaTeX Warning: Float too large for page by 9.9pt on input line 3.\n"
        "LaTeX Warning: Float too large for page by 45.3pt on input line 4.\n"
        "LaTeX Warning: Reference `fig:a' on page 1 undefined on input line 3.\n"
        "Package natbib Warning: Citation `b' on page 1 undefined on input line 4.\n"
        "Missing character: There is no ü in font cmr10!\n"
        "Output written on x.pdf (7 pages, 1234 bytes).\n"
    )
    (tmp_path / "x.blg").write_text('Warning--I didn\'t find a database entry for "c"\n')
    log = read_log(tmp_path, "x")
    assert log.pages == 7
    assert [problem.split(":")[0] for problem in log.problems[:3]] == ["undefined"] * 3
    assert log.problems[3].startswith("Overfull \\vbox (10.5pt") and "page by 45.3pt" in log.problems[4]
    assert "ü" in log.problems[5] and len(log.problems) == 6


def test_the_team_and_what_to_fill_in(latex, plan, home):
    assert "fill in: members" in (build(plan, ["main"])[0].parent / "team.tex").read_text()
    (home / "report" / "team.yaml").write_text(
        "members: [{name: Ada & Co, role: all}]\ncoordination: daily\noverleaf: ''\n"
        "speakers: {title: Ada}\nweeks: {1: x}\n"
    )
    text = (build(plan, ["main"])[0].parent / "team.tex").read_text()
    assert r"\newcommand\teammembers{Ada \& Co}" in text and "xmr:speaker:title\\endcsname{Ada}" in text
    for bad, message in (
        ("[", "not YAML"),
        ("members: []", "missing: coordination"),
        ("members: [x]", "must hold|needs"),
    ):
        (home / "report" / "team.yaml").write_text(bad)
        with pytest.raises(XmrError, match=message):
            build(plan, ["main"])


HOSTILE = r"""
members: [{name: "[$#_%&{}~^\\] É", role: "* --all \\input{../x}"}, {name: 0123456, role: }]
coordination: "]50% & ../x_y \\end{document}"
overleaf: https://www.overleaf.com/read/abc_d%20e#1a2b3c&x~y
speakers: {a_b: "#1"}
weeks: {1: no}
"""
ASKED = (
    r"x \\ \teammembers \begin{itemize}\teamroles\end{itemize} \teamcoordination \par\overleaflink \speaker{a_b} "
    r"\weekfindings{1} \fact{dataset} \fact{slug} \datasettext \cfg{ab-infonce}{text.branches.0.features} "
)


def test_hostile_texts_are_set_as_they_are(latex, home, made_up):
    """One document with what people and folders may be called."""
    odd = home / "mine" / "my_50%&#^~[x]{y}"
    shutil.copytree(made_up / "scenes", odd)
    edit(home / "report" / "main.tex", r"{graphicx,booktabs}", r"{graphicx,booktabs,hyperref}")
    edit(home / "report" / "main.tex", r"\clearpage", ASKED)
    (home / "report" / "team.yaml").write_text(HOSTILE, "utf-8")
    plan = Plan.of(odd.name, home / "mine", odd)
    [pdf] = build(plan, ["main"])
    assert b"/URI(https://www.overleaf.com/read/abc_d%20e#1a2b3c&x~y)" in objects(pdf)
    assert zipfile.is_zipfile(pack(plan))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (r"\input{../numbers}", r"\\input of '../numbers'"),
        (r"\input ../numbers ", r"\\input of '../numbers'"),
        (r"\input{sec/../../numbers}", r"\\input of 'sec/../../numbers'"),
        (r"\includegraphics[width=2cm]{/home/ada/rsum_all.pdf}", r"\\includegraphics of '/home"),
        (r"\includegraphics<2>{~/rsum_all}", r"\\includegraphics of '~/rsum_all'"),
        (r"\graphicspath{{figures/}{../figures/}}", r"\\graphicspath of '../figures/'"),
        (r"\bibliography{main,../other}", r"\\bibliography of '../other'"),
        (r"\usepackage[x]{../style/xmr}", r"\\usepackage of '../style/xmr'"),
    ],
)
def test_the_zip_refuses_paths_that_lead_out(plan, home, line, told):
    edit(home / "report" / "main.tex", r"\clearpage", line)
    with pytest.raises(XmrError, match=rf"report/main.tex:15: {told}"):
        pack(plan)


def test_the_zip_takes_words_with_dots_and_paths_that_stay(plan, home):
    edit(home / "report" / "main.tex", r"\clearpage", "see ../x and /home % \\input{../x}\n\\input{sec/../numbers}")
    (home / "report" / "main.bib").write_text("@misc{a, file = {../papers/a.pdf}}")
    edit(home / "report" / "team.yaml", 'coordination: ""', "coordination: ../notes, \\input{../x} and \\input ../y")
    with zipfile.ZipFile(pack(plan)) as files:
        assert "main.bib" in files.namelist() and b"../notes" in files.read("team.tex")


# The project's own sources, on results of models that were never trained.


@pytest.fixture(scope="session")
def own_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(ROOT / "report", home / "report", ignore=shutil.ignore_patterns("build", "*.pdf"))
    return home


@pytest.fixture
def own(own_home, made_up, monkeypatch):
    """The plan of the documents as they are, with numbers that mean nothing: so the text may be longer or shorter."""
    monkeypatch.setenv("XMR_HOME", str(own_home))
    if not (own_home / "results").exists():
        (own_home / "results").symlink_to(made_up)
        # Of the software, whatever the data.
        for own in ("torture", "bench"):
            shutil.copytree(ROOT / "results" / own, made_up / own)
    return Plan.of("flickr8k", galleries_from="scenes", strict=True)


def test_the_documents_build_without_a_complaint(latex, own):
    built = build(own, PAPER + SLIDES)
    assert [path.name for path in built] == ["report.pdf", "supplementary.pdf", "slides.pdf", "notes.pdf"]
    assert len({facts_hash(path) for path in built}) == 1
    assert "drawn scenes" in (own.folder / "numbers.tex").read_text()
    for copy in put_on_top(own, built):
        assert copy.parent == own.folder.parent and copy.is_file()


def test_committed_documents_are_found_to_be_stale(latex, own, own_home, made_up):
    committed = commit_documents(own)
    assert [path.parent for path in committed] == [own_home / "report"] * 4
    assert stale_files(own) == []
    write_made_up_run(made_up / "flickr8k", "e-gru", 5.5)
    found = stale_files(own)
    write_made_up_results(made_up / "flickr8k")  # as it was
    assert len(found) == 5 and "built from the facts" in found[0] and "numbers.tex" in found[-1]
    (own_home / "report" / "slides.pdf").unlink()
    assert any("slides.pdf: missing" in line for line in stale_files(own))
    with pytest.raises(XmrError, match="no photograph may be in git"):
        commit_documents(Plan.of("flickr8k"))
    with pytest.raises(XmrError, match="of the results in git"):
        commit_documents(Plan.of("flickr8k", str(made_up.parent), "scenes"))


def test_the_zip_builds_in_an_empty_folder(latex, own, tmp_path):
    archive = pack(own)
    assert archive == own.folder.parent / "overleaf.zip"
    with zipfile.ZipFile(archive) as files:
        assert not any(
            name.startswith(("/", "..")) or name.endswith((".yaml", ".csv", ".aux")) for name in files.namelist()
        )
        files.extractall(tmp_path)
    for command in ("pdflatex", "bibtex", "pdflatex", "pdflatex"):
        options = ["-interaction=nonstopmode"] if command == "pdflatex" else []
        subprocess.run([command, *options, "main"], cwd=tmp_path, capture_output=True, timeout=120)
    log = read_log(tmp_path, "main")
    assert not [problem for problem in log.problems if not problem.startswith("Overfull")] and log.pages >= 5


CVPR = r"""
\NeedsTeXFormat{LaTeX2e}
\ProvidesPackage{cvpr}[2026/01/01 stub]
\DeclareOption{review}{}\DeclareOption{final}{}\DeclareOption{pagenumbers}{}
\ProcessOptions\relax
\RequirePackage{times}\RequirePackage{xspace}\RequirePackage[dvipsnames]{xcolor}\RequirePackage{graphicx}
\RequirePackage{amsmath}\RequirePackage{amssymb}\RequirePackage{booktabs}
\RequirePackage[numbers,sort&compress]{natbib}
\RequirePackage{etoolbox}\RequirePackage{caption}\RequirePackage{subcaption}\RequirePackage{url}
\setlength\textwidth{6.875in}\setlength\textheight{8.875in}\setlength\columnsep{0.3125in}
\setlength\oddsidemargin{-0.1875in}\setlength\topmargin{0in}\setlength\headheight{0in}\setlength\headsep{0in}
\makeatletter
\DeclareRobustCommand\onedot{\futurelet\@let@token\@onedot}
\def\@onedot{\ifx\@let@token.\else.\null\fi\xspace}
\def\eg{\emph{e.g}\onedot}\def\ie{\emph{i.e}\onedot}\def\etal{\emph{et al}\onedot}\def\etc{\emph{etc}\onedot}
\def\cf{\emph{cf}\onedot}\def\wrt{w.r.t\onedot}
\makeatother
\AtBeginDocument{\typeout{the official style is used}}
"""


def test_the_official_style_is_used_when_it_is_there(latex, own, own_home):
    style = own_home / "report" / "cvpr.sty"
    style.write_text(CVPR)
    try:
        build(own, ["main"])
        assert "the official style is used" in (own.folder / "main.log").read_text(errors="replace")
    finally:
        style.unlink()
    build(own, ["main"])
    assert "the official style is used" not in (own.folder / "main.log").read_text(errors="replace")
    assert not (own.folder / "cvpr.sty").exists()
