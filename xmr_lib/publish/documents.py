"""From facts to PDFs: gather, write, draw, run LaTeX, look at what it says; only what changed is made again."""

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import XmrError
from ..paths import atomic_write, recorded_root, reference_root, root
from .facts import RecordedResults
from .latex import Latex, find_latex
from .latex_log import read_log
from .numbers import NUMBERS, write_if_new
from .pdf import has_type_3_fonts
from .sources import DOCUMENTS, TAKES_IN
from .tree import Contents, contents, read_state, tree_files, write_state, write_tree

PAPER = ("main", "supplementary")
SLIDES = ("slides", "notes")
PAGES = {"main": (5, 6), "slides": (10, 15), "notes": (10, 15)}
"""Fewest and most pages; those of the paper with its references."""


@dataclass(frozen=True)
class Plan:
    """What is built from which folders."""

    dataset: str
    results: Path
    """Root of the results."""
    galleries: Path
    """Folder of a dataset's results whose galleries are taken."""
    sources: Path
    folder: Path
    """Where LaTeX runs."""
    strict: bool = False
    """Whether what is not recorded stops the build, instead of leaving a gap."""

    @classmethod
    def of(
        cls,
        dataset: str,
        results: str | Path | None = None,
        galleries_from: str | Path | None = None,
        reference: bool = False,
        strict: bool = False,
    ) -> "Plan":
        """Return the plan for a dataset.

        Args:
            dataset: slug, the folder under the results.
            results: root of the results; empty: ``runs/`` where that holds the dataset, else the reference. What is
                built from others goes to them, so that the project's own PDFs hold its own numbers.
            galleries_from: slug of another dataset, or a folder of its results, whose galleries are taken.
            reference: read the results that are in git, whatever ``runs/`` holds, and be strict; galleries are not
                among them.
            strict: see ``Plan``.

        Raises:
            XmrError: other results are asked for where the reference is to be read.
        """
        if results and reference:
            raise XmrError(f"--results {results}: the committed documents are of {reference_root()}, and of no other")
        given = Path(results).expanduser().resolve() if results else None
        origin = reference_root() if reference else given or recorded_root(dataset)
        galleries = galleries_from or dataset
        inside = Path(galleries).name == str(galleries)
        return cls(
            dataset,
            origin,
            (given or recorded_root(galleries)) / galleries if inside else Path(galleries).expanduser().resolve(),
            root() / "report",
            given / dataset / "report" if given else build_root() / dataset,
            strict or reference,
        )

    @property
    def of_reference(self) -> bool:
        """Whether the results are those in git."""
        return self.results.resolve() == reference_root().resolve()


def build_root() -> Path:
    """Return the folder of what is built from the project's own results."""
    return root() / "report" / "build"


def gathered(plan: Plan, with_galleries: bool = True) -> Contents:
    """Read all that the documents need, before anything is written; galleries can be left out: they hold no numbers.

    Raises:
        XmrError: a result is missing or stale.
    """
    facts = RecordedResults.read(plan.results / plan.dataset, plan.strict)
    return contents(facts, plan.sources, plan.galleries, with_galleries)


def prepare(plan: Plan) -> Contents:
    """Write ``numbers.tex`` beside the results (not beside those in git, nor with gaps), and LaTeX's folder.

    Raises:
        XmrError: a result is missing or stale.
    """
    made = gathered(plan)
    if not plan.of_reference and not made.gaps:
        write_if_new(plan.results / plan.dataset / NUMBERS, made.texts[NUMBERS])
    write_tree(plan.folder, made, plan.galleries)
    if made.gaps:
        print(f"left out, not recorded (--strict stops instead): {', '.join(made.gaps)}", file=sys.stderr)
    return made


def build(plan: Plan, documents: Sequence[str]) -> list[Path]:
    """Build documents by the name of their source; return their PDFs. Too many or too few pages are a warning.

    Raises:
        XmrError: a result is missing or stale, LaTeX is missing, or it says that something is wrong.
    """
    made = prepare(plan)
    latex = find_latex()
    built = [_document(plan.folder, made, latex, name) for name in documents]
    # Another style or longer text is no reason to go without the PDF. Said of one that was there already, too.
    for fault in () if made.gaps else filter(None, (page_fault(plan, name) for name in documents)):
        print(f"warning: {fault}", file=sys.stderr)
    return built


def put_on_top(plan: Plan, built: Sequence[str | Path]) -> list[Path]:
    """Copy PDFs to the folder above that of their dataset, where a reader looks first; return the copies."""
    copies = [plan.folder.parent / Path(path).name for path in built]
    for path, copy in zip(built, copies, strict=True):
        with atomic_write(copy) as temporary:
            temporary.write_bytes(Path(path).read_bytes())
    return copies


def page_fault(plan: Plan, name: str) -> str:
    """Return in words that a document has too few or too many pages; empty where it has as many as it should."""
    pages = read_log(plan.folder, name).pages
    few, many = PAGES.get(name, (1, pages))
    path = plan.folder / f"{DOCUMENTS[name]}.pdf"
    return "" if few <= pages <= many else f"{path}: {pages} pages; there should be {few} to {many}"


def _document(folder: Path, made: Contents, latex: Latex, name: str) -> Path:
    target = folder / f"{DOCUMENTS[name]}.pdf"
    others = set(DOCUMENTS) - {name, TAKES_IN.get(name)}
    key = _key([path for path in tree_files(folder, made) if path.stem not in others], latex)
    if read_state(folder).get(name) == key and target.is_file() and (folder / f"{name}.log").is_file():
        return target
    latex.run(folder, name)
    problems = list(read_log(folder, name).problems)
    if not problems and has_type_3_fonts(folder / f"{name}.pdf"):
        problems.append("it holds fonts of Type 3 (see 'pdffonts'): draw the figure with xmr_lib/figures")
    if problems:
        raise XmrError(f"{folder / name}.log: {'; '.join(problems[:5])}" + ("; …" if len(problems) > 5 else ""))
    if target.stem != name:
        with atomic_write(target) as path:
            path.write_bytes((folder / f"{name}.pdf").read_bytes())
    write_state(folder, {**read_state(folder), name: key})
    return target


def _key(files: Sequence[Path], latex: Latex) -> str:
    """Hash the inputs of a document."""
    digest = hashlib.sha256(latex.program.encode())
    for path in files:
        digest.update(f"\n{path.name}\n".encode() + path.read_bytes())
    return digest.hexdigest()
