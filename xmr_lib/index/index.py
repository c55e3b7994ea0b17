"""``Index``: pictures and sentences under a model, to be searched; kept up to date by ``update``."""

import json
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image

from ..errors import XmrError
from ..model import RetrievalModel
from ..model.folder import folder_of, identity
from ..runtime import Runtime
from .catalogue import KINDS, Catalogue, Item
from .engine import ENGINES
from .shelf import Shelf
from .sources import INDEX
from .thumbnails import thumbnail

FORMAT = 1
MODEL = "model"
PLURALS = {"image": "pictures", "text": "sentences"}
Query = str | Path | Image.Image | np.ndarray
"""A sentence; a file or an open picture; or an embedding, shape (embed,)."""


@dataclass(frozen=True)
class Hit:
    """One thing that was found."""

    rank: int
    """From 1 on."""
    id: int
    """Its number in the index: never given to anything else."""
    kind: str
    """``image`` or ``text``."""
    name: str
    """A picture's path below its folder, or where a sentence stands."""
    path: Path | None
    """A picture's file."""
    text: str | None
    """What a sentence says."""
    score: float
    """Similarity: the cosine, or the negative distance; without query-bank normalisation, whatever the order is."""


class Index:
    """A folder: ``index.json``, the model, ``catalogue.sqlite``, and for each kind the vectors and what finds them.

    The exact vectors are always there; an approximate engine beside them is made of them, and can be made again.
    """

    def __init__(self, folder: str | Path, facts: dict[str, Any], runtime: Runtime | None = None):
        self.folder, self._facts, self._runtime = Path(folder), facts, runtime
        self.catalogue = Catalogue(self.folder / "catalogue.sqlite")
        self.shelves = {kind: Shelf(self.folder / f"{kind}s", kind, facts) for kind in KINDS}
        self._stamps = [shelf.stamp() for shelf in self.shelves.values()]

    @classmethod
    def open(cls, folder: str | Path, runtime: Runtime | None = None) -> "Index":
        """Open an index that is there; another process may be updating it.

        Args:
            runtime: where queries are embedded; default: ``Runtime.of()``.

        Raises:
            XmrError: there is none, it is damaged, or of a later version.
        """
        folder = Path(folder).expanduser()
        try:
            facts = json.loads((folder / INDEX).read_text("utf-8"))
            if facts["format"] != FORMAT:
                raise XmrError(f"{folder}: an index of format {facts['format']}; this version reads format {FORMAT}")
            return cls(folder, facts, runtime)
        except (FileNotFoundError, NotADirectoryError):
            raise XmrError(f"{folder}: no index here; make one: xmr index PHOTOS --out {folder}") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise XmrError(f"{folder}: the index is damaged ({error}); delete it and index again") from None

    @classmethod
    def create(
        cls,
        folder: str | Path,
        model: str | Path,
        engine: str = "auto",
        uri: str = "",
        dtype: str = "float32",
        runtime: Runtime | None = None,
    ) -> "Index":
        """Make an empty index of a model, whose folder is copied in; the index is there whole or not at all.

        Args:
            model: folder of a model, or of a run.
            engine: ``auto`` (by size), or a name of ``ENGINES``.
            uri: address of a server, of an engine that has one.
            dtype: of the exact vectors: ``float32``, or ``float16`` for half the disk.

        Raises:
            XmrError: the folder is there already, there is no such model or engine, or nothing can be written.
        """
        folder, source = Path(folder).expanduser(), folder_of(model)
        if folder.exists():
            raise XmrError(f"{folder}: it is there already; delete it or name another folder")
        if engine != "auto":
            ENGINES[engine]
        if dtype not in ("float32", "float16"):
            raise XmrError(f"dtype {dtype!r} is unknown; there are float32, float16")
        loaded = RetrievalModel.load(source, runtime)
        embed = loaded.encode_texts(["a"]).shape[1]
        facts = {
            "format": FORMAT,
            "model": {"name": loaded.config.name, "identity": identity(source), "track": loaded.track},
            "trained_on": loaded.facts.get("data", {}).get("name", ""),
            "distance": loaded.config.distance,
            "embed": embed,
            "beta": dict(loaded.bank.beta) if loaded.bank else {},
            "engine": engine,
            "uri": uri,
            "dtype": dtype,
        }
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
            try:
                shutil.copytree(source, temporary / MODEL)
                (temporary / INDEX).write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
                temporary.chmod(0o755)
                temporary.rename(folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        except OSError as error:
            raise XmrError(f"{folder}: the index can't be written ({error.strerror or error})") from None
        index = cls(folder, facts, runtime)
        index.__dict__["model"] = loaded
        return index

    @property
    def stale(self) -> bool:
        """Whether it was updated since it was opened, so that ``reopened`` finds other things."""
        return self._stamps != [shelf.stamp() for shelf in self.shelves.values()]

    def reopened(self) -> "Index":
        """Return the index as it is now; the model is not loaded again."""
        again = Index(self.folder, self._facts, self._runtime)
        if "model" in self.__dict__:
            again.model = self.model
        return again

    @property
    def name(self) -> str:
        return self.folder.resolve().name

    @cached_property
    def model(self) -> RetrievalModel:
        """The model, loaded when it is first asked for."""
        return RetrievalModel.load(self.folder / MODEL, self._runtime)

    @property
    def facts(self) -> dict[str, Any]:
        """What people want to know: the model, its track, what it learned from, engine, counts, query bank."""
        return {
            "name": self.name,
            "model": self._facts["model"]["name"],
            "track": self._facts["model"]["track"],
            "trained_on": self._facts["trained_on"],
            "distance": self._facts["distance"],
            "bank": any(beta is not None for beta in self._facts["beta"].values()),
            "engines": {kind: shelf.name for kind, shelf in self.shelves.items()},
            "counts": self.counts,
        }

    @property
    def counts(self) -> dict[str, int]:
        """How many pictures and sentences there are."""
        return {kind: len(shelf) for kind, shelf in self.shelves.items()}

    def check_model(self, model: str | Path) -> None:
        """Refuse another model than the one that the index was made with.

        Raises:
            XmrError: as said, by name.
        """
        source = folder_of(model)
        if identity(source) != self._facts["model"]["identity"]:
            name = RetrievalModel.load(source, self._runtime).config.name
            raise XmrError(
                f"{self.folder}: this index was made with the model {self._facts['model']['name']!r}, {source} is "
                f"another one ({name!r}); index into another folder with --out"
            )

    def embed(self, query: Query) -> Float[np.ndarray, " embed"]:
        """Embed a sentence, a file or an open picture.

        Raises:
            XmrError: the file can't be read, or the model can't be fed with it.
        """
        if isinstance(query, str):
            return self.model.encode_texts([query])[0]
        return self.model.encode_images([query])[0]

    def normalises(self, query: Query, kind: str) -> bool:
        """Tell whether a query's order is normalised by default: the model has a bank for it that helped on validation.

        A bank's queries are sentences that ask for pictures, and pictures that ask for sentences: others have none.
        """
        crosses = not isinstance(query, np.ndarray) and isinstance(query, str) == (kind == "image")
        return crosses and self.shelves[kind].normalises

    def search(self, query: Query, kind: str = "image", top: int = 10, bank: bool | None = None) -> list[Hit]:
        """Return what is nearest to a query, best first.

        Args:
            query: see ``Query``; a ``str`` is a sentence, a file is a ``Path``.
            kind: what is looked for: ``image`` or ``text``.
            top: how many; at most all there are.
            bank: query-bank normalisation; default: see ``normalises``, of an embedding: off.

        Raises:
            XmrError: see ``embed``; or normalisation is asked for and there is none.
        """
        if kind not in KINDS:
            raise XmrError(f"kind {kind!r} is unknown; there are {', '.join(KINDS)}")
        if top < 1:
            raise XmrError(f"top {top}: give a number from 1 on")
        shelf = self.shelves[kind]
        if bank and not shelf.normalises:
            raise XmrError(
                f"{self.folder}: its model has no query bank that helps to find {PLURALS[kind]}; leave it off"
            )
        embedding = query if isinstance(query, np.ndarray) else self.embed(query)
        normalise = self.normalises(query, kind) if bank is None else bank
        ids, scores = shelf.nearest(embedding[None].astype(np.float32), top, normalise)
        found = self.catalogue.items(ids[0].tolist())
        # Another process may have taken one out since the vectors were opened.
        pairs = [
            (found[own], score) for own, score in zip(ids[0].tolist(), scores[0].tolist(), strict=True) if own in found
        ]
        return [_hit(rank, item, score) for rank, (item, score) in enumerate(pairs, 1)]

    def item(self, number: int) -> Hit:
        """Return one thing by its number, its rank 0 and its score not a number.

        Raises:
            XmrError: there is none.
        """
        return _hit(0, self._item(number), float("nan"))

    def thumbnail(self, number: int, side: int = 256) -> bytes:
        """Return a picture as a JPEG file, upright, its longer side at most ``side``; kept on disk.

        Raises:
            XmrError: there is no such picture, or its file can't be read now.
        """
        item = self._item(number)
        if item.kind != "image":
            raise XmrError(f"{self.folder}: number {number} is a sentence, no picture")
        return thumbnail(item, side, self.folder / "thumbnails")

    def close(self) -> None:
        """Let go of files and connections."""
        self.catalogue.close()
        for shelf in self.shelves.values():
            shelf.close()

    def _item(self, number: int) -> Item:
        found = self.catalogue.items([number])
        if number not in found:
            raise XmrError(f"{self.folder}: there is nothing under the number {number}")
        return found[number]


def _hit(rank: int, item: Item, score: float) -> Hit:
    image = item.kind == "image"
    return Hit(
        rank, item.id, item.kind, item.name, Path(item.path) if image else None, None if image else item.text, score
    )
