"""The folder that LaTeX runs in: sources, numbers, tables and figures together, nothing outside it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import figures as drawing
from ..errors import XmrError
from ..paths import atomic_write
from .facts import Missing, RecordedResults
from .figures import LABELS, LOSSES, draw, draw_gap, gather
from .galleries import GALLERIES, gallery_file
from .numbers import NUMBERS, numbers_tex, with_hash, write_if_new
from .sources import DOCUMENTS, figures_named, source_files, tables_named, uses
from .tables import table_tex
from .team import TEAM, team_tex

STATE = "build.json"
"""Hashes of what each part of a tree was made from."""
DATA = {".yaml", ".csv"}
"""Kinds of sources that LaTeX has no use for."""


@dataclass(frozen=True)
class Contents:
    """All that goes into a tree, but for the pictures' bytes."""

    texts: dict[str, str]
    """Files by their place in the tree."""
    drawn: dict[str, tuple[str, tuple | None]]
    """Figures that are drawn: the hash of what goes into each, and what its function is given; of a gap nothing."""
    galleries: Sequence[str]
    digest: str
    """Hash of the facts of all documents."""
    gaps: Sequence[str] = ()
    """What is not recorded and the documents are built without, in words."""


def contents(
    facts: RecordedResults, sources: str | Path, galleries: str | Path, with_galleries: bool = True
) -> Contents:
    """Read all facts that the sources name, and write what follows from them as text; nothing is drawn yet.

    Args:
        facts: of the dataset that is reported on.
        sources: folder of the TeX sources.
        galleries: folder of a dataset's results whose galleries are taken.
        with_galleries: whether they have to be there.

    Raises:
        XmrError: something that the sources name is missing, stale or unknown.
    """
    sources, galleries = Path(sources), Path(galleries)
    texts = {
        str(path.relative_to(sources)): path.read_text("utf-8")
        for path in source_files(sources)
        if path.suffix not in DATA
    }
    numbers = numbers_tex(facts, sources, uses(sources), galleries.name)
    texts |= {f"tables/{name}.tex": table_tex(facts, sources, name) for name in tables_named(sources)}
    texts["team.tex"] = team_tex(sources / TEAM, sources)
    drawn = {}
    for name in figures_named(sources):
        if name not in GALLERIES:
            own = facts.apart()
            try:
                gathered = gather(own, name)
                # Not before: what was gathered is what decides.
                drawn[name] = (_figure_key(own), gathered)
            except Missing as error:
                if facts.strict:
                    raise
                facts.gaps.add(error.what)
                drawn[name] = ("gap", None)
            facts.used.update(own.used)
    wanted = [name for name in figures_named(sources) if name in GALLERIES] if with_galleries else []
    for name in wanted:
        try:
            gallery_file(galleries, name)
        except XmrError:
            if facts.strict:
                raise
            facts.gaps.add(name)
    texts[NUMBERS] = with_hash(numbers, facts.digest())
    return Contents(texts, drawn, wanted, facts.digest(), sorted(facts.gaps))


def write_tree(folder: str | Path, made: Contents, galleries: str | Path) -> None:
    """Bring a folder up to date: write and draw what has changed, remove what is no longer named."""
    folder, galleries = Path(folder), Path(galleries)
    state = read_state(folder)
    for name, text in made.texts.items():
        write_if_new(folder / name, text)
    figures = {}
    for name, (key, gathered) in made.drawn.items():
        path = folder / "figures" / f"{name}.pdf"
        if state.get(path.name) != key or not path.is_file():
            draw_gap(path) if gathered is None else draw(name, gathered, path.parent)
        figures[path.name] = key
    for name in made.galleries:
        path = folder / "figures" / f"{name}.pdf"
        if name in made.gaps:
            draw_gap(path)
            figures[path.name] = "gap"
            continue
        picture = gallery_file(galleries, name).read_bytes()
        key = hashlib.sha256(picture).hexdigest()
        if state.get(path.name) != key or not path.is_file():
            with atomic_write(path) as temporary:
                temporary.write_bytes(picture)
        figures[path.name] = key
    wanted = {*made.texts, *(f"figures/{name}" for name in figures)}
    for path in list(folder.rglob("*")):
        inside = path.relative_to(folder).as_posix()
        ours = path.suffix in {".tex", ".sty", ".bib", ".bst", ".cls"} or inside.startswith("figures/")
        if path.is_file() and ours and inside not in wanted:
            path.unlink()
    documents = {name: key for name, key in state.items() if name in DOCUMENTS}
    write_state(folder, {**documents, **figures})


def tree_files(folder: str | Path, made: Contents) -> list[Path]:
    """Return the files of a tree that LaTeX reads."""
    folder = Path(folder)
    return sorted([*(folder / name for name in made.texts), *(folder / "figures").glob("*.pdf")])


def read_state(folder: str | Path) -> dict[str, str]:
    """Return the hashes that the last build left."""
    folder = Path(folder)
    path = folder / STATE
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def write_state(folder: str | Path, state: dict[str, str]) -> None:
    """Write the hashes of this build."""
    folder = Path(folder)
    with atomic_write(folder / STATE) as path:
        path.write_text(json.dumps(state, indent=1, sort_keys=True) + "\n", "utf-8")


def _figure_key(facts: RecordedResults) -> str:
    """Hash what decides how a figure looks: its facts, its labels, and the code that draws."""
    code = sorted(Path(drawing.__file__).parent.glob("*.py"))
    parts = [facts.digest(), repr((LABELS, LOSSES)), *(path.read_text("utf-8") for path in code)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
