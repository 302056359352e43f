"""What the operator should look at, and from which values on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from medici.domain.insights.tallies import Tally
from medici.domain.plans.variables import Tunable, Variables

FEWEST_RENDERS = 20
FEWEST_OF_A_PROVIDER = 10


class Severity(StrEnum):
    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFigure:
    """A value beyond its threshold."""

    code: str
    severity: Severity
    message: str
    current_value: float
    threshold: float
    provider: str | None = None


MIN_SUCCESS_RATE = Tunable(
    key="analytics_alert_min_success_rate_pct",
    default=85.0,
    minimum=0,
    maximum=100,
    description="Below this percentage of finished renders that succeed there is an alert.",
)
MAX_P95_LATENCY = Tunable(
    key="analytics_alert_max_p95_latency_ms",
    default=12_000,
    minimum=1,
    description="Above this 95th percentile of render latency there is an alert.",
)
MAX_AVERAGE_COST = Tunable(
    key="analytics_alert_max_avg_cost_usd",
    default=0.12,
    minimum=0,
    description="Above this average cost of a render, in US dollars, there is an alert.",
)
MAX_QUEUED_JOBS = Tunable(
    key="analytics_alert_max_queued_jobs",
    default=50,
    minimum=0,
    description="Above this many renders that wait for a provider there is an alert.",
)
FEE_PERCENT = {
    source: Tunable(
        key=f"analytics_payment_fee_{source}_pct",
        default=default,
        minimum=0,
        maximum=100,
        description=f"How many percent of a payment on {source} are kept there, as margins reckon.",
    )
    for source, default in (("ios", 15.0), ("android", 15.0), ("web", 3.0))
}
TUNABLES: tuple[Tunable[Any], ...] = (
    MIN_SUCCESS_RATE,
    MAX_P95_LATENCY,
    MAX_AVERAGE_COST,
    MAX_QUEUED_JOBS,
    *FEE_PERCENT.values(),
)


def alerts(
    total: Tally,
    providers: Mapping[str, Tally],
    *,
    p95_ms: int | None,
    queued: int,
    variables: Variables,
) -> list[AlertFigure]:
    """Hold figures against the operator's thresholds; few renders raise no alarm."""
    least = variables[MIN_SUCCESS_RATE]
    average = total.cost_micros / total.costed / 1_000_000 if total.costed else None
    found: list[AlertFigure] = []
    if total.finished >= FEWEST_RENDERS and total.success_rate < least:
        found.append(_low("render_success_rate_low", Severity.CRITICAL, total, least))
    found += _high(
        "render_latency_high", p95_ms, variables[MAX_P95_LATENCY], "ms took the slowest renders"
    )
    found += _high(
        "render_cost_high", average, variables[MAX_AVERAGE_COST], "US dollars cost a render"
    )
    for provider, done in providers.items():
        if done.finished >= FEWEST_OF_A_PROVIDER and done.success_rate < least:
            low = _low("provider_success_low", Severity.WARNING, done, least)
            found.append(replace(low, provider=provider))
    return found + _high(
        "queue_backlog_high", queued, variables[MAX_QUEUED_JOBS], "renders are waiting"
    )


def _low(code: str, severity: Severity, done: Tally, least: float) -> AlertFigure:
    rate = done.success_rate
    return AlertFigure(
        code=code,
        severity=severity,
        message=f"{rate} % of {done.finished} renders succeeded; {least} % are expected",
        current_value=rate,
        threshold=least,
    )


def _high(code: str, value: float | None, most: float, words: str) -> list[AlertFigure]:
    if value is None or value <= most:
        return []
    told = round(value, 6)
    message = f"{told} {words}; {most} is the limit"
    return [
        AlertFigure(
            code=code,
            severity=Severity.WARNING,
            message=message,
            current_value=told,
            threshold=most,
        )
    ]
