"""The log of what happened: every change as an event, in the order in which it came."""

from collections.abc import Callable

from medici.fakes.stripe.books import Books
from medici.fakes.stripe.habits import Habits, Shape
from medici.fakes.stripe.params import Record
from medici.fakes.stripe.shapes import NEW_VERSION, OLD_VERSION, old


class Log:
    """``heard`` is called with every new event."""

    def __init__(self, books: Books, habits: Habits) -> None:
        self._books = books
        self._habits = habits
        self.heard: Callable[[Record], None] = lambda _event: None

    def happened(self, kind: str, record: Record, previous: Record | None = None) -> None:
        """Write an event about an object down, as the object is at this moment."""
        for _ in range(2 if self._habits.twins else 1):
            is_old = self._habits.shape is Shape.OLD
            told = self._books.told(record)
            data: Record = {"object": old(self._books, told) if is_old else told}
            if previous is not None:
                data["previous_attributes"] = previous
            event = self._books.new(
                "event",
                "evt",
                {
                    "api_version": OLD_VERSION if is_old else NEW_VERSION,
                    "type": kind,
                    "data": data,
                    "pending_webhooks": 1,
                    "request": {"id": None, "idempotency_key": None},
                },
            )
            self.heard(event)
