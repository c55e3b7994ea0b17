"""When pictures have changed since a store was made: which of its features still hold.

A store of other pictures is set aside as ``<folder>.before``. The new one takes from it what still holds, so that a
picture that was mended costs one pass through the network and not thousands.
"""

import json
import shutil
import sys
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from tqdm import tqdm

from ..data.captioned import CaptionedImages
from ..errors import XmrError, printable
from ..paths import atomic_write
from .contents import digest_of_all
from .store import FeatureStore

PICTURES = "pictures.json"


@dataclass(frozen=True)
class Plan:
    """What a store is made of, written down before its first feature; images are told by position in the dataset."""

    pictures: list[str]
    """A hash of each picture as it was when its features were made; "" where there was none."""
    order: list[int]
    """In which the images are done."""
    kept: int
    """The first of them: those that are done, and those whose features are copied from the store set aside."""

    def write(self, folder: Path) -> None:
        with atomic_write(folder / PICTURES) as path:
            path.write_text(json.dumps(asdict(self)), "utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Plan | None":
        """Return the plan of a store, or None: it was not made from pictures, or by an older version.

        Raises:
            XmrError: it is damaged.
        """
        file = folder / PICTURES
        if not file.is_file():
            return None
        try:
            return cls(**json.loads(file.read_text("utf-8")))
        except (ValueError, TypeError):
            raise XmrError(f"{file}: damaged; delete the folder {folder.name} and run again") from None


def pictures_of(store: FeatureStore) -> str:
    """Return one hash of all pictures that a store was made from; "" where it was not made from pictures."""
    plan = Plan.read(store.folder)
    return digest_of_all(plan.pictures) if plan else ""


def set_aside(dataset: CaptionedImages, folder: Path, meta: dict, now: list[str]) -> FeatureStore | None:
    """Compare a store with the pictures as they are ``now``; where some have changed, set it aside and return it.

    A picture that is gone can't be compared: its features stay.

    Raises:
        XmrError: the store was made by something else than ``meta`` says.
    """
    aside = folder.with_name(folder.name + ".before")
    if folder.exists():
        # Left by a renewal that was killed at its very end.
        shutil.rmtree(aside, ignore_errors=True)
        known = _known(dataset, FeatureStore.open(folder, meta), now)
        changed = [name for name, old, new in zip(dataset.filenames, known, now, strict=True) if new not in ("", old)]
        if not changed:
            return None
        _say(
            f"{folder.name}: {len(changed)} of {len(now)} pictures have changed since its features were made, or could "
            f"not be read then ({first_names(changed)}); these are read again"
        )
        # Another process may have been faster; then it is writing now, which the writer will say.
        with suppress(FileNotFoundError):
            folder.rename(aside)
    try:
        return FeatureStore.open(aside, meta) if aside.exists() else None
    except XmrError:
        # Made by something else, for a renewal that was never ended.
        shutil.rmtree(aside)
        return None


def plan_of(partial: Path, done: int, now: list[str], before: FeatureStore | None) -> Plan:
    """Return and write the plan of a store of which some images are ``done``: these stay as they were planned."""
    earlier = Plan.read(partial) or Plan(list(now), list(range(len(now))), 0)
    first = earlier.order[:done]
    pictures = list(now)
    for image in first:
        pictures[image] = earlier.pictures[image]
    known = Plan.read(before.folder).pictures if before else []
    rest = sorted(set(range(len(now))).difference(first))
    same = [image for image in rest if known and now[image] in ("", known[image])]
    for image in same:
        pictures[image] = known[image]
    plan = Plan(pictures, [*first, *same, *sorted(set(rest).difference(same))], done + len(same))
    plan.write(partial)
    return plan


def first_names(names: Collection[str]) -> str:
    """Return "a.jpg, b.jpg, c.jpg, d.jpg, e.jpg, …": five at most."""
    return printable(", ".join(list(names)[:5]) + ", …" * (len(names) > 5))


def _known(dataset: CaptionedImages, store: FeatureStore, now: list[str]) -> list[str]:
    """Return the pictures' hashes that a store has; an older one, without them, is taken for that of what is there."""
    if plan := Plan.read(store.folder):
        return plan.pictures
    known = ["" if name in store.skipped else own for name, own in zip(dataset.filenames, now, strict=True)]
    # Where the cache can only be read, it is said again next time.
    with suppress(OSError):
        Plan(known, list(range(len(known))), 0).write(store.folder)
    _say(f"{store.folder.name}: made before pictures were compared; taken for features of those that are there now")
    return known


def _say(line: str) -> None:
    tqdm.write(line, file=sys.stderr)
