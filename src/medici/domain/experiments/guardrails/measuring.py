"""What users of experiments came to in the last hours, added up for all experiments at once.

Facts are read once, however many experiments there are: each fact finds the experiments of its user
by the index on assignments. A user counts under the variant that they are served now, from their
assignment on; they are among those served if they were assigned in the window, or did anything in
it.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.analytics.adding import within
from medici.domain.analytics.spans import Window
from medici.domain.assignments.models import Assignment, Experiment, ExperimentRuntime
from medici.domain.events.models import Event
from medici.domain.experiments.analysis.sums import Sums
from medici.domain.experiments.guardrails.judging import Figures, Measured
from medici.domain.experiments.guardrails.percentiles import latencies
from medici.domain.experiments.metrics.facts import (
    added_up,
    is_ended_render,
    is_paid_activation,
    sorts_of_deeds,
)
from medici.domain.experiments.metrics.keys import Metric, MetricKind
from medici.domain.experiments.metrics.measures import Measure, formula_of
from medici.domain.rendering.models import IN_FLIGHT, RenderJob, RenderState

SUMS = tuple(field.name for field in fields(Sums))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An experiment, and the metrics that are wanted of it."""

    experiment: Experiment
    metrics: frozenset[Metric]

    @property
    def wants_latencies(self) -> bool:
        return any(metric.kind is MetricKind.DESCRIPTIVE for metric in self.metrics)


async def measure(
    session: AsyncSession, asked: Sequence[Asked], window: Window
) -> dict[str, Measured]:
    """Measure each experiment over its own users."""
    if not asked:
        return {}
    found = await _figures(session, asked, window)
    timed = [each.experiment for each in asked if each.wants_latencies]
    of_variants, overall = await latencies(session, served(timed), window) if timed else ({}, {})
    queued = await queued_jobs(session)
    told: dict[str, Measured] = {}
    for experiment in (each.experiment for each in asked):
        name = experiment.experiment_id
        variants = {
            variant_id: _with(figures, of_variants.get((name, variant_id)))
            for variant_id, figures in _still_there(experiment, found[name]).items()
        }
        told[name] = Measured(
            control_variant_id=experiment.control_variant_id,
            everybody=_with(_together(found[name].values()), overall.get(name)),
            variants=variants,
            queued_jobs=queued,
        )
    return told


async def queued_jobs(session: AsyncSession) -> int:
    """Count the renders that wait, of the whole platform."""
    waiting = select(func.count()).where(IN_FLIGHT, RenderJob.state == RenderState.QUEUED)
    return await session.scalar(waiting.select_from(RenderJob)) or 0


def served(experiments: Collection[Experiment]) -> CTE:
    """Select everybody who has a variant of some experiments, with the one they get now."""
    drawn = case(
        (
            and_(
                ExperimentRuntime.rollout_percent > 0,
                Assignment.rollout_bucket < ExperimentRuntime.rollout_percent / 100.0,
            ),
            ExperimentRuntime.winner_variant_id,
        ),
        else_=Assignment.variant_id,
    )
    return (
        select(
            Assignment.experiment_id,
            Assignment.user_id,
            Assignment.assigned_at.label("since"),
            drawn.label("variant"),
        )
        .join(
            Experiment,
            and_(
                Experiment.experiment_id == Assignment.experiment_id,
                Experiment.bucket_version == Assignment.bucket_version,
            ),
        )
        .join(ExperimentRuntime, ExperimentRuntime.experiment_id == Assignment.experiment_id)
        .where(
            Assignment.experiment_id.in_([each.experiment_id for each in experiments]),
        )
        .cte("served")
        .prefix_with("MATERIALIZED")  # not to be looked up experiment by experiment
    )


async def _figures(
    session: AsyncSession, asked: Sequence[Asked], window: Window
) -> Mapping[str, Mapping[str, Figures]]:
    wanted = sorted({metric for each in asked for metric in each.metrics}, key=_by_key)
    metrics = [metric for metric in wanted if metric.kind is not MetricKind.DESCRIPTIVE]
    people = served([each.experiment for each in asked])
    each_user = _each_user(people, metrics, window)
    rows = await session.execute(
        select(
            each_user.c.experiment_id,
            each_user.c.variant,
            func.count().label("assigned"),
            func.sum(each_user.c.renders).label("renders"),
            *(
                summed.label(f"{place}_{name}")
                for place, metric in enumerate(metrics)
                for name, summed in _summed(each_user, metric).items()
            ),
        ).group_by(each_user.c.experiment_id, each_user.c.variant)
    )
    found: dict[str, dict[str, Figures]] = defaultdict(dict)
    for row in rows.mappings():
        found[row["experiment_id"]][row["variant"]] = Figures(
            assigned_users=row["assigned"],
            render_events=int(row["renders"]),
            sums={
                metric.key: Sums(**{name: row[f"{place}_{name}"] for name in SUMS})
                for place, metric in enumerate(metrics)
            },
        )
    return found


def _each_user(people: CTE, metrics: Sequence[Metric], window: Window) -> Any:
    """Select one row per experiment and user: what they came to in the window."""
    acts = _acts(people, metrics, window)
    first = _first_activations()
    here = and_(acts.c.experiment_id == people.c.experiment_id, acts.c.user_id == people.c.user_id)
    columns = [
        func.coalesce(acts.c[name], 0).label(name)
        for name in acts.c.keys()  # noqa: SIM118 - iterating columns gives columns
        if name not in {"experiment_id", "user_id"}
    ]
    return (
        select(
            people.c.experiment_id,
            people.c.variant,
            case(
                (or_(acts.c.user_id.is_not(None), people.c.since >= window.since), 1), else_=0
            ).label("here"),
            case((first.c.at >= people.c.since, 1), else_=0).label("paid"),
            case((first.c.at < people.c.since, 1), else_=0).label("already_paid"),
            *columns,
        )
        .select_from(
            people.outerjoin(acts, here).outerjoin(first, first.c.user_id == people.c.user_id)
        )
        .subquery("each_user")
    )


def _acts(people: CTE, metrics: Sequence[Metric], window: Window) -> Any:
    """Add up the facts of each user from their assignment on."""
    columns = {
        _label(measure, metric): _added(measure, metric.event_name)
        for metric in metrics
        for measure in formula_of(metric).measures - {Measure.PAID}
    }
    return (
        select(
            people.c.experiment_id,
            people.c.user_id,
            func.count(case((is_ended_render(), 1))).label("renders"),
            *(value.label(name) for name, value in sorted(columns.items())),
        )
        .join_from(Event, people, Event.user_id == people.c.user_id)
        .where(within(window), Event.occurred_at >= people.c.since)
        .group_by(people.c.experiment_id, people.c.user_id)
        .cte("acts")
    )


def _added(measure: Measure, event_name: str | None) -> ColumnElement[Any]:
    """Return what the facts of a group add to a measure."""
    deeds = next(deeds for deeds in sorts_of_deeds(event_name) if measure in deeds.adding)
    condition, value = deeds.adding[measure]
    return added_up(and_(deeds.facts, condition), value)


def _first_activations() -> CTE:
    """Select when each customer began to pay for the first time ever."""
    return (
        select(Event.user_id, func.min(Event.occurred_at).label("at"))
        .where(is_paid_activation(), Event.user_id.is_not(None))
        .group_by(Event.user_id)
        .cte("first_activations")
    )


def _summed(told: Any, metric: Metric) -> dict[str, ColumnElement[Any]]:
    formula = formula_of(metric)
    columns = {each: told.c[_label(each, metric)] for each in formula.measures}
    counts = told.c.here == 1
    if Measure.PAID in formula.measures:
        counts = and_(counts, told.c.already_paid == 0)
    num = _where(counts, formula.numerator(columns))
    if formula.denominator is None:
        den: ColumnElement[Any] = literal(0.0, Double)
    else:
        den = _where(counts, formula.denominator(columns))
    return {
        "n": func.count(case((counts, 1))),
        "num": func.sum(num),
        "num_sq": func.sum(num * num),
        "den": func.sum(den),
        "den_sq": func.sum(den * den),
        "cross": func.sum(num * den),
    }


def _where(condition: ColumnElement[bool], value: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((condition, cast(value, Double)), else_=literal(0.0, Double))


def _label(measure: Measure, metric: Metric) -> str:
    return f"{measure}:{metric.event_name}" if measure is Measure.NAMED else measure.value


def _by_key(metric: Metric) -> str:
    return metric.key


def _still_there(experiment: Experiment, found: Mapping[str, Figures]) -> Mapping[str, Figures]:
    """Count users of a variant that is gone under control, which they get since."""
    there = {variant["variant_id"] for variant in experiment.variants}
    under: dict[str, list[Figures]] = defaultdict(list)
    for variant_id, figures in found.items():
        under[variant_id if variant_id in there else experiment.control_variant_id].append(figures)
    return {variant_id: _together(each) for variant_id, each in under.items()}


def _together(figures: Collection[Figures]) -> Figures:
    keys = {key for each in figures for key in each.sums}
    return Figures(
        assigned_users=sum(each.assigned_users for each in figures),
        render_events=sum(each.render_events for each in figures),
        sums={key: reduce(add, (each.sums[key] for each in figures)) for key in keys},
    )


def _with(figures: Figures, latency: Any) -> Figures:
    return Figures(
        assigned_users=figures.assigned_users,
        render_events=figures.render_events,
        sums=figures.sums,
        p95_latency=latency,
    )
