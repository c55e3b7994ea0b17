"""The reference: the part of the results that is in git, copied from where runs write to; nothing else changes it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import XmrError
from ..paths import atomic_write, reference_root, runs_root
from ..records import DETECTOR, RANKS
from .numbers import NUMBERS

FACTS = ("*.csv", DETECTOR, "tables/*.csv", "plotdata/*.csv", "sweeps/*.csv")
OF_RUNS = ("runs/**/result.json", f"runs/**/{RANKS}", "runs/**/image_retrieval.json")
PICTURES = {"scenes": ("figures/readme_gallery.png",), "flickr8k": ("figures/10_waterfall.png",)}
"""Those that the README shows: of drawn scenes, three at most, or of numbers alone."""
STALE = ("tables/*.tex",)
"""Not copied: they would be older than the tables beside them."""


@dataclass(frozen=True)
class Changes:
    """Files by their place in the dataset's folder."""

    added: list[str]
    changed: list[str]
    removed: list[str]

    def lines(self) -> list[str]:
        """Return a line for each kind: how many files, and of which sort."""
        return [_line(kind, getattr(self, kind)) for kind in ("added", "changed", "removed")]


def publish_results(dataset: str, results: str | Path | None = None, prune: bool = False) -> Changes:
    """Make the reference of a dataset what its results are now: numbers, ranks, and the README's pictures.

    Copied are csv files, results and ranks of runs, ``detector.json`` and ``numbers.tex``; never captions, photographs
    or models. What is no longer among the results is removed, but for pictures and ``numbers.tex``, which the demo and
    ``xmr report`` make. Each file is replaced whole.

    Args:
        dataset: slug, the folder under the results.
        results: root of the results; empty: ``runs/``.
        prune: whether runs of the reference that the results don't have may go.

    Raises:
        XmrError: there are no results, they are the reference itself, or runs would go that nobody gave up.
    """
    source = (Path(results).expanduser().resolve() if results else runs_root()) / dataset
    target = reference_root() / dataset
    if source.resolve() == target.resolve():
        raise XmrError(f"{source}: this is the reference itself; name the results to copy with --results")
    if not (source / "summary.csv").is_file():
        raise XmrError(f"{source / 'summary.csv'}: no results here; 'xmr run --dataset {dataset}' makes them")
    mirrored = (*FACTS, *OF_RUNS)
    wanted = sorted(_files(source, (*mirrored, NUMBERS, *PICTURES.get(dataset, ()))))
    removed = sorted(set(_files(target, (*mirrored, *STALE))) - set(wanted))
    lost = sorted({Path(name).parts[1] for name in removed if Path(name).parts[0] == "runs"})
    if lost and not prune:
        raise XmrError(
            f"{source}: runs of {len(lost)} models of the reference are not here ({', '.join(lost[:3])}, …) and would "
            "be removed from it; run them too, or give --prune"
        )
    added, changed = [], []
    for name in wanted:
        content, old = (source / name).read_bytes(), target / name
        if old.is_file() and old.read_bytes() == content:
            continue
        (changed if old.is_file() else added).append(name)
        with atomic_write(old) as path:
            path.write_bytes(content)
    for name in removed:
        _remove(target, name)
    return Changes(added, changed, removed)


def _files(folder: Path, patterns: tuple[str, ...]) -> Iterator[str]:
    for pattern in patterns:
        yield from (path.relative_to(folder).as_posix() for path in folder.glob(pattern) if path.is_file())


def _remove(folder: Path, name: str) -> None:
    """Remove a file, and the folders that it leaves empty."""
    (folder / name).unlink()
    for parent in (folder / name).parents:
        if parent == folder or any(parent.iterdir()):
            return
        parent.rmdir()


def _line(kind: str, names: list[str]) -> str:
    sorts = Counter(
        path.name if path.parts[0] == "runs" or len(path.parts) == 1 else f"{path.parts[0]}/*{path.suffix}"
        for path in map(Path, names)
    )
    of_sorts = ", ".join(f"{count} {sort}" for sort, count in sorts.most_common())
    return f"{kind:8} {len(names):5}{'  ' if names else ''}{of_sorts}"
