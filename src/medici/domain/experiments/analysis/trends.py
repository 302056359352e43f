"""How an experiment came to where it is, slot by slot."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.models import Experiment
from medici.domain.experiments.analysis.comparing import compare, value_of
from medici.domain.experiments.analysis.errors import TooManyBuckets
from medici.domain.experiments.analysis.increments import (
    Increment,
    enrolled_by_slot,
    increments,
)
from medici.domain.experiments.analysis.judging import variant_ids
from medici.domain.experiments.analysis.people import Wanted
from medici.domain.experiments.analysis.percentile import p95_by_slot
from medici.domain.experiments.analysis.showing import average, percent, value_shown
from medici.domain.experiments.analysis.slots import BEFORE, Slots
from medici.domain.experiments.analysis.sums import DESCRIBED, NO_SUMS, Sums
from medici.domain.experiments.metrics.keys import Metric, MetricKind, Unit, parse_metric
from medici.domain.experiments.stats.sequential import sequential
from medici.domain.experiments.variables import ExperimentPolicy

HOUR = timedelta(hours=1)
MOST_POINTS = 1000
NO_INCREMENT = Increment()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendPoint:
    """A slot ``[bucket_start, bucket_end)``: what users did in it, counted from their exposure on.

    ``assigned_users`` and ``cumulative_…`` are of everybody until its end.
    """

    bucket_start: datetime
    bucket_end: datetime
    assigned_users: int
    new_users: int
    render_events: int
    render_success_rate: float
    avg_latency_ms: float | None
    total_cost_usd: float
    preview_users: int
    final_users: int
    preview_to_final_rate: float
    checkout_started_users: int
    paid_activations: int
    paid_activation_rate: float
    primary_metric_value: float | None
    cumulative_primary_metric_value: float | None
    cumulative_lift_pct: float | None
    cumulative_sequential_p_value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantTrend:
    variant_id: str
    points: Sequence[TrendPoint]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trends:
    """The same slots for every variant, oldest first."""

    experiment_id: str
    name: str
    primary_metric: str
    generated_at: datetime
    window_hours: int
    bucket_hours: int
    control_variant_id: str
    variants: Sequence[VariantTrend]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slot:
    """One variant in one slot, and everything up to its end."""

    increment: Increment
    so_far: Sums
    new: int
    assigned: int
    p95: float | None


async def trends(
    session: AsyncSession,
    experiment: Experiment,
    *,
    policy: ExperimentPolicy,
    hours: int,
    bucket_hours: int,
    now: datetime,
) -> Trends:
    """Follow the users of the phase through the last hours.

    Raises:
        TooManyBuckets: more than 1,000 points would be needed.
        UnknownPrimaryMetric: the experiment names none.
    """
    slots = slots_of(hours, bucket_hours, now=now)
    seen = await _look(session, experiment, slots)
    control = seen[experiment.control_variant_id]
    metric = parse_metric(experiment.primary_metric)
    tuning_n = experiment.sequential_tuning_n or policy.tuning_n
    shaping = _Shaping(metric, slots, alpha=policy.alpha, tuning_n=tuning_n, now=now)
    return Trends(
        experiment_id=experiment.experiment_id,
        name=experiment.name,
        primary_metric=experiment.primary_metric,
        generated_at=now,
        window_hours=hours,
        bucket_hours=bucket_hours,
        control_variant_id=experiment.control_variant_id,
        variants=[
            VariantTrend(
                variant_id=variant_id,
                points=shaping.points(each, None if each is control else control),
            )
            for variant_id, each in seen.items()
        ],
    )


def slots_of(hours: int, bucket_hours: int, *, now: datetime) -> Slots:
    """Divide the last hours; the last slot may be short.

    Raises:
        TooManyBuckets: that would be more than 1,000.
    """
    count = -(-hours // bucket_hours)
    if count > MOST_POINTS:
        raise TooManyBuckets(f"{count} points, {MOST_POINTS} are the most")
    return Slots(start=now - hours * HOUR, width=bucket_hours * HOUR, count=count)


async def _look(
    session: AsyncSession, experiment: Experiment, slots: Slots
) -> dict[str, list[_Slot]]:
    metric = parse_metric(experiment.primary_metric)
    wanted = Wanted(experiment=experiment, primary=metric, described=DESCRIBED, slots=slots)
    grown = await increments(session, wanted)
    met = await enrolled_by_slot(session, wanted, slots)
    p95 = await p95_by_slot(session, wanted) if metric.kind is MetricKind.DESCRIPTIVE else {}
    return {
        variant_id: list(_followed(variant_id, slots, grown, met, p95))
        for variant_id in variant_ids(experiment)
    }


def _followed(
    variant_id: str,
    slots: Slots,
    grown: Mapping[tuple[str, int], Increment],
    met: Mapping[tuple[str, int], int],
    p95: Mapping[tuple[str, int], float],
) -> Iterator[_Slot]:
    so_far, assigned = NO_SUMS, 0
    for number in range(BEFORE, slots.count):
        place = variant_id, number
        increment, new = grown.get(place, NO_INCREMENT), met.get(place, 0)
        so_far, assigned = so_far + increment.grown, assigned + new
        if number != BEFORE:
            yield _Slot(
                increment=increment, so_far=so_far, new=new, assigned=assigned, p95=p95.get(place)
            )


class _Shaping:
    """Shapes the points of a variant."""

    def __init__(
        self, metric: Metric, slots: Slots, *, alpha: float, tuning_n: int, now: datetime
    ) -> None:
        self._metric, self._slots, self._now = metric, slots, now
        self._alpha, self._tuning_n = alpha, tuning_n

    def points(self, variant: Sequence[_Slot], control: Sequence[_Slot] | None) -> list[TrendPoint]:
        """Shape every slot; control itself is compared with nothing."""
        others = [each.so_far for each in control] if control else [None] * len(variant)
        return [
            self._point(number, slot, other)
            for number, (slot, other) in enumerate(zip(variant, others, strict=True))
        ]

    def _point(self, number: int, slot: _Slot, control: Sums | None) -> TrendPoint:
        done = slot.increment.done
        start = self._slots.start + number * self._slots.width
        lift, p_value = self._compared(slot.so_far, control)
        return TrendPoint(
            bucket_start=start,
            bucket_end=min(start + self._slots.width, self._now),
            assigned_users=slot.assigned,
            new_users=slot.new,
            render_events=done.ended,
            render_success_rate=percent(done.completed, done.completed + done.failed, 4),
            avg_latency_ms=average(done.latency_ms, done.timed, 2),
            total_cost_usd=round(done.cost_usd, 6),
            preview_users=done.previewing,
            final_users=done.finishing,
            preview_to_final_rate=percent(done.finishing, done.previewing),
            checkout_started_users=done.checking_out,
            paid_activations=done.paying,
            paid_activation_rate=percent(done.paying, done.checking_out),
            primary_metric_value=self._shown(self._within(slot)),
            cumulative_primary_metric_value=self._shown(value_of(self._metric, slot.so_far)),
            cumulative_lift_pct=lift,
            cumulative_sequential_p_value=p_value,
        )

    def _within(self, slot: _Slot) -> float | None:
        """Return the metric of this slot alone; of users, of all that there are by now."""
        match self._metric.kind:
            case MetricKind.DESCRIPTIVE:
                return slot.p95
            case MetricKind.RATIO:
                return value_of(self._metric, slot.increment.within)
            case _:
                return slot.increment.within.num / slot.so_far.n if slot.so_far.n else None

    def _shown(self, value: float | None) -> float | None:
        unit = self._metric.unit
        return value_shown(0.0 if value is None and unit is Unit.SHARE else value, unit)

    def _compared(self, ours: Sums, control: Sums | None) -> tuple[float | None, float | None]:
        if control is None:
            return None, None
        found = compare(self._metric, control, ours, self._alpha)
        valid = sequential(found.diff, found.se, control.n + ours.n, self._alpha, self._tuning_n)
        return None if found.lift is None else round(100 * found.lift, 2), valid.p_value
