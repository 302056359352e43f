"""Experiments with users, and what these users did, written straight into the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.bucketing import bucket
from medici.domain.assignments.models import (
    AnalysisMode,
    Assignment,
    Experiment,
    ExperimentRuntime,
    ExperimentStatus,
    ExposureMode,
    Reason,
)
from medici.domain.events.facts import EventName
from medici.domain.events.models import Event
from medici.domain.experiments.audit import Act
from medici.domain.experiments.service.looking import Look, Openings
from medici.domain.identity.models import AuditEntry
from medici.domain.identity.principal import SYSTEM
from medici.domain.plans.models import Variable
from medici.kernel.db.database import Database
from medici.kernel.ids import new_id

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
STARTED = NOW - timedelta(days=10)
EARLIER = NOW - timedelta(hours=2)
HOUR = timedelta(hours=1)


@dataclass(kw_only=True)
class Stage:
    """A database with experiments, at a time that tests choose."""

    database: Database
    now: datetime = NOW
    _names: int = field(default=0)

    @property
    def openings(self) -> Openings:
        return Openings(reading=self.database.reading, transaction=self.database.transaction)

    def look(self, *, hours: int = 24, dry_run: bool = False, **more: Any) -> Look:
        return Look(
            now=self.now, hours=hours, dry_run=dry_run, begun_at=more.pop("begun_at", self.now)
        )

    @property
    def act(self) -> Act:
        return Act(operator=SYSTEM, actor="tester", reason="a test", now=self.now)

    async def experiment(
        self,
        name: str = "x",
        *,
        guardrails: Mapping[str, object] | None = None,
        variants: Sequence[str] = ("control", "b"),
        **columns: Any,
    ) -> str:
        """Set up an experiment that runs."""
        given: dict[str, Any] = {
            "experiment_id": name,
            "name": name.title(),
            "description": None,
            "status": ExperimentStatus.RUNNING,
            "assignment_unit": "user_id",
            "primary_metric": "paid_conversion_rate",
            "control_variant_id": variants[0],
            "seed": name,
            "bucket_version": 0,
            "traffic_percent": 100.0,
            "targeting": {},
            "namespace": None,
            "overrides": {},
            "exposure_mode": ExposureMode.ASSIGNMENT,
            "analysis_mode": AnalysisMode.SEQUENTIAL,
            "planned_sample_size": None,
            "sequential_tuning_n": 2000,
            "guardrails": dict(guardrails or {}),
            "variants": [{"variant_id": each, "weight": 50, "config": {}} for each in variants],
            "phase": 1,
            "phase_started_at": STARTED,
            "revision": 1,
            "created_at": STARTED,
            "updated_at": STARTED,
            **columns,
        }
        async with self.database.transaction() as session:
            await session.execute(insert(Experiment), given)
            session.add(ExperimentRuntime(experiment_id=name))
        return name

    async def users(
        self, variant_id: str, many: int = 1, *, experiment: str = "x", **columns: Any
    ) -> list[str]:
        """Assign new users to a variant, an hour after the phase began."""
        names = [f"{experiment} {self._names + number}" for number in range(many)]
        self._names += many
        at = columns.pop("assigned_at", STARTED + HOUR)
        rows = [
            {
                "experiment_id": experiment,
                "user_id": user_id,
                "variant_id": variant_id,
                "bucket": bucket(experiment, user_id),
                "rollout_bucket": bucket(f"{experiment}:rollout", user_id),
                "phase": 1,
                "bucket_version": 0,
                "assigned_at": at,
                "first_exposed_at": at,
                "enrolled": True,
                "censored_at": None,
                "multiply_exposed": False,
                "reason": Reason.HASH,
                "platform": None,
                **columns,
            }
            for user_id in names
        ]
        async with self.database.transaction() as session:
            await session.execute(insert(Assignment), rows)
        return names

    async def facts(self, users: Sequence[str], name: str, **columns: Any) -> None:
        """Record a fact of each user, two hours ago unless told otherwise."""
        at = columns.pop("at", EARLIER)
        times = columns.pop("times", 1)
        rows = [
            {
                "id": new_id(),
                "name": name,
                "occurred_at": at,
                "recorded_at": at,
                "user_id": user_id,
                "trusted": True,
                "properties": {},
                **columns,
            }
            for user_id in users
            for _ in range(times)
        ]
        async with self.database.transaction() as session:
            await session.execute(insert(Event), rows)

    async def renders(
        self, users: Sequence[str], status: str = "completed", **columns: Any
    ) -> None:
        await self.facts(users, EventName.RENDER_STATUS_UPDATED, status=status, **columns)

    async def pay(self, users: Sequence[str], **columns: Any) -> None:
        await self.facts(users, EventName.SUBSCRIPTION_ACTIVATED, status="active", **columns)

    async def tune(self, key: str, value: bool | float | str) -> None:
        async with self.database.transaction() as session:
            await session.merge(Variable(key=key, value=value, updated_at=self.now))

    async def change(self, name: str = "x", **columns: Any) -> None:
        async with self.database.transaction() as session:
            await session.execute(
                update(Experiment).where(Experiment.experiment_id == name).values(**columns)
            )

    async def shift(self, name: str = "x", **columns: Any) -> None:
        """Change what automation keeps."""
        async with self.database.transaction() as session:
            await session.execute(
                update(ExperimentRuntime)
                .where(ExperimentRuntime.experiment_id == name)
                .values(**columns)
            )

    async def stored(self, name: str = "x") -> tuple[Experiment, ExperimentRuntime]:
        async with self.database.reading() as session:
            return (
                await session.get_one(Experiment, name),
                await session.get_one(ExperimentRuntime, name),
            )

    async def assignments(self, name: str = "x") -> Sequence[Assignment]:
        async with self.database.reading() as session:
            found = await session.scalars(
                select(Assignment)
                .where(Assignment.experiment_id == name)
                .order_by(Assignment.user_id)
            )
            return found.all()

    async def audited(self, action: str) -> list[dict[str, Any]]:
        """Return the metadata of what was done, oldest first."""
        async with self.database.reading() as session:
            found: list[Any] = [entry.after for entry in await _entries(session, action)]
        return [after["metadata"] for after in found]


async def _entries(session: AsyncSession, action: str) -> Sequence[AuditEntry]:
    found = await session.scalars(
        select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
    )
    return found.all()
