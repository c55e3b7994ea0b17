"""``numbers.tex``: the macros that the sources use, each beside what it comes from."""

from pathlib import Path

from ..paths import atomic_write
from .dataset import dataset_text, words_of
from .fact_values import SHARED
from .facts import RecordedResults
from .sources import Use
from .tex import comment, escape
from .values import Values

NUMBERS = "numbers.tex"

_HEAD = r"""% Written by 'xmr report' from results/{dataset}; behind each number: its run, dataset and seeds.
% All macros expand to plain text. One that is not defined here stops LaTeX at \XmrNumberIsMissing.
\newcommand\xmrset[2]{{\expandafter\def\csname xmr:#1\endcsname{{#2}}}}
\newcommand\xmrvalue[1]{{\ifcsname xmr:#1\endcsname\csname xmr:#1\endcsname\else\XmrNumberIsMissing\fi}}
\newcommand\val[2]{{\xmrvalue{{val:#1:#2}}}}
\newcommand\ci[1]{{\xmrvalue{{ci:#1}}}}
\newcommand\rsum[1]{{\xmrvalue{{rsum:#1}}}}
\newcommand\name[1]{{\xmrvalue{{name:#1}}}}
\newcommand\chosen[1]{{\xmrvalue{{chosen:#1}}}}
\newcommand\compare[2]{{\xmrvalue{{compare:#1:#2}}}}
\newcommand\comparein[3]{{\xmrvalue{{comparein:#1:#2:#3}}}}
\newcommand\difference[2]{{\xmrvalue{{difference:#1:#2}}}}
\newcommand\points[2]{{\xmrvalue{{points:#1:#2}}}}
\newcommand\ifbetter[5]{{\ifcase\xmrvalue{{ifbetter:#1:#2}} #3\or#4\or#5\or[#1?]\fi}}
\newcommand\ifrecorded[3]{{\if1\xmrvalue{{ifrecorded:#1}}#2\else#3\fi}}
% beamer has an environment of this name.
\let\fact\undefined
\newcommand\fact[1]{{\xmrvalue{{fact:#1}}}}
\newcommand\cfg[2]{{\xmrvalue{{cfg:#1:#2}}}}
\newcommand\published[2]{{\xmrvalue{{published:#1:#2}}}}
\newcommand\imagerow[2]{{\xmrvalue{{imagerow:#1:#2}}}}
"""


def numbers_tex(facts: RecordedResults, sources: str | Path, uses: list[Use], gallery: str) -> str:
    """Return the macros that are used, without ``\\factshash``; ``gallery`` is the dataset of the galleries.

    Raises:
        XmrError: what a macro names is missing, stale or unknown.
    """
    values = Values.of(facts, sources, uses)
    lines = []
    for use in uses:
        value = values.value(use)
        lines.append(f"\\xmrset{{{use.key}}}{{{value.text}}}% {comment(value.origin)}")
    reference = facts.results(SHARED)[0]
    return "\n".join(
        [
            _HEAD.format(dataset=comment(facts.dataset)).rstrip(),
            f"\\newcommand\\datasetname{{{words_of(facts.dataset).name}}}",
            f"\\newcommand\\datasettext{{{dataset_text(facts.dataset, reference)}}}",
            f"\\newcommand\\gallerysource{{{gallery_words(gallery)}}}",
            *lines,
            "",
        ]
    )


def gallery_words(dataset: str) -> str:
    """Return what the galleries are of."""
    return "drawn scenes" if dataset == "scenes" else words_of(dataset).name


def with_hash(numbers: str, digest: str) -> str:
    """Add the hash of the facts: as a macro, and in the metadata of each PDF that takes the file in."""
    return numbers + (
        f"\\newcommand\\factshash{{{escape(digest)}}}\n\\ifdefined\\pdfinfo\\pdfinfo{{/XMRFacts ({digest})}}\\fi\n"
    )


def write_if_new(path: str | Path, text: str) -> bool:
    """Write a text file whose content is another one than before; return whether it was."""
    path = Path(path)
    if path.is_file() and path.read_text("utf-8") == text:
        return False
    with atomic_write(path) as temporary:
        temporary.write_text(text, "utf-8")
    return True
