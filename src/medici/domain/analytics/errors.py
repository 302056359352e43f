"""Why reports are refused, and questions that nobody can answer."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from medici.kernel.errors import Kind, MediciError


class NothingAcceptable(MediciError):
    """Every event of a request was rejected; ``rejected`` says why, event by event."""

    kind = Kind.UNPROCESSABLE
    code = "no_acceptable_event"

    def __init__(self, rejected: Sequence[Mapping[str, object]]) -> None:
        super().__init__("no event of this request can be taken")
        self._rejected = rejected

    def details(self) -> Mapping[str, object]:
        return {"rejected": self._rejected}


class TooManyEvents(MediciError):
    """A request brings more events than one may."""

    kind = Kind.UNPROCESSABLE
    code = "too_many_events"


class NotReadable(MediciError):
    """The body is neither an event nor a list of them."""

    kind = Kind.UNPROCESSABLE
    code = "invalid_events"


class UnfitQuestion(MediciError):
    """The question makes no sense; the message says what is wrong with it."""

    kind = Kind.UNPROCESSABLE
    code: str = "invalid_query"


class TooMuchToFollow(UnfitQuestion):
    """More facts would have to be read than one answer may."""

    code = "window_too_large"
    MOST: ClassVar[int] = 500_000
