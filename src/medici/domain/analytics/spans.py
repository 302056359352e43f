"""Hours and days of UTC, and which of them a window can be added up from."""

from dataclasses import dataclass
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span of time ``[since, until)``."""

    since: datetime
    until: datetime

    @classmethod
    def of_hours(cls, hours: int, *, until: datetime) -> "Window":
        return cls(since=until - timedelta(hours=hours), until=until)

    @property
    def previous(self) -> "Window":
        """Return the span of the same length before it."""
        return Window(since=self.since - self.length, until=self.since)

    @property
    def length(self) -> timedelta:
        return self.until - self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a window is put together from: whole days, whole hours, and raw facts at the ends."""

    days: tuple[Window, ...]
    hours: tuple[Window, ...]
    raw: tuple[Window, ...]

    @property
    def rolled(self) -> tuple[Window, ...]:
        """Return the hours and days as one span; they touch."""
        if not self.hours and not self.days:
            return ()
        spans = (*self.hours, *self.days)
        since, until = min(span.since for span in spans), max(span.until for span in spans)
        return (Window(since=since, until=until),)


def floor_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def ceil_hour(moment: datetime) -> datetime:
    floor = floor_hour(moment)
    return floor if floor == moment else floor + HOUR


def floor_day(moment: datetime) -> datetime:
    return floor_hour(moment).replace(hour=0)


def ceil_day(moment: datetime) -> datetime:
    floor = floor_day(moment)
    return floor if floor == moment else floor + DAY


def parts_of(window: Window, *, rolled_to: datetime | None) -> Parts:
    """Divide a window into what is rolled up and what is not; ``rolled_to`` None: nothing is."""
    since, until = ceil_hour(window.since), floor_hour(min(window.until, rolled_to or window.since))
    if until <= since:
        return Parts(days=(), hours=(), raw=(window,))
    raw = _not_empty(
        Window(since=window.since, until=since), Window(since=until, until=window.until)
    )
    first_day, last_day = ceil_day(since), floor_day(until)
    if last_day <= first_day:
        return Parts(days=(), hours=(Window(since=since, until=until),), raw=raw)
    return Parts(
        days=(Window(since=first_day, until=last_day),),
        hours=_not_empty(Window(since=since, until=first_day), Window(since=last_day, until=until)),
        raw=raw,
    )


def _not_empty(*windows: Window) -> tuple[Window, ...]:
    return tuple(window for window in windows if window.since < window.until)
