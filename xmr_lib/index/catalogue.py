"""What an index holds: pictures and sentences under numbers that are never given twice, in one SQLite file."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import XmrError

KINDS = ("image", "text")
PATIENCE = 30.0
"""Seconds that a reader waits for a writer's transaction."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS sources (id INTEGER PRIMARY KEY, kind TEXT, place TEXT, options TEXT, UNIQUE (kind, place));
CREATE TABLE IF NOT EXISTS items (
    id INTEGER PRIMARY KEY AUTOINCREMENT, source INTEGER, kind TEXT, key TEXT, name TEXT, path TEXT, text TEXT,
    stamp TEXT, digest TEXT, UNIQUE (source, kind, key));
CREATE INDEX IF NOT EXISTS by_digest ON items (kind, digest);
CREATE TABLE IF NOT EXISTS broken (source INTEGER, key TEXT, stamp TEXT, reason TEXT, PRIMARY KEY (source, key));
"""


@dataclass(frozen=True)
class Entry:
    """One thing as it is found: a picture or a sentence."""

    kind: str
    """``image`` or ``text``."""
    key: str
    """What it is told by within its source: a picture's name, or what a sentence says."""
    name: str
    """What people are shown: a path below the source's folder, or a line of a file."""
    path: str = ""
    """Of a picture: its file."""
    text: str = ""
    """Of a sentence: what it says."""
    stamp: str = ""
    """Size and times of a picture's file: where they are the same it is not read again."""


@dataclass(frozen=True)
class Item(Entry):
    """One thing that is in the index."""

    id: int = 0
    digest: str = ""
    """SHA-256 of what it holds."""


_ITEM = "kind, key, name, path, text, stamp, id, digest"


class Catalogue:
    """The tables ``sources``, ``items`` and ``broken``; each method that writes is one transaction.

    Raises:
        XmrError: the file is damaged, or another process holds it for longer than people wait.
    """

    def __init__(self, file: str | Path):
        self.file = Path(file)
        with self._told():
            # The page's threads share it; SQLite itself puts them in a row.
            self._tables = sqlite3.connect(file, timeout=PATIENCE, check_same_thread=False, isolation_level=None)
            if not self._all("SELECT name FROM sqlite_master WHERE name = 'items'"):
                self._tables.executescript(SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._tables.close()

    def source(self, kind: str, place: str, options: dict) -> int:
        """Return the number of a source, known before or not; its options are those that were given last."""
        with self._transaction():
            self._run(
                "INSERT INTO sources (kind, place, options) VALUES (?, ?, ?) "
                "ON CONFLICT (kind, place) DO UPDATE SET options = excluded.options",
                (kind, place, json.dumps(options)),
            )
        return self._all("SELECT id FROM sources WHERE kind = ? AND place = ?", (kind, place))[0][0]

    def sources(self) -> list[tuple[int, str, str, dict]]:
        """Return number, kind, place and options of each source."""
        rows = self._all("SELECT id, kind, place, options FROM sources ORDER BY id")
        return [(number, kind, place, json.loads(options)) for number, kind, place, options in rows]

    def counts(self) -> dict[str, int]:
        """Return how many items there are of each kind."""
        return dict.fromkeys(KINDS, 0) | dict(self._all("SELECT kind, count(*) FROM items GROUP BY kind"))

    def ids(self, kind: str) -> list[int]:
        """Return the numbers of all items of a kind, ascending."""
        return [row[0] for row in self._all("SELECT id FROM items WHERE kind = ? ORDER BY id", (kind,))]

    def last_id(self) -> int:
        """Return the highest number that was ever given."""
        rows = self._all("SELECT seq FROM sqlite_sequence WHERE name = 'items'")
        return rows[0][0] if rows else 0

    def items(self, ids: Sequence[int]) -> dict[int, Item]:
        """Return the items of some numbers; those that are not there are left out."""
        found = {}
        for start in range(0, len(ids), 500):
            block = [int(one) for one in ids[start : start + 500]]
            rows = self._all(f"SELECT {_ITEM} FROM items WHERE id IN ({','.join('?' * len(block))})", block)
            found |= {row[6]: Item(*row) for row in rows}
        return found

    def of_source(self, source: int) -> Iterator[Item]:
        """Yield the items of a source."""
        for row in self._all(f"SELECT {_ITEM} FROM items WHERE source = ?", (source,)):
            yield Item(*row)

    def alike(self, kind: str, digest: str) -> int | None:
        """Return the number of an item that holds the very same, if there is one."""
        rows = self._all("SELECT id FROM items WHERE kind = ? AND digest = ? LIMIT 1", (kind, digest))
        return rows[0][0] if rows else None

    def broken(self, source: int) -> dict[str, tuple[str, str]]:
        """Return what could not be read of a source: key → stamp and reason."""
        rows = self._all("SELECT key, stamp, reason FROM broken WHERE source = ?", (source,))
        return {key: (stamp, reason) for key, stamp, reason in rows}

    def replace(self, source: int, items: Iterable[Item] = (), broken: Iterable[tuple[Entry, str]] = ()) -> None:
        """Put items in, and note what is broken, in place of those of the same source and key."""
        with self._transaction():
            for own in items:
                self._run("DELETE FROM items WHERE source = ? AND kind = ? AND key = ?", (source, own.kind, own.key))
                self._run("DELETE FROM broken WHERE source = ? AND key = ?", (source, own.key))
                values = (own.kind, own.key, own.name, own.path, own.text, own.stamp, own.id, own.digest, source)
                self._run(f"INSERT INTO items ({_ITEM}, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
            for own, reason in broken:
                self._run("DELETE FROM items WHERE source = ? AND kind = ? AND key = ?", (source, own.kind, own.key))
                self._run("INSERT OR REPLACE INTO broken VALUES (?, ?, ?, ?)", (source, own.key, own.stamp, reason))

    def restamp(self, entries: Iterable[tuple[int, Entry]]) -> None:
        """Note the new name, path and times of items that hold what they held."""
        with self._transaction():
            for number, own in entries:
                self._run(
                    "UPDATE items SET name = ?, path = ?, stamp = ? WHERE id = ?",
                    (own.name, own.path, own.stamp, number),
                )

    def mend(self, source: int, keys: Iterable[str]) -> None:
        """Forget what was broken and is no longer there."""
        with self._transaction():
            for key in keys:
                self._run("DELETE FROM broken WHERE source = ? AND key = ?", (source, key))

    def remove(self, ids: Iterable[int]) -> None:
        """Take items out."""
        with self._transaction():
            for number in ids:
                self._run("DELETE FROM items WHERE id = ?", (number,))

    def _all(self, query: str, values: Sequence = ()) -> list[tuple]:
        with self._told():
            return self._tables.execute(query, values).fetchall()

    def _run(self, query: str, values: Sequence = ()) -> None:
        self._tables.execute(query, values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._told():
            self._tables.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._tables.execute("ROLLBACK")
                raise
            self._tables.execute("COMMIT")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise XmrError(f"{self.file}: can't be used ({error}); if it is damaged, delete the index") from None
