"""Milvus: embedded (milvus-lite, a folder of its own) or on a server, through the same client."""

import hashlib
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ..errors import XmrError
from .engine import ENGINES, Engine, Ids, Nearest

TOKEN = "XMR_MILVUS_TOKEN"
"""Environment variable with a server's token, ``user:password`` or an API key."""
CONNECT_SECONDS = 5
TALK_SECONDS = 120
"""For one batch; pymilvus asks again and again within it."""
BATCH_BYTES = 2**23
"""Of vectors in one message; servers take 64 MB."""
LARGEST_ANSWER = 16384
"""Rows that a server returns at once."""
LITE_INDEX = {"index_type": "FLAT", "params": {}}
"""milvus-lite goes through all numbers in Python at every search, which takes longer than comparing all vectors: its
HNSW was no faster than FLAT."""
SERVER_INDEX = {"index_type": "HNSW", "params": {"M": 32, "efConstruction": 128}}
EF_SEARCH = 128
GONE = -1


@ENGINES.register("milvus")
class MilvusEngine(Engine):
    """One collection: of ``milvus.db`` in the folder, or of the server at ``uri``, there under a name of the folder's.

    A folder that is moved keeps ``milvus.db``, but is another one to a server. Only one process can have ``milvus.db``
    open, and in it only one engine.
    """

    def __init__(self, folder: str | Path, dim: int, uri: str = ""):
        self.folder, self.dim, self.uri = Path(folder), dim, uri
        if uri and not re.match(r"https?://", uri):
            raise XmrError(f"{uri}: not the address of a Milvus server; it begins with http:// or https://")
        self._api = _import_pymilvus(embedded=not uri)
        self._name = _name_of(self.folder) if uri else "vectors"
        self._client = self._connect()
        try:
            self._open()
        except self._api.MilvusException as error:
            self.close()
            hint = "" if uri else "; delete the folder, index again"
            raise XmrError(f"{uri or self._database}: can't be opened ({_one_line(error)}){hint}") from None
        except XmrError:
            self.close()
            raise

    def __len__(self) -> int:
        with self._told():
            counted = self._client.query(self._name, "", ["count(*)"], consistency_level="Strong", timeout=TALK_SECONDS)
        return int(counted[0]["count(*)"])

    def ids(self) -> Ids:
        found: list[int] = []
        with self._told():
            pages = self._client.query_iterator(
                self._name, LARGEST_ANSWER, output_fields=["id"], consistency_level="Strong", timeout=TALK_SECONDS
            )
            while page := pages.next():
                found += [row["id"] for row in page]
            pages.close()
        return np.sort(np.array(found, np.int64))

    def add(self, ids: Ids, vectors: Float[np.ndarray, "items dim"]) -> None:
        self._check_length(vectors)
        rows, vectors = max(BATCH_BYTES // (4 * self.dim), 1), vectors.astype(np.float32, copy=False)
        with self._told():
            for start in range(0, len(ids), rows):
                pairs = zip(ids[start : start + rows].tolist(), vectors[start : start + rows], strict=True)
                data = [{"id": number, "vector": vector} for number, vector in pairs]
                self._client.upsert(self._name, data, timeout=TALK_SECONDS)

    def remove(self, ids: Ids) -> None:
        with self._told():
            for start in range(0, len(ids), LARGEST_ANSWER):
                batch = ids[start : start + LARGEST_ANSWER].tolist()
                self._client.delete(self._name, ids=batch, timeout=TALK_SECONDS)

    def search(self, queries: Float[np.ndarray, "queries dim"], top: int) -> Nearest:
        self._check_length(queries)
        if top > LARGEST_ANSWER:
            raise XmrError(f"Milvus returns at most {LARGEST_ANSWER} items of a search, not {top}")
        found = np.full((len(queries), top), GONE, np.int64)
        scores = np.full((len(queries), top), -np.inf, np.float32)
        if not len(queries):
            return found, scores
        with self._told():
            answers = self._client.search(
                self._name,
                list(queries.astype(np.float32, copy=False)),
                limit=top,
                output_fields=[],
                search_params={"metric_type": "IP", "params": {"ef": max(EF_SEARCH, 2 * top)} if self.uri else {}},
                consistency_level="Strong",
                timeout=TALK_SECONDS,
            )
        for query, hits in enumerate(answers):
            found[query, : len(hits)] = [hit["id"] for hit in hits]
            scores[query, : len(hits)] = [hit["distance"] for hit in hits]
        return found, scores

    def save(self) -> None:
        with self._told():
            self._client.flush(self._name, timeout=TALK_SECONDS)

    def close(self) -> None:
        if self._client is None:
            return
        self._client.close()
        self._client = None
        if not self.uri:
            from milvus_lite.server_manager import server_manager_instance

            server_manager_instance.release_server(str(self._database))

    @property
    def _database(self) -> Path:
        return self.folder / "milvus.db"

    def _connect(self):
        try:
            if self.uri:
                return self._api.MilvusClient(self.uri, token=os.environ.get(TOKEN, ""), timeout=CONNECT_SECONDS)
            self.folder.mkdir(parents=True, exist_ok=True)
            return self._api.MilvusClient(str(self._database), timeout=CONNECT_SECONDS)
        except OSError as error:
            raise XmrError(f"{self.folder}: can't be written ({error.strerror or error})") from None
        except self._api.MilvusException as error:
            if self.uri:
                raise XmrError(
                    f"{self.uri}: no Milvus server answers ({_one_line(error)}); see uri and {TOKEN}"
                ) from None
            raise XmrError(f"{self._database}: can't be opened ({_why_not(self._database)})") from None

    def _open(self) -> None:
        if not self._client.has_collection(self._name, timeout=TALK_SECONDS):
            types, index = self._api.DataType, self._client.prepare_index_params()
            schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
            schema.add_field("id", types.INT64, is_primary=True)
            schema.add_field("vector", types.FLOAT_VECTOR, dim=self.dim)
            index.add_index("vector", metric_type="IP", **(SERVER_INDEX if self.uri else LITE_INDEX))
            self._client.create_collection(
                self._name, schema=schema, index_params=index, consistency_level="Strong", timeout=TALK_SECONDS
            )
        fields = self._client.describe_collection(self._name, timeout=TALK_SECONDS)["fields"]
        dim = next((int(field["params"]["dim"]) for field in fields if field["name"] == "vector"), 0)
        if dim != self.dim:
            raise XmrError(f"{self.folder}: has vectors of length {dim}, not {self.dim}; use another folder")
        self._client.load_collection(self._name, timeout=TALK_SECONDS)

    def _check_length(self, vectors: np.ndarray) -> None:
        if vectors.shape[1] != self.dim:
            raise XmrError(f"{self.folder}: vectors of length {vectors.shape[1]} do not fit those of length {self.dim}")

    @contextmanager
    def _told(self) -> Iterator[None]:
        from grpc import RpcError

        try:
            yield
        except (self._api.MilvusException, RpcError) as error:
            raise XmrError(f"{self.uri or self._database}: Milvus says {_one_line(error)}") from None


def _name_of(folder: Path) -> str:
    """Return a collection's name, which may have letters, digits and underscores only."""
    whole = str(folder.resolve())
    return f"xmr_{re.sub(r'[^A-Za-z0-9]', '_', folder.name)[:80]}_{hashlib.sha256(whole.encode()).hexdigest()[:12]}"


def _import_pymilvus(embedded: bool):
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        if embedded:
            import milvus_lite  # noqa: F401
        import pymilvus
    except ImportError as error:
        raise XmrError(f"the engine 'milvus' needs a package ({error}): pip install 'xmr[milvus]'") from None
    # What goes wrong is raised, in one line; they print it, too, with a traceback.
    logging.getLogger("pymilvus").setLevel(logging.CRITICAL)
    for name in ("milvus_lite", "grpc"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    return pymilvus


def _why_not(database: Path) -> str:
    """Return why milvus-lite doesn't open a folder: its client says only that it doesn't."""
    from milvus_lite import DataDirLockedError, MilvusLite

    try:
        MilvusLite(str(database)).close()
    except DataDirLockedError:
        return "another process has it open; end it, or use a server: uri"
    except Exception as error:
        return f"{_one_line(error)}; delete the folder, index again"
    return "its server does not start; try again"


def _one_line(error: Exception) -> str:
    message = getattr(error, "message", "") or str(error)
    return " ".join(message.split())[:200]
