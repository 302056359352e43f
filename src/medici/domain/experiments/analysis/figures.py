"""A variant in figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from medici.domain.experiments.analysis.comparing import compare, value_of
from medici.domain.experiments.analysis.judging import Judged
from medici.domain.experiments.analysis.past import Adjusted
from medici.domain.experiments.analysis.queries import Told
from medici.domain.experiments.analysis.showing import (
    average,
    difference_shown,
    interval_shown,
    percent,
    value_shown,
)
from medici.domain.experiments.analysis.sums import Described, Sums
from medici.domain.experiments.metrics.keys import Metric, MetricKind, Unit
from medici.domain.experiments.stats.chance import chance_to_win
from medici.domain.experiments.stats.values import Method

Ends: TypeAlias = tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantFigure:
    """What a variant's users did after their first exposure, and how they compare with control.

    ``assigned_users`` have the variant, ``exposed_users`` of them take part. Of control itself
    only values are told. ``sequential_…``, ``p_value_adjusted`` and what follows from them are of
    the whole phase; so is ``cuped_…``, a mean less what users' past explains of it. That and
    ``chance_to_beat_control`` know nothing of repeated looks and decide nothing.
    """

    variant_id: str
    assigned_users: int
    active_paid_users: int
    paid_conversion_rate: float
    checkout_started_users: int
    checkout_start_rate: float
    preview_users: int
    final_users: int
    preview_to_final_rate: float
    render_events: int
    render_success_rate: float
    avg_latency_ms: float | None
    p95_latency_ms: float | None
    total_cost_usd: float
    avg_cost_usd: float | None
    primary_metric_value: float | None
    primary_metric_successes: int | None
    primary_metric_trials: int
    paid_source_breakdown: Mapping[str, int]
    lift_vs_control_pct: float | None
    p_value: float | None
    statistically_significant: bool
    exposed_users: int
    metric_kind: MetricKind
    test_method: Method | None
    abs_diff: float | None
    abs_diff_ci: Ends
    lift_ci_pct: Ends
    sequential_p_value: float | None
    sequential_ci: Ends
    p_value_adjusted: float | None
    sample_size_reached: bool
    chance_to_beat_control: float | None
    cuped_value: float | None
    cuped_abs_diff_ci: Ends
    cuped_p_value: float | None
    cuped_variance_reduction_pct: float | None


def variant_figure(
    variant_id: str,
    told: Told,
    control: Told,
    judged: Judged,
    *,
    assigned: int,
    p95: float | None,
    p95_in_span: float | None,
    cuped: Adjusted,
    alpha: float,
) -> VariantFigure:
    """Put a variant's figures together; percentiles are in milliseconds."""
    rest = _compared(told.recent, control.recent, judged, alpha)
    is_control = variant_id not in judged.verdicts
    return VariantFigure(
        variant_id=variant_id,
        assigned_users=assigned,
        exposed_users=told.described.exposed,
        **_did(told.described, p95),
        **_came_to(judged.metric, told, p95_in_span),
        **(dict.fromkeys(rest) if is_control else rest),
        **_judged(variant_id, judged),
        cuped_value=cuped.value,
        cuped_abs_diff_ci=cuped.diff_ci,
        cuped_p_value=cuped.p_value,
        cuped_variance_reduction_pct=cuped.variance_reduction_pct,
    )


def _did(done: Described, p95: float | None) -> dict[str, Any]:
    return {
        "active_paid_users": done.paying,
        "paid_conversion_rate": percent(done.paying, done.exposed - done.already_paid),
        "paid_source_breakdown": done.paid_sources,
        "checkout_started_users": done.checking_out,
        "checkout_start_rate": percent(done.checking_out, done.exposed),
        "preview_users": done.previewing,
        "final_users": done.finishing,
        "preview_to_final_rate": percent(done.finishing, done.previewing),
        "render_events": done.ended,
        "render_success_rate": percent(done.completed, done.completed + done.failed, 4),
        "avg_latency_ms": average(done.latency_ms, done.timed, 2),
        "p95_latency_ms": None if p95 is None else round(p95, 2),
        "total_cost_usd": round(done.cost_usd, 6),
        "avg_cost_usd": average(done.cost_usd, done.ended, 4),
    }


def _came_to(metric: Metric, told: Told, p95: float | None) -> dict[str, Any]:
    sums, unit = told.recent, metric.unit
    if metric.kind is MetricKind.DESCRIPTIVE:
        value, trials = p95, round(sums.num)
    else:
        value = value_of(metric, sums)
        trials = round(sums.den) if metric.kind is MetricKind.RATIO else sums.n
    if value is None and unit is Unit.SHARE:
        value = 0.0
    return {
        "metric_kind": metric.kind,
        "primary_metric_value": value_shown(value, unit),
        "primary_metric_successes": round(sums.num) if unit is Unit.SHARE else None,
        "primary_metric_trials": trials,
    }


def _compared(ours: Sums, control: Sums, judged: Judged, alpha: float) -> dict[str, Any]:
    metric = judged.metric
    found = compare(metric, control, ours, alpha)
    lift = None if found.lift is None else round(100 * found.lift, 2)
    return {
        "p_value": found.p_value,
        "test_method": found.method,
        "lift_vs_control_pct": lift,
        "lift_ci_pct": interval_shown(found.lift_ci, Unit.SHARE),
        "abs_diff": difference_shown(found.diff, metric.unit),
        "abs_diff_ci": interval_shown(found.diff_ci, metric.unit),
        "chance_to_beat_control": _chance(metric, ours, control),
    }


def _chance(metric: Metric, ours: Sums, control: Sums) -> float | None:
    if metric.kind is not MetricKind.PROPORTION:
        return None
    return round(chance_to_win(round(control.num), control.n, round(ours.num), ours.n), 4)


def _judged(variant_id: str, judged: Judged) -> dict[str, Any]:
    verdict = judged.verdicts.get(variant_id)
    valid = verdict.always_valid if verdict else None
    return {
        "sample_size_reached": judged.has_enough(variant_id),
        "sequential_p_value": valid.p_value if valid else None,
        "sequential_ci": interval_shown(valid.interval, judged.metric.unit) if valid else None,
        "p_value_adjusted": verdict.adjusted_p_value if verdict else None,
        "statistically_significant": verdict.is_significant if verdict else False,
    }
