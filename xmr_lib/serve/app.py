"""The routes of the page: static files, what is found, thumbnails, pictures that are sent."""

import asyncio
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ..errors import XmrError
from ..model.explain import RegionWeights, WordWeights
from .answers import done, failed, hit_facts
from .gallery import Gallery, SupersededError
from .guard import LOCAL, Guard
from .limits import MOST_BYTES, MOST_CHARACTERS, TooMuchError, read_body
from .queries import GoneError, Query, Upload, gallery_of, kept_uploads, number, query_of, uploaded

STATIC = {
    "page.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "state.js": "text/javascript; charset=utf-8",
    "results.js": "text/javascript; charset=utf-8",
    "large.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
SIDES = (320, 1024)
"""Pixels of a thumbnail's longer side: in the grid, and large."""
MOST_FOUND = 96
FOR_EVER = "private, max-age=31536000, immutable"
PICTURE_THREADS = 2
Handler = Callable[[Request], Awaitable[Response]]


class Page:
    """What the routes share: the open indexes, pictures that were sent, threads that decode."""

    def __init__(self, galleries: Mapping[str, Gallery]):
        self.galleries, self.uploads = dict(galleries), kept_uploads()
        self._threads = ThreadPoolExecutor(PICTURE_THREADS, thread_name_prefix="xmr-pictures")

    def routes(self) -> list[Route]:
        return [
            Route("/", self._told(self.static)),
            Route("/static/{name}", self._told(self.static)),
            Route("/api/indexes", self._told(self.indexes)),
            Route("/api/search", self._told(self.search)),
            Route("/api/explain", self._told(self.explain)),
            Route("/api/pictures", self._told(self.receive), methods=["POST"]),
            Route("/pictures/{key}.jpg", self._told(self.preview)),
            Route("/thumbnails/{index}/{item}/{side}.jpg", self._told(self.thumbnail)),
        ]

    async def static(self, request: Request) -> Response:
        name = request.path_params.get("name", "page.html")
        if name not in STATIC:
            raise GoneError("there is no such file")
        data = files(__package__).joinpath("static", name).read_bytes()
        return Response(data, media_type=STATIC[name], headers={"Cache-Control": "no-cache"})

    async def indexes(self, request: Request) -> Response:
        async def about(gallery: Gallery) -> dict[str, Any]:
            # The model may still be loading.
            return await gallery.compute(gallery.about, _always)

        found = [await about(gallery) for gallery in self.galleries.values()]
        return done(
            {"indexes": found, "limits": {"characters": MOST_CHARACTERS, "bytes": MOST_BYTES, "found": MOST_FOUND}}
        )

    async def search(self, request: Request) -> Response:
        asked = request.query_params
        started, gallery = time.perf_counter(), gallery_of(asked.get("index", ""), self.galleries)
        query, top = self._query(request), number(asked.get("top", "24"), 1, MOST_FOUND)
        kinds = ("image", "text") if query.kind == "image" or not gallery.index.counts.get("image") else ("image",)
        bank = asked.get("bank") != "0"
        found = await gallery.compute(lambda: gallery.search(query, kinds, top, bank), _wanted(request))
        hits = {kind: [hit_facts(hit) for hit in own] for kind, own in found.items()}
        return done({"hits": hits, "milliseconds": round(1000 * (time.perf_counter() - started), 1)})

    async def explain(self, request: Request) -> Response:
        asked = request.query_params
        gallery, query = gallery_of(asked.get("index", ""), self.galleries), self._query(request)
        hit = gallery.index.item(number(asked.get("hit", "")))
        regions, words = await gallery.compute(lambda: gallery.explain(query, hit), _wanted(request))
        return done({"regions": _listed(regions), "words": _listed(words)})

    async def receive(self, request: Request) -> Response:
        data = await read_body(request.stream(), request.headers.get("content-length"))
        upload = await self._in_thread(lambda: Upload.of(data))
        self.uploads.put(upload.key, upload)
        return done({"picture": upload.key})

    async def preview(self, request: Request) -> Response:
        data = uploaded(request.path_params["key"], self.uploads).preview
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": FOR_EVER})

    async def thumbnail(self, request: Request) -> Response:
        asked = request.path_params
        gallery, item, side = gallery_of(asked["index"], self.galleries), number(asked["item"]), number(asked["side"])
        if side not in SIDES:
            raise GoneError(f"thumbnails have a side of {SIDES[0]} or {SIDES[1]} pixels")
        data = await self._in_thread(lambda: gallery.index.thumbnail(item, side))
        return Response(data, media_type="image/jpeg", headers={"Cache-Control": FOR_EVER})

    def _told(self, handler: Handler) -> Handler:
        """Return a handler whose errors are answers of one line."""

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except TooMuchError as error:
                return failed(413, str(error))
            except GoneError as error:
                return failed(404, self._without_paths(error))
            except XmrError as error:
                return failed(400, self._without_paths(error))
            except (SupersededError, ClientDisconnect):
                return failed(499, "nobody waits for this answer any more")
            except Exception:
                traceback.print_exc(file=sys.stderr)
                return failed(500, "something went wrong; the terminal that 'xmr serve' runs in says what")

        return answer

    def _without_paths(self, error: XmrError) -> str:
        """Return what an error says, each index under its name: who sees the page need not know where it lies."""
        line = str(error)
        for name, gallery in self.galleries.items():
            line = line.replace(str(gallery.index.folder), name)
        return line

    def _query(self, request: Request) -> Query:
        return query_of(request.query_params, self.galleries, self.uploads)

    async def _in_thread(self, job: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, job)


def make_app(galleries: Mapping[str, Gallery], hosts: Collection[str] | None = LOCAL) -> Starlette:
    """Return the page as an ASGI application.

    Args:
        galleries: open indexes by name; see ``gallery.named``.
        hosts: names that it answers to; see ``Guard``.
    """
    return Starlette(
        routes=Page(galleries).routes(),
        middleware=[Middleware(Guard, hosts=hosts)],
        exception_handlers={HTTPException: _no_route},
    )


def _wanted(request: Request) -> Callable[[], Awaitable[bool]]:
    async def wanted() -> bool:
        return not await request.is_disconnected()

    return wanted


async def _always() -> bool:
    return True


async def _no_route(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    return failed(status, "there is nothing at this address" if status == 404 else "this can't be asked here")


def _listed(found: RegionWeights | WordWeights | None) -> dict[str, Any] | None:
    """Return what a match rests on as JSON takes it."""
    if found is None:
        return None
    return {name: own.tolist() if hasattr(own, "tolist") else own for name, own in asdict(found).items()}
