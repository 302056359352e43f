"""The places where a run may be left standing, overtaken or killed."""

from collections.abc import Generator
from types import coroutine


@coroutine
def pause(where: str) -> Generator[str, None, None]:
    """Give way to whatever the script has next."""
    yield where
