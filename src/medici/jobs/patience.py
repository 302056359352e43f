"""How long to wait while the database is away: longer each time, never so long as to be late."""

from collections.abc import Callable

FIRST_SECONDS = 0.1
LONGEST_SECONDS = 2.0


class Patience:
    """The waits between tries, spread at random so that workers do not come back together."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self._draw = draw
        self._widest = FIRST_SECONDS

    def next_seconds(self) -> float:
        seconds = self._widest * (0.5 + self._draw() / 2)
        self._widest = min(self._widest * 2, LONGEST_SECONDS)
        return seconds

    def restore(self) -> None:
        self._widest = FIRST_SECONDS
