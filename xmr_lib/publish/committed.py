"""The PDFs that are in git, and whether they still say what the results say."""

from pathlib import Path

from ..errors import XmrError
from ..paths import atomic_write
from .documents import PAPER, SLIDES, Plan, build, gathered, page_fault
from .numbers import NUMBERS, write_if_new
from .pdf import facts_hash
from .sources import DOCUMENTS

DATASET, GALLERIES = "flickr8k", "scenes"
"""Photographs and their captions stay out of git: the galleries are of pictures that the library draws."""
LARGEST = 1_000_000
"""Bytes."""


def commit_documents(plan: Plan) -> list[Path]:
    """Build all documents from the reference, put their PDFs into ``report/`` and ``numbers.tex`` beside the results.

    Raises:
        XmrError: the results are not those in git, the galleries are not of drawn pictures, a PDF is too large or has
            too many or too few pages, or the build fails.
    """
    if (plan.dataset, plan.galleries.name) != (DATASET, GALLERIES):
        raise XmrError(
            f"the committed PDFs are of --dataset {DATASET} --galleries-from {GALLERIES}: no photograph may be in git"
        )
    if not plan.of_reference:
        raise XmrError(
            f"{plan.results}: the committed PDFs are of the results in git; 'xmr publish-results' copies them"
        )
    built = build(plan, PAPER + SLIDES)
    if fault := next(filter(None, (page_fault(plan, name) for name in PAPER + SLIDES)), ""):
        raise XmrError(f"{fault}: such a one is not committed")
    for path in built:
        if path.stat().st_size > LARGEST:
            raise XmrError(f"{path}: {path.stat().st_size:,} bytes; a committed PDF has at most {LARGEST:,}")
    write_if_new(plan.results / plan.dataset / NUMBERS, (plan.folder / NUMBERS).read_text("utf-8"))
    targets = []
    for path in built:
        targets.append(plan.sources / path.name)
        with atomic_write(targets[-1]) as temporary:
            temporary.write_bytes(path.read_bytes())
    return targets


def stale_files(plan: Plan) -> list[str]:
    """Return in words what of the committed files is older than the facts; galleries are no facts.

    Raises:
        XmrError: a result that the sources name is missing or stale.
    """
    made = gathered(plan, with_galleries=False)
    found = []
    for name in DOCUMENTS.values():
        path = plan.sources / f"{name}.pdf"
        if not path.is_file():
            found.append(f"{path}: missing")
        elif (carried := facts_hash(path)) != made.digest:
            found.append(f"{path}: built from the facts {carried}, not {made.digest}")
    numbers = plan.results / plan.dataset / NUMBERS
    if not numbers.is_file() or numbers.read_text("utf-8") != made.texts[NUMBERS]:
        found.append(f"{numbers}: not what the results say")
    return found
