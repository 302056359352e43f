"""Cohorts of actors, by when they were first seen, and when they came back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from medici.domain.analytics.rates import Rate
from medici.domain.analytics.spans import Window


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """A day, week or month of a time zone."""

    first_day: date
    window: Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Retained:
    """How much of a cohort was active in the ``after``-th bucket; None: it is not over yet."""

    after: int
    rate: Rate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The actors who were first seen in a bucket."""

    first_day: date
    actors: int
    cells: Sequence[Retained]


def buckets(unit: Unit, zone: ZoneInfo, *, count: int, now: datetime) -> list[Bucket]:
    """Return the last so many buckets, the running one included, oldest first."""
    first = _first_day(unit, now.astimezone(zone).date())
    days = [first]
    for _ in range(count - 1):
        days.append(_first_day(unit, days[-1] - timedelta(days=1)))
    days.reverse()
    ends = [*days[1:], _next(unit, days[-1])]
    return [
        Bucket(first_day=day, window=Window(since=_midnight(day, zone), until=_midnight(end, zone)))
        for day, end in zip(days, ends, strict=True)
    ]


def cohorts(
    spans: Sequence[Bucket],
    sizes: Mapping[int, int],
    active: Mapping[tuple[int, int], int],
    *,
    now: datetime,
) -> list[Cohort]:
    """Lay cohorts out; ``active`` counts actors by the bucket of their cohort and of a visit."""
    return [
        Cohort(
            first_day=spans[cohort].first_day,
            actors=sizes.get(cohort, 0),
            cells=[
                Retained(
                    after=bucket - cohort,
                    rate=Rate(
                        numerator=active.get((cohort, bucket), 0), denominator=sizes.get(cohort, 0)
                    )
                    if spans[bucket].window.until <= now
                    else None,
                )
                for bucket in range(cohort, len(spans))
            ],
        )
        for cohort in range(len(spans))
    ]


def _first_day(unit: Unit, day: date) -> date:
    match unit:
        case Unit.DAY:
            return day
        case Unit.WEEK:
            return day - timedelta(days=day.weekday())
        case Unit.MONTH:
            return day.replace(day=1)


def _next(unit: Unit, first_day: date) -> date:
    match unit:
        case Unit.DAY:
            return first_day + timedelta(days=1)
        case Unit.WEEK:
            return first_day + timedelta(days=7)
        case Unit.MONTH:
            return (first_day + timedelta(days=31)).replace(day=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(tzinfo=zone)).astimezone(UTC)
