"""The credits that a plan gives each day: which day it is, and what is still owed for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetSchedule:
    """When the day turns, in UTC; ``enabled`` False stops allowances altogether."""

    enabled: bool = True
    hour: int = 0
    minute: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The day of an allowance, ``[starts_at, ends_at)``, named by the UTC date it opened on."""

    schedule_date: date
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """An allowance that is still to be given, so that the day has had ``target`` credits in all.

    ``source_ref`` is the date, with the plan behind a colon where more is added to what was given.
    """

    source_ref: str
    target: int
    tops_up: bool


def allowance_window(now: datetime, reset_hour: int, reset_minute: int) -> Window:
    """Return the window that ``now`` lies in; both reset arguments are UTC."""
    today = now.astimezone(UTC).date()
    starts_at = datetime.combine(today, time(reset_hour, reset_minute), tzinfo=UTC)
    if now < starts_at:
        starts_at -= DAY
    return Window(schedule_date=starts_at.date(), starts_at=starts_at, ends_at=starts_at + DAY)


def owed(given: Mapping[str, int], window: Window, *, plan_id: str, target: int) -> Owed | None:
    """Return what the plan still owes for a window, or None.

    ``given`` holds the allowances of that date and of later ones: credits by ``source_ref``. A
    later one means that the reset was moved back meanwhile; the window has had its day then.
    """
    period = window.schedule_date.isoformat()
    tops_up = f"{period}:{plan_id}"
    if target <= sum(given.values()) or tops_up in given or _is_past(period, given):
        return None
    return Owed(source_ref=tops_up if given else period, target=target, tops_up=bool(given))


def _is_past(period: str, given: Mapping[str, int]) -> bool:
    return any(source_ref.partition(":")[0] > period for source_ref in given)
