"""The TeX sources: which numbers, tables and figures they name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import XmrError

MACROS = {
    "val": 2, "ci": 1, "rsum": 1, "name": 1, "chosen": 1, "compare": 2, "comparein": 3, "difference": 2, "points": 2,
    "ifbetter": 2, "ifrecorded": 1, "fact": 1, "cfg": 2, "published": 2, "imagerow": 2,
}  # fmt: skip
"""Macros of ``numbers.tex`` and how many of their arguments name something; behind those of the conditions come texts:
of ``ifbetter`` three, of ``ifrecorded`` two."""
DOCUMENTS = {"main": "report", "supplementary": "supplementary", "slides": "slides", "notes": "notes"}
"""The source of each document and the name of its PDF."""
TAKES_IN = {"notes": "slides"}
"""A document whose source takes in that of another one."""
KEYS = {"speakers": ("says", "speaker"), "weeks": ("weekfindings",)}
"""Macros of one argument that print a text of ``team.yaml``, by the part of the file that their keys stand in."""
KINDS = {".tex", ".bib", ".sty", ".bst", ".cls", ".csv", ".yaml"}

_MACRO = re.compile(rf"\\({'|'.join(MACROS)})(?![A-Za-z@])((?:\s*\{{[^{{}}]*\}})*)")
_ARGUMENT = re.compile(r"\{([^{}]*)\}")
_TABLE = re.compile(r"\\input\s*\{tables/([^{}]+?)(?:\.tex)?\}")
_FIGURE = re.compile(r"\\includegraphics\s*(?:<[^>]*>)?\s*(?:\[[^\]]*\])?\s*\{([^{}]+)\}")
_READS = (
    *("input", "include", "subfile", "InputIfFileExists", "IfFileExists", "verbatiminput", "lstinputlisting"),
    *("includegraphics", "includepdf", "graphicspath", "bibliography", "bibliographystyle", "addbibresource"),
    *("documentclass", "usepackage", "usetheme", "LoadClass", "RequirePackage"),
)
"""Macros whose argument is one file or folder, or several with commas or braces between them."""
_PATHS = re.compile(
    rf"\\({'|'.join(_READS)})(?![A-Za-z@])\*?\s*(?:<[^>]*>)?\s*(?:\[[^\]]*\]\s*)?"
    r"(?:\{((?:[^{}]|\{[^{}]*\})*)\}|([^\s{}\\]+))"
)


@dataclass(frozen=True)
class Use:
    """A macro of ``numbers.tex`` with what it names, e.g. ``val`` of ``("ab-infonce", "rsum")``."""

    macro: str
    names: tuple[str, ...]
    place: str
    """File and line, for messages."""

    @property
    def key(self) -> str:
        return ":".join((self.macro, *self.names))


def source_files(folder: str | Path) -> list[Path]:
    """Return the files of the documents, not what was built from them.

    Raises:
        XmrError: a document's source is missing.
    """
    folder = Path(folder)
    for name in DOCUMENTS:
        if not (folder / f"{name}.tex").is_file():
            raise XmrError(f"{folder / name}.tex: not here; run inside a checkout of the project, or set XMR_HOME")
    inside = (path for path in folder.rglob("*") if path.is_file() and path.suffix in KINDS)
    return sorted(path for path in inside if "build" not in path.relative_to(folder).parts)


def uses(folder: str | Path) -> list[Use]:
    """Return every distinct use of a macro in the TeX sources, in the order of files and lines.

    Raises:
        XmrError: an argument is missing, or is no plain name.
    """
    folder = Path(folder)
    found: dict[str, Use] = {}
    for path, text in _texts(folder):
        for match in _MACRO.finditer(text):
            if not match[2]:
                continue  # a loop variable of the same name in a drawing; as a macro LaTeX would stop at it
            macro, line = match[1], text.count("\n", 0, match.start()) + 1
            place = f"{path.relative_to(folder.parent)}:{line}"
            names = tuple(name.strip() for name in _ARGUMENT.findall(match[2])[: MACROS[macro]])
            if len(names) < MACROS[macro] or any(not name or set(name) & set("#\\ ") for name in names):
                raise XmrError(f"{place}: \\{macro} takes {MACROS[macro]} plain name(s), not {match[2]!r}")
            use = Use(macro, names, place)
            found.setdefault(use.key, use)
    return list(found.values())


def tables_named(folder: str | Path) -> list[str]:
    """Return the tables that the sources take in."""
    return sorted({name for _, text in _texts(folder) for name in _TABLE.findall(text)})


def figures_named(folder: str | Path) -> list[str]:
    """Return the figures that the sources take in."""
    names = (name for _, text in _texts(folder) for name in _FIGURE.findall(text) if "#" not in name)
    return sorted({Path(name).name.removesuffix(".pdf").removesuffix(".png") for name in names})


def keys_named(folder: str | Path, part: str) -> set[str]:
    """Return the keys of a part of ``team.yaml``, ``speakers`` or ``weeks``, that the sources print."""
    key = re.compile(rf"\\(?:{'|'.join(KEYS[part])})\s*\{{([^{{}}#]+)\}}")
    return {name.strip() for _, text in _texts(folder) for name in key.findall(text)}


def paths_read(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield each file or folder that TeX reads at a place of a source: the macro, its path, the line."""
    text = without_comments(text)
    for match in _PATHS.finditer(text):
        for path in re.split(r"[,{}]", match[2] if match[2] is not None else match[3]):
            if path.strip():
                yield match[1], path.strip(), text.count("\n", 0, match.start()) + 1


def without_comments(text: str) -> str:
    """Return TeX without its comments; lines stay where they are."""
    return re.sub(r"(?<!\\)((?:\\\\)*)%.*", r"\1", text)


def _texts(folder: str | Path) -> Iterator[tuple[Path, str]]:
    for path in source_files(folder):
        if path.suffix in (".tex", ".sty"):
            yield path, without_comments(path.read_text("utf-8"))
