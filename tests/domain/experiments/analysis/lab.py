"""An experiment with users, and what they do: rows as assignment, renders and stores leave them."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from medici.adapters.payments.news import AuthMode, Ownership, Paid, Source
from medici.domain.assignments.models import (
    AnalysisMode,
    Assignment,
    Experiment,
    ExperimentRuntime,
    ExperimentStatus,
    ExposureMode,
    Reason,
)
from medici.domain.billing.models import StoreTransaction
from medici.domain.events.facts import EventName, Fact
from medici.domain.events.service import record
from medici.domain.experiments.analysis.deciding import decided
from medici.domain.experiments.analysis.figures import VariantFigure
from medici.domain.experiments.analysis.performance import Performance, performance
from medici.domain.experiments.decisions import Decided
from medici.domain.experiments.variables import ExperimentPolicy, GuardrailMode
from medici.domain.identity.service import ensure_user
from medici.kernel.db.database import Database
from medici.kernel.environment import Environment
from medici.kernel.ids import new_id

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STARTED = NOW - 7 * DAY
EXPOSED = NOW - 2 * DAY
POLICY = ExperimentPolicy(
    alpha=0.05,
    minimum_sample_size=100,
    tuning_n=2000,
    required_streak=2,
    guardrail_mode=GuardrailMode.POINT,
    ignore_global_breach=False,
    step_at_least=DAY,
    runtime_at_least=timedelta(0),
    mde=0.1,
    automation_enabled=False,
    holdout_percent=0.0,
)
PAID = Fact(name=EventName.SUBSCRIPTION_ACTIVATED, platform="ios", status="active")
RENDERED = Fact(
    name=EventName.RENDER_STATUS_UPDATED,
    tier="preview",
    status="completed",
    latency_ms=4_000,
    cost_micros=25_000,
    credits=1,
)


@dataclass(frozen=True)
class Lab:
    """One experiment called ``paywall`` and everything that happens around it."""

    database: Database

    async def set_up(self, **changes: Any) -> None:
        values: dict[str, Any] = {
            "experiment_id": "paywall",
            "name": "Paywall timing",
            "status": ExperimentStatus.RUNNING,
            "assignment_unit": "user_id",
            "primary_metric": "upgrade_conversion_7d",
            "control_variant_id": "control",
            "seed": "paywall",
            "bucket_version": 0,
            "traffic_percent": 100.0,
            "targeting": {},
            "overrides": {},
            "exposure_mode": ExposureMode.ASSIGNMENT,
            "analysis_mode": AnalysisMode.SEQUENTIAL,
            "sequential_tuning_n": 2000,
            "guardrails": {},
            "variants": variants("control", "after"),
            "phase": 1,
            "phase_started_at": STARTED,
            "revision": 1,
            "created_at": STARTED,
            "updated_at": STARTED,
        }
        async with self.database.transaction() as session:
            session.add(Experiment(**values | changes))
            await session.flush()
            session.add(ExperimentRuntime(experiment_id="paywall"))

    async def assign(
        self, variant_id: str, *user_ids: str, exposed_at: datetime | None = EXPOSED, **changes: Any
    ) -> None:
        values: dict[str, Any] = {
            "experiment_id": "paywall",
            "variant_id": variant_id,
            "bucket": 0.1,
            "rollout_bucket": 0.1,
            "phase": 1,
            "bucket_version": 0,
            "assigned_at": exposed_at or EXPOSED,
            "first_exposed_at": exposed_at,
            "enrolled": True,
            "reason": Reason.HASH,
        }
        async with self.database.transaction() as session:
            session.add_all(Assignment(user_id=user_id, **values | changes) for user_id in user_ids)

    async def tell(
        self, fact: Fact, *user_ids: str, at: datetime = NOW - DAY, **changes: Any
    ) -> None:
        """Record the same fact for some users."""
        told = replace(fact, occurred_at=at, **changes)
        async with self.database.transaction() as session:
            for user_id in user_ids:
                await record(session, replace(told, user_id=user_id), now=NOW)

    async def pay(
        self, user_id: str, amount: int, *, at: datetime = NOW - DAY, **changes: Any
    ) -> None:
        """Book a payment in cents."""
        values: dict[str, Any] = {
            "id": new_id(),
            "source": Source.WEB,
            "environment": Environment.PRODUCTION,
            "transaction_id": str(new_id()),
            "user_id": user_id,
            "product_id": "product",
            "plan_id": "pro",
            "paid": Paid.PERIOD,
            "auth_mode": AuthMode.NATIVE,
            "ownership": Ownership.PURCHASED,
            "quantity": 1,
            "amount_minor": amount,
            "currency": "USD",
            "paid_at": at,
            "details": {},
            "recorded_at": at,
        }
        async with self.database.transaction() as session:
            await ensure_user(session, user_id=user_id, now=at)
            session.add(StoreTransaction(**values | changes))

    async def performance(
        self, *, hours: int = 168, policy: ExperimentPolicy = POLICY, now: datetime = NOW
    ) -> Performance:
        async with self.database.reading() as session:
            experiment = await session.get_one(Experiment, "paywall")
            return await performance(session, experiment, policy=policy, hours=hours, now=now)

    async def decided(self, *, policy: ExperimentPolicy = POLICY, now: datetime = NOW) -> Decided:
        async with self.database.reading() as session:
            experiment = await session.get_one(Experiment, "paywall")
            return await decided(session, experiment, policy=policy, now=now)


def variants(*ids: str) -> list[dict[str, Any]]:
    return [{"variant_id": id_, "weight": 50, "config": {}} for id_ in ids]


def crowd(of: str, count: int, *, skip: int = 0) -> list[str]:
    return [f"{of}-{number}" for number in range(skip, count)]


def figure_of(told: Performance, variant_id: str) -> VariantFigure:
    return next(each for each in told.variants if each.variant_id == variant_id)


def shares(told: Performance) -> dict[str, tuple[int | None, int]]:
    """Return successes and trials of each variant."""
    return {
        each.variant_id: (each.primary_metric_successes, each.primary_metric_trials)
        for each in told.variants
    }
