"""The clock is a value that is handed in, so that time can be chosen by whoever calls."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def system_clock() -> datetime:
    """Read the time of this machine, in UTC and aware of it."""
    return datetime.now(UTC)
