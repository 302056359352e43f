"""What a transaction on a driver can do."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeAlias, TypeVar

from sqlalchemy import Engine

T = TypeVar("T")


class Driver(Protocol):
    """One transaction, spoken to in SQL. Errors are SQLAlchemy's ``DBAPIError``."""

    @property
    def engine(self) -> Engine:
        """The engine of the same database; its dialect says which SQL is understood."""
        ...

    async def fetch(self, sql: str, arguments: Sequence[object]) -> Sequence[Sequence[Any]]:
        """Run one statement and return its rows as the driver gives them."""
        ...

    def after_commit(self, follow: Callable[[], None]) -> None:
        """Have a quick function called once the transaction has committed."""
        ...


Work: TypeAlias = Callable[[Driver], Coroutine[Any, Any, T]]
