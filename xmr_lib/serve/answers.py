"""Answers as JSON: what was found, or one line that says what is wrong."""

import math
from typing import Any

from starlette.responses import JSONResponse

from ..index import Hit

NEVER_KEPT = {"Cache-Control": "no-store"}


def done(facts: Any) -> JSONResponse:
    """Return facts as an answer that no cache keeps."""
    return JSONResponse(facts, headers=NEVER_KEPT)


def failed(status: int, line: str) -> JSONResponse:
    """Return what is wrong, in one line."""
    return JSONResponse({"error": " ".join(line.split())}, status, headers=NEVER_KEPT)


def hit_facts(hit: Hit) -> dict[str, Any]:
    """Return what the page shows of an item that was found; no path on this machine is told."""
    return {
        "id": hit.id,
        "rank": hit.rank,
        "kind": hit.kind,
        "name": hit.name,
        "text": hit.text,
        "score": float(hit.score) if math.isfinite(hit.score) else None,
        "version": _version(hit),
    }


def _version(hit: Hit) -> str:
    """Return what changes with a picture's file: under another one, a browser asks for its thumbnail again."""
    try:
        facts = hit.path.stat() if hit.path else None
    except OSError:
        facts = None
    return f"{facts.st_mtime_ns:x}-{facts.st_size:x}" if facts else "0"
