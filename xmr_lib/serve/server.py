"""The server of the page: one port of this machine, until Ctrl-C."""

import errno
import os
import socket
import threading
import webbrowser
from collections.abc import Callable, Mapping

import uvicorn

from ..errors import XmrError
from .app import make_app
from .gallery import Gallery
from .guard import LOCAL

ANY = ("0.0.0.0", "::")


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        XmrError: the port is in use or reserved, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":
        # A port that was let go of a moment ago is free; elsewhere, this would share one that is in use.
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
        found.listen()
    except (OSError, OverflowError) as error:
        found.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise XmrError(f"port {port} is in use; give another one: --port {port + 1}") from None
        reason = getattr(error, "strerror", None) or error
        raise XmrError(f"{host}, port {port}: {reason}; give another --port or --host") from None
    return found


def server_of(galleries: Mapping[str, Gallery], host: str) -> uvicorn.Server:
    """Return the server of the page; what a browser may call the machine follows from where it listens."""
    hosts = None if host in ANY else LOCAL | {_in_address(host)}
    config = uvicorn.Config(
        make_app(galleries, hosts),
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=1,
        lifespan="off",
    )
    return uvicorn.Server(config)


def serve(
    galleries: Mapping[str, Gallery], listening: socket.socket, opened: Callable[[str], None], browser: bool = True
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        galleries: open indexes by name.
        listening: see ``listen``.
        opened: told the address.
        browser: whether to open it in a browser.

    Raises:
        KeyboardInterrupt: it was ended by Ctrl-C.
    """
    host, port = listening.getsockname()[:2]
    address = f"http://{'127.0.0.1' if host in ANY else _in_address(host)}:{port}/"
    opened(address)
    if browser:
        # Finding one may take its time. The socket listens: what is asked before the server has started waits.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
    server_of(galleries, host).run(sockets=[listening])


def _in_address(host: str) -> str:
    return f"[{host}]" if ":" in host else host
