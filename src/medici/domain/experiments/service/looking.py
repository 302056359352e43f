"""What guardrails, ladder and automation are told: how far back to look, and whether to act."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics.spans import Window
from medici.kernel.errors import Kind, MediciError

Opening: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncSession]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Openings:
    """How sessions are opened: to read for as long as it takes, and to write one thing at once."""

    reading: Opening
    transaction: Opening


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at the last hours. A dry one tells what would be done, and writes nothing.

    ``begun_at`` is when the run began that this look is part of; what was done since then is not
    done again where a run that was interrupted goes on.
    """

    now: datetime
    hours: int
    dry_run: bool
    begun_at: datetime

    @classmethod
    def at(cls, now: datetime, *, hours: int, dry_run: bool) -> "Look":
        return cls(now=now, hours=hours, dry_run=dry_run, begun_at=now)

    @property
    def window(self) -> Window:
        return Window.of_hours(self.hours, until=self.now)

    def has_done(self, at: datetime | None) -> bool:
        """Tell whether something was done in this run before it was interrupted."""
        return at is not None and self.begun_at <= at < self.now


class ExperimentMoved(MediciError):
    """The experiment was changed while it was looked at; look again."""

    kind = Kind.CONFLICT
    code = "experiment_changed"

    def __init__(self, experiment_id: str) -> None:
        super().__init__(f"{experiment_id} was changed while it was evaluated")
