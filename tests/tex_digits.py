"""Digits of a TeX source that are typed by hand: what is left when everything that may hold digits is taken away."""

import re

_NOT_PRINTED = (
    # Drawings, code, definitions of commands that name things, and a year.
    r"\\begin\{(tikzpicture|verbatim)\}.*?\\end\{\1\}",
    r"\\(?:re)?newcommand\*?\{?\\\w+\}?\[\d\]",
    r"\\def\\confYear\{\d+\}",
    r"\bWord2vec\b",
)
_FORMULAS = (
    r"\\begin\{(equation\*?|align\*?)\}.*?\\end\{\1\}",
    r"\$[^$]*\$",
)
_NAMES = (
    r"documentclass|usepackage|usetikzlibrary|RequirePackage|input|include|includegraphics|label|ref|cref|Cref|eqref|"
    r"cite\w*|bibliography|bibliographystyle|definecolor|graphicspath|href|url|hypersetup|val|ci|rsum|name|chosen|"
    r"compare|difference|points|fact|cfg|published|imagerow|ifsame|speaker|weekfindings|vspace|hspace|setlength|"
    r"addtolength|rule|parbox|raisebox|column|minipage|resizebox|scalebox|fontsize|setbeamer\w+|begin|end|"
    r"addlinespace|cmidrule|multicolumn|color"
)
"""Commands whose arguments name things or lengths."""
_LENGTH = r"-?\d*\.?\d+\s*(?:pt|em|ex|mm|cm|in|pc|sp|\\(?:text|line|column|paper)(?:width|height))"


def typed_digits(text: str, method: bool = False) -> list[str]:
    """Return each piece of printed text with a digit in it that no macro made, with the words around it.

    ``method``: the text defines what is done, and its formulas may have numbers.
    """
    for pattern in (*_NOT_PRINTED, *(_FORMULAS if method else ())):
        text = re.sub(pattern, " ", text, flags=re.S)
    text = re.sub(r"(?<!\\)%.*", "", text)
    text = re.sub(r"\\ifbetter\s*\{[^{}]*\}\s*\{[^{}]*\}", "", text)
    group = r"(?:\s*(?:\[[^\]]*\]|\{(?:[^{}]|\{[^{}]*\})*\}|<[^>]*>|\([^)]*\)))*"
    text = re.sub(rf"\\(?:{_NAMES})(?![A-Za-z])\*?{group}", " ", text)
    text = re.sub(_LENGTH, " ", text)
    # Arguments of macros in macro definitions, and names of colours.
    text = re.sub(r"#\d|\b(?:blue|orange|green|plum|gold|slate|sky|red|paper)\d\b|![0-9.]+(?:!|\b)", " ", text)
    return [
        text[max(found.start() - 30, 0) : found.end() + 20].replace("\n", " ") for found in re.finditer(r"\d+", text)
    ]
