"""What a LaTeX log says: errors, holes in references, lines that stick out, pages."""

import re
from dataclasses import dataclass
from pathlib import Path

STICKS_OUT = 10.0
"""Points by which a box may be too wide or too high."""

_ERROR = re.compile(r"^(?:!|[^\s:()]+:\d+:) (.*)$", re.M)
_UNDEFINED = re.compile(r"^.*Warning: (?:Hyper reference|Reference|Citation) [`'](.+?)'.* undefined", re.M)
_NO_ENTRY = re.compile(r"I didn't find a database entry for \"(.+?)\"")
_BOX = re.compile(r"^Overfull \\[hv]box \((\d+(?:\.\d+)?)pt too (?:wide|high).*$", re.M)
_FLOAT = re.compile(r"^LaTeX Warning: (Float too large for page by (\d+(?:\.\d+)?)pt.*?)\.?$", re.M)
_MISSING_CHARACTER = re.compile(r"^Missing character: (.*)$", re.M)
_WRITTEN = re.compile(r"^Output written on .*? \((\d+) pages?", re.M)


@dataclass(frozen=True)
class LatexLog:
    """The log of the last pass over one document."""

    pages: int
    problems: tuple[str, ...]
    """In words; none of a document that may be shown."""


def read_log(folder: str | Path, name: str) -> LatexLog:
    """Read ``<name>.log`` and BibTeX's ``<name>.blg``."""
    folder = Path(folder)
    log = (folder / f"{name}.log").read_text("utf-8", "replace")
    blg_file = folder / f"{name}.blg"
    blg = blg_file.read_text("utf-8", "replace") if blg_file.is_file() else ""
    errors = _ERROR.findall(log)
    if errors:
        # References that are undefined after it follow from it.
        return LatexLog(0, (f"error: {_with_line(log, errors[0])}",))
    problems = [f"undefined: {key}" for key in dict.fromkeys([*_UNDEFINED.findall(log), *_NO_ENTRY.findall(blg)])]
    problems += [box[0] for box in _BOX.finditer(log) if float(box[1]) > STICKS_OUT]
    problems += [found[1] for found in _FLOAT.finditer(log) if float(found[2]) > STICKS_OUT]
    problems += [f"a character that the font lacks: {what}" for what in _MISSING_CHARACTER.findall(log)]
    written = _WRITTEN.search(log)
    if not written:
        problems.insert(0, "no PDF was written")
    return LatexLog(int(written[1]) if written else 0, tuple(problems))


def _with_line(log: str, error: str) -> str:
    """Return an error with the place that the log names for it."""
    for line in log.splitlines():
        if line.endswith(error):
            return line.removeprefix("! ")
    return error
