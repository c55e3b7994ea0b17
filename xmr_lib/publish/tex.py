"""From values to TeX."""

import re

_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "→": r"$\to$", "–": "--", "‖": r"$\|$", "<": "$<$",
    ">": "$>$", "“": "``", "”": "''", "’": "'", "−": "$-$", "×": r"$\times$", "…": r"\dots{}",
}  # fmt: skip


def escape(text: str) -> str:
    """Return plain text as TeX that prints it."""
    return "".join(_SPECIAL.get(character, character) for character in text)


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
