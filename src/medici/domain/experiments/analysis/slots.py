"""Stretches of time that things are put into."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, case, literal

from medici.domain.experiments.analysis.moments import micros_of
from medici.kernel.db.base import BigInt, Instant

BEFORE = -1  # the slot of all that happened before the first one
MICRO = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """Stretches of time of the same length, one after the other from ``start`` on."""

    start: datetime
    width: timedelta
    count: int

    def of(self, moment: SQLColumnExpression[Any]) -> ColumnElement[int]:
        """Return the number of the slot that a moment lies in, from 0 on."""
        start, width = (
            literal(each, BigInt) for each in (_micros(self.start), self.width // MICRO)
        )
        before = moment < literal(self.start, Instant())
        return case((before, BEFORE), else_=(micros_of(moment) - start) // width)


def _micros(moment: datetime) -> int:
    return (moment - EPOCH) // MICRO
