"""Experiments, set-ups and rows to test with; a test names only what it is about."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, select

from medici.domain.assignments.attributes import UNKNOWN, Attributes
from medici.domain.assignments.definition import Definition, definition_of
from medici.domain.assignments.models import (
    AnalysisMode,
    Assignment,
    Experiment,
    ExperimentRuntime,
    ExperimentStatus,
    ExposureMode,
    Reason,
)
from medici.domain.assignments.queries import definitions
from medici.domain.assignments.rows import AssignmentRow
from medici.domain.assignments.service.assigning import Ask, Told, assign_many
from medici.kernel.db.database import Database

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
A_AND_B = (
    {"variant_id": "control", "weight": 50, "config": {"mode": "old"}},
    {"variant_id": "b", "weight": 50, "config": {"mode": "new"}},
)


def experiment(experiment_id: str = "paywall", **changes: Any) -> Experiment:
    """Return a running experiment of two halves, for everybody."""
    given: dict[str, Any] = {
        "name": experiment_id,
        "description": None,
        "status": ExperimentStatus.RUNNING,
        "assignment_unit": "user_id",
        "primary_metric": "upgrade_conversion_7d",
        "control_variant_id": "control",
        "seed": experiment_id,
        "bucket_version": 0,
        "traffic_percent": 100.0,
        "targeting": {},
        "namespace": None,
        "overrides": {},
        "exposure_mode": ExposureMode.ASSIGNMENT,
        "analysis_mode": AnalysisMode.SEQUENTIAL,
        "guardrails": {},
        "variants": list(A_AND_B),
        "phase": 1,
        "phase_started_at": NOW - timedelta(days=1),
        "revision": 1,
        "created_at": NOW - timedelta(days=1),
        "updated_at": NOW - timedelta(days=1),
    }
    return Experiment(experiment_id=experiment_id, **{**given, **changes})


def ladder(percent: int, winner: str = "b") -> dict[str, Any]:
    """Return what the runtime holds of a ladder."""
    return {"rollout_percent": percent, "winner_variant_id": winner}


def definition(runtime: dict[str, Any] | None = None, **changes: Any) -> Definition:
    """Return how an experiment assigns."""
    return definition_of(experiment(**changes), ExperimentRuntime(**(runtime or {})))


def row(**changes: Any) -> AssignmentRow:
    """Return a stored assignment of ann to b."""
    given: dict[str, Any] = {
        "experiment_id": "paywall",
        "user_id": "ann",
        "variant_id": "b",
        "bucket": 0.75,
        "rollout_bucket": 0.5,
        "phase": 1,
        "bucket_version": 0,
        "assigned_at": NOW,
        "first_exposed_at": None,
        "enrolled": True,
        "censored_at": None,
        "multiply_exposed": False,
        "reason": Reason.HASH,
        "platform": None,
    }
    return AssignmentRow(**{**given, **changes})


class Laboratory:
    """A database with experiments, and users who ask."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def store(self, *experiments: Experiment) -> None:
        async with self.database.transaction() as session:
            for each in experiments:
                session.add(each)
                await session.flush()
                session.add(ExperimentRuntime(experiment_id=each.experiment_id))

    async def clear(self) -> None:
        async with self.database.transaction() as session:
            for table in (Assignment, ExperimentRuntime, Experiment):
                await session.execute(delete(table))

    async def change(self, experiment_id: str = "paywall", **changes: Any) -> None:
        """Change a set-up, as an operator does."""
        async with self.database.transaction() as session:
            found = await session.get_one(Experiment, experiment_id)
            for name, value in changes.items():
                setattr(found, name, value)
            found.revision += 1

    async def step(self, percent: int, winner: str = "b", experiment_id: str = "paywall") -> None:
        """Move the ladder, as automation does."""
        async with self.database.transaction() as session:
            found = await session.get_one(ExperimentRuntime, experiment_id)
            found.rollout_percent = percent
            found.winner_variant_id = winner

    async def change_row(self, user_id: str, **changes: Any) -> None:
        async with self.database.transaction() as session:
            found = await session.get_one(Assignment, ("paywall", user_id))
            for name, value in changes.items():
                setattr(found, name, value)

    async def definition(self, experiment_id: str = "paywall") -> Definition:
        found = await self.database.look(lambda driver: definitions(driver, [experiment_id]))
        return found[experiment_id]

    async def assign(
        self,
        user_id: str,
        *,
        expose: bool = True,
        attributes: Attributes = UNKNOWN,
        holdout_percent: float = 0,
        now: datetime = NOW,
    ) -> Told:
        """Tell one user their variant, going by what is stored."""
        ask = Ask(
            user_id=user_id,
            definition=await self.definition(),
            attributes=attributes,
            expose=expose,
        )
        (told,) = await self.ask([ask], holdout_percent=holdout_percent, now=now)
        assert isinstance(told, Told)
        return told

    async def ask(
        self, asks: Sequence[Ask], *, holdout_percent: float = 0, now: datetime = NOW
    ) -> Sequence[Told | Exception]:
        return await self.database.carry_out(
            lambda driver: assign_many(driver, asks, holdout_percent=holdout_percent, now=now)
        )

    async def row(self, user_id: str) -> Assignment:
        """Return the stored assignment of a user."""
        async with self.database.reading() as session:
            return await session.get_one(Assignment, ("paywall", user_id))

    async def rows(self) -> dict[str, Assignment]:
        async with self.database.reading() as session:
            return {each.user_id: each for each in await session.scalars(select(Assignment))}
