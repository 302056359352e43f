"""The credits that a plan gives each day: which day it is, and what is still owed for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from medici.domain.billing.errors import UnknownTimeZone

DAY = timedelta(days=1)
UTC_NAME = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The day of an allowance, ``[starts_at, ends_at)``, named by the date on which it opened.

    The date is that of the schedule's time zone, so days of 23 and 25 hours have one name each.
    """

    schedule_date: date
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetSchedule:
    """When the day turns, by a zone's clocks; ``enabled`` False stops allowances altogether."""

    enabled: bool = True
    hour: int = 0
    minute: int = 0
    time_zone: str = UTC_NAME  # as IANA calls it

    def window(self, now: datetime) -> Window:
        """Return the window that ``now`` lies in."""
        return allowance_window(now, self.hour, self.minute, self.time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """An allowance that is still to be given, so that the day has had ``target`` credits in all.

    ``source_ref`` is the date, with the plan behind a colon where more is added to what was given.
    """

    source_ref: str
    target: int
    tops_up: bool


def allowance_window(
    now: datetime, reset_hour: int, reset_minute: int, time_zone: str = UTC_NAME
) -> Window:
    """Return the window that ``now`` lies in; hour and minute are those of the zone's clocks.

    A time that a day leaves out, because clocks go forward, comes as long after midnight as on
    other days; one that it has twice counts when it first comes.
    """
    at, zone = time(reset_hour, reset_minute), zone_called(time_zone)
    day = now.astimezone(zone).date()
    if now < _turn(day, at, zone):
        day -= DAY
    return Window(
        schedule_date=day, starts_at=_turn(day, at, zone), ends_at=_turn(day + DAY, at, zone)
    )


def zone_called(name: str) -> tzinfo:
    """Return a time zone.

    Raises:
        UnknownTimeZone: this machine knows none of that name.
    """
    if name == UTC_NAME:  # which needs no data
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UnknownTimeZone(f"there is no time zone {name}") from error


def _turn(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


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
