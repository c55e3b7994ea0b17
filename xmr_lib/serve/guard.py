"""What stands between the network and the page: who may ask, and what a browser may do with the answer."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answers import failed

LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]"})
SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Headers of every answer: nothing is loaded from elsewhere, nothing inline is run, no other page can embed it."""


class Guard:
    """Refuse who asks under another name than this machine's (DNS rebinding) or from another page; add ``SECURITY``.

    Args:
        hosts: names that may stand in ``Host``, whatever the port (a tunnel has its own); None: any.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None = LOCAL):
        self.app, self.hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY.items():
                    headers[name] = value
            await send(message)

        headers = Headers(scope=scope)
        if self.hosts is not None and host_name(headers.get("host", "")) not in self.hosts:
            answer = failed(403, "the page answers to localhost and 127.0.0.1 alone")
            await answer(scope, receive, send_guarded)
        # A browser says where a request comes from; programs say nothing.
        elif headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and scope["path"] != "/":
            await failed(403, "another page asks for this: open the page itself")(scope, receive, send_guarded)
        else:
            await self.app(scope, receive, send_guarded)


def host_name(host: str) -> str:
    """Return the name in a ``Host`` header, lower case, without the port."""
    name, colon, port = host.lower().rpartition(":")
    return name if colon and port.isdigit() else host.lower()
