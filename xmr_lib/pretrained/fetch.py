"""One file over HTTP: a cut download goes on, and only what has the right hash gets its final name.

``torch.hub`` and pooch check the hash too, but begin again after a cut; half a gigabyte of VGG-16 over a weak network
then never arrives. So the few lines of the protocol that going on takes (``Range``, RFC 9110, 14.2) stand here.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from filelock import FileLock
from tqdm import tqdm

from ..errors import XmrError
from ..weights import digest_of

SILENCE = 60
"""Seconds without a byte after which a connection counts as cut."""
BLOCK = 1 << 17
"""Bytes read at once."""
DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)
"""Errors of the disk; what else an ``OSError`` tells of here is the network's."""
GO_ON = "the same command goes on from there"


def fetch(url: str, path: str | Path, digest: str, title: str) -> Path:
    """Download a file with a progress bar, or the rest of it where an earlier call was cut.

    Args:
        path: its final name; until it is whole and has the right hash it is called ``path`` with ``.part`` behind it.
        digest: the first hex digits of its SHA-256.
        title: what the progress bar and errors call it.

    Raises:
        XmrError: no network, an error of the server, a cut connection, a full disk (what has come is kept), or another
            hash (it is removed).
    """
    path = Path(path)
    part = path.with_name(f"{path.name}.part")
    with _told_in_one_line(title, part):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of two processes that want the same file, the second waits and finds it.
        with FileLock(f"{part}.lock"):
            if path.is_file():
                return path
            _receive(url, part, title)
            found = digest_of(part)
            if not found.startswith(digest):
                part.unlink()
                raise XmrError(
                    f"{title}: what came from {url} has SHA-256 {found[:16]}…, not {digest}…; it was removed: give the "
                    "same command again, and if that changes nothing, mistrust the network"
                )
            part.replace(path)
    return path


def _receive(url: str, part: Path, title: str) -> None:
    """Append to what has come already what is still missing."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "xmr"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        response = urlopen(Request(url, headers=headers), timeout=SILENCE)
    except HTTPError as error:
        if error.code == 416 and have:
            return  # nothing is missing: a kill came between the last byte and the new name
        raise
    with response:
        if response.status != 206:
            have = 0  # the server sends it from its beginning
        left = response.headers.get("Content-Length")
        total = have + int(left) if left else None
        bar = tqdm(total=total, initial=have, desc=title, unit="B", unit_scale=True)
        with part.open("ab" if have else "wb") as file, bar:
            while block := response.read(BLOCK):
                file.write(block)
                bar.update(len(block))
                have += len(block)
            file.flush()
            os.fsync(file.fileno())
    if total is not None and have < total:
        raise ConnectionError(f"{total - have} bytes are missing")


@contextmanager
def _told_in_one_line(title: str, part: Path) -> Iterator[None]:
    try:
        yield
    except HTTPError as error:
        raise XmrError(f"{title}: {error.url} answers {error.code} {error.reason}") from None
    except URLError as error:
        raise XmrError(f"{title}: its server can't be reached ({error.reason}); is there a network?") from None
    except (HTTPException, OSError) as error:
        if told := disk_error(error, part.parent):
            raise XmrError(f"{title}: {told}; {GO_ON}") from None
        have = part.stat().st_size if part.exists() else 0
        reason = " ".join(str(error).split())
        raise XmrError(f"{title}: the connection was cut after {megabytes(have)} ({reason[:100]}); {GO_ON}") from None


def disk_error(error: Exception, folder: str | Path) -> str:
    """Say what is wrong with the disk, above all that it is full; empty where the error is none of the disk's."""
    if not isinstance(error, OSError) or error.errno not in DISK:
        return ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {folder} is full; make room"
    return f"{error.filename or folder} can't be written ({error.strerror})"


def megabytes(count: int | None) -> str:
    """Return a number of bytes as people read it, ``553 MB``; ``?`` where it is not known."""
    if count is None:
        return "?"
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} bytes"
