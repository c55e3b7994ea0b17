"""From values to TeX."""

import re
import unicodedata

from ..errors import XmrError

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "→": r"$\to$", "–": "--", "‖": r"$\|$", "<": "$<$",
    ">": "$>$", "“": "``", "”": "''", "’": "'", "−": "$-$", "×": r"$\times$", "…": r"\dots{}",
    # In braces they are nobody's optional argument: \\ and \item would take them for the beginning of theirs.
    "[": "{[}", "]": "{]}", "*": "{*}",
}  # fmt: skip
# Two of these in a row would become another character: a dash, a quotation mark, ¿.
_LIGATURE = re.compile(r"(?<=-)(?=-)|(?<=,)(?=,)|(?<=')(?=')|(?<=[`!?])(?=`)")
_LATIN = re.compile(
    "[ -~\u00a0-\u0125\u0128-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u0165\u0168-\u017e\u01cd-\u01d4\u01e6-\u01eb"
    "\u0218-\u021b\u2010-\u2015\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2030\u2039\u203a\u20ac\u2122]"
)
"""What LaTeX's Latin fonts have (T1 and its companion TS1)."""


def escape(text: str) -> str:
    """Return plain text as TeX that prints it; line breaks are blanks.

    Raises:
        XmrError: it holds a character that can't be printed (see ``unprintable``).
    """
    if fault := unprintable(text):
        raise XmrError(f"{shortened(text)!r} {fault}")
    parts = _LIGATURE.split(_one_line(text))
    return "{}".join("".join(_SPECIAL.get(character, character) for character in part) for part in parts)


def unprintable(text: str) -> str:
    """Return what is wrong with a text that the documents' fonts can't print, and what to do; empty if they can."""
    for character in _one_line(text):
        if not _LATIN.fullmatch(character) and character not in _SPECIAL:
            shown, number = f"'{character}' ", f"U+{ord(character):04X}"
            if not character.isprintable():
                return f"holds the control character {number}; remove it"
            return f"holds {shown}({number}), which the documents' fonts don't have; write it in Latin letters"
    return ""


def shortened(text: str, most: int = 60) -> str:
    """Return a text for a message, its end left out where it is long."""
    return text if len(text) <= most else text[: most - 2] + " …"


def comment(text: str) -> str:
    """Return a text that can stand behind a ``%``: one line, whatever it held."""
    return " ".join(text.split())


def is_number(text: str) -> bool:
    """Return whether a text is a plain decimal number, which TeX prints as it is."""
    return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) is not None


def count(number: int) -> str:
    """Return a whole number, its thousands parted by commas."""
    return f"{number:,}"


def one_place(value: float | str) -> str:
    """Return a number as the documents print it."""
    return f"{float(value):.1f}"


def scientific(value: float) -> str:
    """Return a small number such as a learning rate: $2\\times10^{-3}$."""
    mantissa, exponent = f"{value:e}".split("e")
    short = re.sub(r"\.?0+$", "", mantissa)
    power = f"10^{{{int(exponent)}}}"
    return f"${power}$" if short == "1" else rf"${short}\times{power}$"


def _one_line(text: str) -> str:
    # Composed: macOS writes é as e and an accent, and TeX has no accent that comes behind its letter.
    return re.sub(r"[ \t\r\n]+", " ", unicodedata.normalize("NFC", text))
