"""Where the things of an index come from: a folder of pictures, a list of sentences, or a dataset with both."""

import csv
import hashlib
import os
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from ..data import read_dataset
from ..data.files import IMAGE_SUFFIXES, read_lines
from ..data.tables import DELIMITERS
from ..errors import XmrError
from ..features.contents import stamp_of
from .catalogue import Entry

INDEX = "index.json"
"""File that marks a folder as an index: what lies in it is nobody's picture."""


@dataclass
class Found:
    """What a source holds now."""

    entries: list[Entry] = field(default_factory=list)
    unusable: list[tuple[Entry, str]] = field(default_factory=list)
    """Things that can't even be asked for, and why."""
    notes: list[str] = field(default_factory=list)
    """What was not looked at."""


class Source(ABC):
    """One source; ``place`` and ``options`` are all that an index keeps of it."""

    kind: ClassVar[str]

    def __init__(self, place: str | Path, **options: str | None):
        self.place = Path(place).expanduser().resolve()
        self.options = {name: value for name, value in options.items() if value is not None}

    @abstractmethod
    def look(self) -> Found:
        """Return what is there now.

        Raises:
            XmrError: the place is not there, or can't be read: nothing is taken out of an index for that.
        """


class Pictures(Source):
    """A folder of pictures, and all folders below it."""

    kind = "pictures"

    def look(self) -> Found:
        if not self.place.is_dir():
            raise XmrError(f"{self.place}: no such folder of pictures; its pictures stay in the index as they are")
        found, others, links = Found(), Counter(), 0
        for folder, folders, names in os.walk(self.place, onerror=_unreadable):
            hidden = [name for name in folders if name.startswith(".")]
            links += sum(os.path.islink(os.path.join(folder, name)) for name in folders)
            folders[:] = sorted(n for n in folders if n not in hidden and not self._is_index(os.path.join(folder, n)))
            for name in sorted(names):
                if Path(name).suffix.lower() in IMAGE_SUFFIXES and not name.startswith("."):
                    self._add(Path(folder, name), found)
                elif not name.startswith("."):
                    others[Path(name).suffix.lower() or "without a suffix"] += 1
        if others:
            kinds = ", ".join(f"{count} {suffix}" for suffix, count in others.most_common(5))
            found.notes.append(f"{others.total()} files that are no pictures were left alone ({kinds})")
        if links:
            found.notes.append(f"{links} links to folders were not followed")
        return found

    def _add(self, path: Path, found: Found) -> None:
        name = path.relative_to(self.place).as_posix()
        try:
            name.encode()
        except UnicodeEncodeError:
            odd = name.encode("utf-8", "backslashreplace").decode()
            found.unusable.append((Entry("image", odd, odd), "its name is no UTF-8; rename it"))
            return
        found.entries.append(Entry("image", name, name, str(path), stamp=stamp_of(path)))

    @staticmethod
    def _is_index(folder: str) -> bool:
        return os.path.isfile(os.path.join(folder, INDEX))


class Sentences(Source):
    """A text file with one sentence a line, or a column of a CSV or TSV file; one that is there twice counts once."""

    kind = "sentences"

    def look(self) -> Found:
        if not self.place.is_file():
            raise XmrError(f"{self.place}: no such file of sentences; its sentences stay in the index as they are")
        found, lines = Found(), list(self._sentences())
        known: set[str] = set()
        for number, text in lines:
            key = digest_of(text)
            if key not in known:
                found.entries.append(Entry("text", key, f"{self.place.name}:{number}", text=text))
            known.add(key)
        if len(known) < len(lines):
            found.notes.append(f"{len(lines) - len(known)} sentences that were there before were left out")
        return found

    def _sentences(self) -> Iterator[tuple[int, str]]:
        if self.place.suffix.lower() not in (".csv", ".tsv"):
            if "column" in self.options:
                raise XmrError(f"{self.place}: --column is for .csv and .tsv files; here each line is a sentence")
            for number, line in enumerate(read_lines(self.place), 1):
                if line.strip():
                    yield number, line.strip()
            return
        lines = read_lines(self.place)
        first = lines[0] if lines else ""
        delimiter = "\t" if self.place.suffix.lower() == ".tsv" else max(DELIMITERS, key=first.count)
        rows = csv.reader((f"{line}\n" for line in lines), delimiter=delimiter)
        header = [cell.strip() for cell in next(rows, [])]
        place = self._column(header)
        for row in rows:
            if len(row) > place and row[place].strip():
                yield rows.line_num, " ".join(row[place].split())

    def _column(self, header: Sequence[str]) -> int:
        wanted = self.options.get("column")
        names = [name.lower() for name in header]
        if wanted is None and len(header) == 1:
            return 0
        if wanted is None or wanted.strip().lower() not in names:
            what = "which column holds the sentences?" if wanted is None else f"there is no column {wanted!r};"
            raise XmrError(f"{self.place}: {what} give --column; there are {', '.join(header)}")
        return names.index(wanted.strip().lower())


class Dataset(Source):
    """Pictures and captions of a dataset in any known layout, of one split or all."""

    kind = "dataset"

    def look(self) -> Found:
        dataset = read_dataset(self.place)
        if "split" in self.options:
            dataset = dataset.split(self.options["split"])
        found = Found()
        for image, name in enumerate(dataset.filenames):
            if dataset.images_folder is not None:
                path = dataset.path(image)
                found.entries.append(Entry("image", name, name, str(path), stamp=stamp_of(path)))
            for number, caption in enumerate(dataset.captions_of(image)):
                key = f"{name}#{number}"
                found.entries.append(Entry("text", key, key, text=dataset.raw[caption]))
        if dataset.images_folder is None:
            found.notes.append("the dataset came without pictures: its captions alone are in the index")
        return found


SOURCES: dict[str, type[Source]] = {own.kind: own for own in (Pictures, Sentences, Dataset)}


def digest_of(text: str) -> str:
    """Return what a sentence is told by."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _unreadable(error: OSError) -> None:
    # A folder that can't be listed is not an empty one: its pictures would leave the index.
    raise XmrError(f"{error.filename}: the folder can't be read ({error.strerror or error}); nothing was changed")
