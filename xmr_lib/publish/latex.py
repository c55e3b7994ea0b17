"""LaTeX: where it is, how to get it, and running it."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ..errors import XmrError

DEBIAN = (
    "latexmk texlive-latex-base texlive-latex-recommended texlive-latex-extra texlive-fonts-recommended "
    "texlive-bibtex-extra texlive-science texlive-pictures texlive-publishers cm-super lmodern"
)
INSTALL = (
    f"Debian and Ubuntu: 'sudo apt-get install --no-install-recommends {DEBIAN}'; macOS: 'brew install --cask mactex' "
    "(or basictex, then 'tlmgr install latexmk collection-latexextra collection-fontsrecommended'); conda: "
    "'conda install -c conda-forge tectonic'"
)

LEFT_BEHIND = (".log", ".aux", ".bbl", ".blg", ".fdb_latexmk", ".fls", ".out", ".nav", ".snm", ".toc")
"""Kinds of files that a build leaves for the next one."""


@dataclass(frozen=True)
class Latex:
    """A program that makes a PDF from a TeX file, references and all."""

    program: str

    def command(self, name: str) -> list[str]:
        """Return the command that builds ``<name>.tex`` in the folder it is run in."""
        if Path(self.program).stem == "tectonic":
            return [self.program, "-X", "compile", "--keep-logs", "--keep-intermediates", f"{name}.tex"]
        # -g: we know that something changed, also where latexmk does not, as after a build that we refused.
        options = ["-g", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "-silent"]
        # What others wrote into the sources must neither start a program nor read a file elsewhere (see ``run``).
        options += ["-latexoption=-no-shell-escape"]
        return [self.program, *options, f"{name}.tex"]

    def run(self, folder: str | Path, name: str) -> None:
        """Build ``<folder>/<name>.tex`` from its sources alone; what went wrong stands in its log.

        Raises:
            XmrError: no log was written: the program itself doesn't work.
        """
        folder = Path(folder)
        log = folder / f"{name}.log"
        # What an earlier build left names files and macros that may be gone by now, such as another style's.
        for kind in LEFT_BEHIND:
            (folder / f"{name}{kind}").unlink(missing_ok=True)
        # LaTeX breaks the lines of its log at 79 characters, in the middle of what we look for.
        environment = os.environ | {"max_print_line": "10000", "error_line": "254", "half_error_line": "238"}
        environment |= {"openin_any": "p", "openout_any": "p"}
        done = subprocess.run(
            self.command(name), cwd=folder, env=environment, capture_output=True, text=True, errors="replace"
        )
        if not log.is_file():
            said = " ".join((done.stderr or done.stdout).split())[-300:]
            raise XmrError(f"{self.program}: wrote no log of {name}.tex (exit code {done.returncode}): {said}")


def find_latex() -> Latex:
    """Return latexmk, or else tectonic.

    Raises:
        XmrError: neither is there; the message says how to install them.
    """
    latexmk = shutil.which("latexmk") if shutil.which("pdflatex") else None
    if program := latexmk or shutil.which("tectonic"):
        return Latex(program)
    raise XmrError(f"LaTeX is missing (latexmk with pdflatex, or tectonic). {INSTALL}")
