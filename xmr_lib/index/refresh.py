"""Keeping an index up to date: what is new is embedded, what is gone is taken out, and a kill loses seconds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from tqdm import tqdm

from ..data.pictures import read_picture
from ..errors import XmrError
from ..features.extract import Seen, ahead, seen_by
from ..features.view import View
from ..model.retrieval import BATCH
from ..weights import sha256_of
from .catalogue import KINDS, Entry, Item
from .index import Index
from .sources import SOURCES, Found, Source, digest_of

PICTURES, SENTENCES = 64, 1024
"""Things that are embedded and made safe together."""
NAMED = 5
"""Broken files that are named on the screen; the catalogue has all."""


@dataclass
class Report:
    """What an update did."""

    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    """Name → why it can't be read."""
    notes: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return what to print."""
        counts = f"{self.added} new, {self.changed} changed, {self.removed} gone, {self.unchanged} as they were"
        lines = [counts, *self.notes]
        if self.broken:
            first = "; ".join(f"{name}: {reason}" for name, reason in list(self.broken.items())[:NAMED])
            more = f"; and {len(self.broken) - NAMED} more" if len(self.broken) > NAMED else ""
            lines.append(f"{len(self.broken)} can't be read and are left out ({first}{more})")
        return lines


def update(index: Index, sources: Sequence[Source] = (), progress: bool = True) -> Report:
    """Bring an index up to its sources: those given, else all that it knows.

    Things are embedded batch by batch, each safe before the next: after a kill the next update goes on. A file whose
    size and times are as they were is not read again; one that holds what another held has its vector.

    Raises:
        XmrError: another process updates it, a source is not there, or nothing can be written.
    """
    lock = FileLock(index.folder / "update.lock", timeout=0)
    try:
        with lock:
            known = [SOURCES[kind](place, **options) for _, kind, place, options in index.catalogue.sources()]
            report = Report()
            _heal(index)
            # All are looked at before anything is changed.
            found = [(own, own.look()) for own in sources or known]
            for source, own in found:
                number = index.catalogue.source(source.kind, str(source.place), source.options)
                _SourceUpdate(index, number, own, report, progress).run()
            for shelf in index.shelves.values():
                shelf.settle(index.model.bank)
            return report
    except Timeout:
        raise XmrError(f"{index.folder}: another process is updating it; wait for it") from None
    except OSError as error:
        raise XmrError(f"{index.folder}: can't be written ({error.strerror or error})") from None


def _heal(index: Index) -> None:
    """Bring vectors and catalogue together: a kill may have come between them."""
    for kind in KINDS:
        vectors, listed = set(index.shelves[kind].exact.ids().tolist()), set(index.catalogue.ids(kind))
        index.shelves[kind].remove(sorted(vectors - listed))
        index.catalogue.remove(sorted(listed - vectors))


class _SourceUpdate:
    """The update of one source."""

    def __init__(self, index: Index, source: int, found: Found, report: Report, progress: bool):
        self.index, self.source, self.found, self.report, self.progress = index, source, found, report, progress
        self.catalogue = index.catalogue
        self.before = {(item.kind, item.key): item for item in self.catalogue.of_source(source)}
        self.next_id = self.catalogue.last_id() + 1

    def run(self) -> None:
        self.report.notes += self.found.notes
        broken = self.catalogue.broken(self.source)
        due: dict[str, list[Entry]] = {kind: [] for kind in KINDS}
        for own in self.found.entries:
            if own.kind == "image" and own.stamp and broken.get(own.key, ("",))[0] == own.stamp:
                self.report.broken[own.name] = broken[own.key][1]
            elif self._is_as_it_was(own):
                self.report.unchanged += 1
            else:
                due[own.kind].append(own)
        self._sentences(due["text"])
        self._pictures(due["image"])
        self._remove_gone(broken)

    def _is_as_it_was(self, own: Entry) -> bool:
        item = self.before.get((own.kind, own.key))
        if item is None or (own.kind == "image" and item.stamp != own.stamp) or item.text != own.text:
            return False
        if (item.name, item.path) != (own.name, own.path):
            self.catalogue.restamp([(item.id, own)])
        return True

    def _sentences(self, due: Sequence[Entry]) -> None:
        with self._bar(len(due), "sentences") as bar:
            for start in range(0, len(due), SENTENCES):
                block = due[start : start + SENTENCES]
                embeddings = self.index.model.encode_texts([own.text for own in block])
                self._put("text", [(own, digest_of(own.text)) for own in block], embeddings)
                bar.update(len(block))

    def _pictures(self, due: Sequence[Entry]) -> None:
        views, workers = self.index.model.views if due else (), self.index.model.runtime.workers
        read = ahead(partial(_read, views=views), due, 2 * PICTURES, workers)
        with self._bar(len(due), "pictures") as bar:
            for start in range(0, len(due), PICTURES):
                block = list(zip(due[start : start + PICTURES], read, strict=False))
                self._put_pictures(block)
                bar.update(len(block))

    def _put_pictures(self, block: Sequence[tuple[Entry, tuple[str, Seen] | str]]) -> None:
        new, copies, broken, same = [], [], [], []
        for own, read in block:
            if isinstance(read, str):
                broken.append((own, read))
                continue
            digest, seen = read
            before = self.before.get((own.kind, own.key))
            if before is not None and before.digest == digest:
                same.append((before.id, own))
            elif (like := self.catalogue.alike("image", digest)) is not None:
                copies.append((own, digest, like))
            else:
                new.append((own, digest, seen))
        self.catalogue.restamp(same)
        self.report.unchanged += len(same)
        self._note_broken(broken)
        if copies:
            ids = self._numbers(len(copies))
            self.index.shelves["image"].add_copies(ids, [like for _, _, like in copies])
            self._list("image", ids, [(own, digest) for own, digest, _ in copies])
        embeddings = [
            self.index.model.encode_seen([seen for _, _, seen in new[start : start + BATCH]])
            for start in range(0, len(new), BATCH)
        ]
        if new:
            self._put("image", [(own, digest) for own, digest, _ in new], np.concatenate(embeddings))

    def _put(self, kind: str, things: Sequence[tuple[Entry, str]], embeddings: np.ndarray) -> None:
        ids = self._numbers(len(things))
        self.index.shelves[kind].add(ids, embeddings, self.index.model.bank)
        self._list(kind, ids, things)

    def _list(self, kind: str, ids: Sequence[int], things: Sequence[tuple[Entry, str]]) -> None:
        """List things whose vectors are safe, then take out the vectors of what stood in their place."""
        items = [
            Item(**asdict(own), id=number, digest=digest) for number, (own, digest) in zip(ids, things, strict=True)
        ]
        self.catalogue.replace(self.source, items)
        old = [self.before[kind, own.key].id for own, _ in things if (kind, own.key) in self.before]
        self.index.shelves[kind].remove(old)
        self.report.changed += len(old)
        self.report.added += len(things) - len(old)

    def _note_broken(self, broken: Sequence[tuple[Entry, str]]) -> None:
        self.catalogue.replace(self.source, broken=broken)
        self.index.shelves["image"].remove(
            [self.before["image", own.key].id for own, _ in broken if ("image", own.key) in self.before]
        )
        self.report.broken |= {own.name: reason for own, reason in broken}

    def _remove_gone(self, broken: dict) -> None:
        self._note_broken(self.found.unusable)
        there = {(own.kind, own.key) for own in self.found.entries}
        gone = [item for key, item in self.before.items() if key not in there]
        self.catalogue.remove([item.id for item in gone])
        for kind in KINDS:
            self.index.shelves[kind].remove([item.id for item in gone if item.kind == kind])
        listed = {own.key for own in self.found.entries} | {own.key for own, _ in self.found.unusable}
        self.catalogue.mend(self.source, [key for key in broken if key not in listed])
        self.report.removed += len(gone)

    def _numbers(self, count: int) -> list[int]:
        ids = list(range(self.next_id, self.next_id + count))
        self.next_id += count
        return ids

    def _bar(self, total: int, what: str) -> tqdm:
        return tqdm(total=total, desc=what, unit=what.removesuffix("s"), disable=not self.progress or not total)


def _read(own: Entry, views: Sequence[View]) -> tuple[str, Seen] | str:
    """Return what a picture's file holds, by its hash and as the networks see it; or why it can't be read."""
    picture = read_picture(own.path)
    if isinstance(picture, str):
        return picture
    return sha256_of(Path(own.path)), seen_by(views, picture)
