"""What kinds of work there are, and what a job carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

JsonValue: TypeAlias = (
    str | int | float | bool | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None
)
Argument: TypeAlias = JsonValue | UUID | datetime


class Queue(StrEnum):
    """Lines that wait apart, so that slow work of one sort holds up no other."""

    DEFAULT = "default"
    IMAGE = "image_queue"
    POLLING = "polling_queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """One sort of work. ``name`` is stored in rows and called from outside: never change it.

    ``attempts`` counts runs that failed or were lost, the first included. A run that takes longer
    than ``timeout_seconds`` is stopped and counts as failed.
    """

    name: str
    queue: Queue = Queue.DEFAULT
    attempts: int = 5
    timeout_seconds: float = 300


def stored(args: Mapping[str, Argument]) -> dict[str, object]:
    """Write arguments as JSON has them; handlers read them back by their annotations."""
    return {name: _stored(value) for name, value in args.items()}


def _stored(value: Argument) -> object:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case _:
            return value
