"""A web server on this machine for tests of downloads: ranges, cut connections, wrong bytes, a little of the hub."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "c" * 40


@dataclass
class Server:
    """Files by path, as ``/net-….pth`` or, of a hub's network, ``/owner/name/resolve/COMMIT/config.json``."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    stated: dict[str, bytes] = field(default_factory=dict)
    """What the hub says that a file holds, where that is not the truth."""
    cut_after: int | None = None
    """Bytes of a file after which every connection is cut."""
    ranges: bool = True
    """Whether it sends the rest of a file on demand."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Method and path of every request, with the range that it asked for."""

    def publish(self, repo: str, files: dict[str, bytes]) -> None:
        """Put a network on the hub."""
        self.files |= {f"/{repo}/resolve/{COMMIT}/{name}": content for name, content in files.items()}

    def tree(self, repo: str) -> dict[str, bytes]:
        begin = f"/{repo}/resolve/{COMMIT}/"
        found = {path.removeprefix(begin): path for path in self.files if path.startswith(begin)}
        return {name: self.stated.get(name, self.files[path]) for name, path in found.items()}


@contextmanager
def serving() -> Iterator[Server]:
    """Serve until the block ends."""
    server = Server()
    handler = type("OwnHandler", (_Handler,), {"site": server})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        server.address = f"http://127.0.0.1:{running.server_port}"
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        running.shutdown()


class _Handler(BaseHTTPRequestHandler):
    site: Server

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *arguments: object) -> None:
        pass

    def _answer(self, with_body: bool) -> None:
        path, asked_range = self.path.split("?")[0], self.headers.get("Range")
        if path != "/api/agent-harnesses":  # which the hub's library asks for of its own accord
            self.site.asked.append((f"{self.command} {path}", asked_range))
        if (listed := self._listing(path)) is not None:
            return self._send(200, json.dumps(listed).encode(), {"Content-Type": "application/json"}, with_body)
        if (content := self.site.files.get(path.replace("/resolve/main/", f"/resolve/{COMMIT}/"))) is None:
            return self._send(404, b"", {"X-Error-Code": "RepoNotFound"}, with_body)
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{_sha256(content)}"'}
        start = int(re.findall(r"bytes=(\d+)-", asked_range)[0]) if asked_range and self.site.ranges else 0
        if not start:
            return self._send(200, content, headers, with_body)
        if start >= len(content):
            return self._send(416, b"", {"Content-Range": f"bytes */{len(content)}"}, with_body)
        headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        return self._send(206, content[start:], headers, with_body)

    def _listing(self, path: str) -> object:
        """Return what the hub answers about a network, None where something else is asked for."""
        match = re.fullmatch(r"/api/models/(.+?)(/revision/\w+|/tree/\w+)?", path)
        if not match or not (tree := self.site.tree(match[1])):
            return None
        files = [(name, len(content), _sha256(content)) for name, content in tree.items()]
        if (match[2] or "").startswith("/tree"):
            return [
                {"type": "file", "path": name, "size": size, "oid": sha[:40], "lfs": _lfs(name, size, sha)}
                for name, size, sha in files
            ]
        siblings = [
            {"rfilename": name, "size": size, "blobId": sha[:40], "lfs": _lfs(name, size, sha)}
            for name, size, sha in files
        ]
        return {"id": match[1], "sha": COMMIT, "siblings": siblings}

    def _send(self, code: int, content: bytes, headers: dict[str, str], with_body: bool) -> None:
        self.send_response(code)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(content[: self.site.cut_after] if code in (200, 206) and "ETag" in headers else content)
        self.close_connection = True


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _lfs(name: str, size: int, sha: str) -> dict | None:
    return None if name.endswith((".json", ".txt")) else {"oid": sha, "sha256": sha, "size": size, "pointerSize": 130}
