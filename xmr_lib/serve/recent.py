"""What was used a moment ago, and no more of it than fits."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """A dictionary that forgets what was not asked for the longest. Threads may share it.

    Args:
        most: what all values together may weigh.
        weigh: the weight of a value; by default they are counted.
    """

    def __init__(self, most: int, weigh: Callable[[Value], int] = lambda value: 1):
        self.most, self._weigh, self._weight = most, weigh, 0
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable) -> Value | None:
        """Return a value and remember that it was asked for; None: it is not there, or no longer."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value; what is too much is forgotten, the newest never."""
        with self._lock:
            if key in self._values:
                self._weight -= self._weigh(self._values.pop(key))
            self._values[key] = value
            self._weight += self._weigh(value)
            while self._weight > self.most and len(self._values) > 1:
                self._weight -= self._weigh(self._values.popitem(last=False)[1])
