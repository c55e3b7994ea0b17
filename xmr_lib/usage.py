"""What something takes: time on the clock, and memory of this process and of all that it starts."""

import threading
import time

import psutil

EVERY = 0.2
"""Seconds between two looks at the memory."""


class Usage:
    """Measures while it is entered.

    Memory is what is private to the processes: files that are mapped, as feature stores are, belong to the system,
    which drops them when it needs room.
    """

    def __init__(self):
        self.seconds = 0.0
        self.peak_bytes = 0
        """The most memory that was seen."""
        self._started = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Usage":
        self._started = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
        self.seconds = time.perf_counter() - self._started

    def _watch(self) -> None:
        own = psutil.Process()
        while True:
            self.peak_bytes = max(self.peak_bytes, sum(map(_private, [own, *own.children(recursive=True)])))
            if self._done.wait(EVERY):
                return


def _private(process: psutil.Process) -> int:
    """Return what a process has in memory that is no file and nobody else's; 0 where it is gone."""
    try:
        info = process.memory_info()
        return info.rss - info.shared if hasattr(info, "shared") else process.memory_full_info().uss
    except psutil.Error:
        return 0
