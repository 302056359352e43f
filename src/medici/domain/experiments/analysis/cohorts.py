"""Who is compared, from when on, and for how long: conditions on assignments and moments."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, func, literal, or_

from medici.domain.assignments.models import Assignment, Experiment
from medici.domain.events.models import Event
from medici.domain.experiments.analysis.moments import later
from medici.domain.experiments.metrics.keys import Metric
from medici.kernel.db.base import Instant

PAST = timedelta(days=14)
NEVER = literal(datetime(9000, 1, 1, tzinfo=UTC), Instant())
SINCE = Assignment.first_exposed_at
UNTIL = func.coalesce(Assignment.censored_at, NEVER)


def is_enrolled(experiment: Experiment) -> ColumnElement[bool]:
    """Return the condition that an assignment belongs to the phase that is running."""
    return and_(
        Assignment.experiment_id == experiment.experiment_id,
        Assignment.phase == experiment.phase,
        Assignment.bucket_version == experiment.bucket_version,
        Assignment.enrolled.is_(True),
    )


def is_compared(experiment: Experiment) -> ColumnElement[bool]:
    """Return the condition that an assignment's user takes part in the comparison."""
    return and_(is_enrolled(experiment), is_exposed())


def is_exposed() -> ColumnElement[bool]:
    """Return the condition that an assignment's user saw its variant, that one alone, in time."""
    return and_(
        SINCE.is_not(None),
        Assignment.multiply_exposed.is_(False),
        or_(Assignment.censored_at.is_(None), Assignment.censored_at > SINCE),
    )


def is_followed(moment: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """Return the condition that something happened while a user is followed."""
    return and_(moment >= SINCE, moment < UNTIL)


def is_past(moment: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    """Return the condition that something happened in the weeks before a user's exposure."""
    return and_(moment >= later(SINCE, -PAST), moment < SINCE)


def no_earlier(experiment: Experiment) -> list[ColumnElement[bool]]:
    """Nobody of a phase is exposed before it starts, which spares reading what is older."""
    if experiment.phase_started_at is None:
        return []
    return [Event.occurred_at >= experiment.phase_started_at]


def in_span(primary: Metric, moment: SQLColumnExpression[Any]) -> ColumnElement[bool]:
    if primary.span is None:
        return literal(value=True)
    return moment < later(SINCE, primary.span)
