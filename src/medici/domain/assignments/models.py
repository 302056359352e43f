"""The tables of experiments and of who sees which variant."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from medici.kernel.db.base import Base, enum_column

IDENTIFIER = String(128)


class ExperimentStatus(StrEnum):
    DRAFT = "draft"  # never ran
    RUNNING = "running"
    PAUSED = "paused"
    ARCHIVED = "archived"  # can be read, assigns nobody


class ExposureMode(StrEnum):
    """When a user's outcomes begin to count."""

    ASSIGNMENT = "assignment"  # as soon as the variant was told
    EXPLICIT = "explicit"  # when the client says that it was shown


class AnalysisMode(StrEnum):
    """Which p-value decides."""

    SEQUENTIAL = "sequential"  # may be looked at as often as one likes
    FIXED = "fixed"  # counts once, at the planned sample size
    GROUP_SEQUENTIAL = "group_sequential"  # spends its error over the planned sample size


class Reason(StrEnum):
    """Why a user got the variant that they got."""

    OVERRIDE = "override"
    ROLLOUT = "rollout"
    STICKY = "sticky"
    HASH = "hash"
    NOT_TARGETED = "not_targeted"
    NAMESPACE_EXCLUDED = "namespace_excluded"
    HOLDOUT = "holdout"
    TRAFFIC_EXCLUDED = "traffic_excluded"
    VARIANT_REMOVED = "variant_removed"


class RolloutStatus(StrEnum):
    """Where the ladder towards a winner stands."""

    HOLDING = "holding"  # no step has been taken
    ROLLING_OUT = "rolling_out"
    COMPLETED = "completed"
    PAUSED = "paused"
    ROLLED_BACK = "rolled_back"


class Experiment(Base):
    """What an operator set up. ``revision`` rises with every change of this row.

    ``variants`` is a list of ``{variant_id, weight, config}`` in the order that counts for hashing;
    ``namespace`` is ``{id, range: [from, to]}``; ``overrides`` names users and their variants.
    """

    __tablename__ = "experiments"
    __table_args__ = (Index("ix_experiments_status", "status", "updated_at"),)

    experiment_id: Mapped[str] = mapped_column(IDENTIFIER, primary_key=True)
    name: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[ExperimentStatus] = mapped_column(enum_column(ExperimentStatus))
    assignment_unit: Mapped[str] = mapped_column(String(32))
    primary_metric: Mapped[str] = mapped_column(IDENTIFIER)
    control_variant_id: Mapped[str] = mapped_column(IDENTIFIER)
    seed: Mapped[str] = mapped_column(String(255))
    bucket_version: Mapped[int]
    traffic_percent: Mapped[float]
    targeting: Mapped[dict[str, object]]
    namespace: Mapped[dict[str, object] | None]
    overrides: Mapped[dict[str, object]]
    exposure_mode: Mapped[ExposureMode] = mapped_column(enum_column(ExposureMode))
    analysis_mode: Mapped[AnalysisMode] = mapped_column(enum_column(AnalysisMode))
    planned_sample_size: Mapped[int | None]  # users of all variants together
    sequential_tuning_n: Mapped[int | None]  # set as the phase starts, and left alone in it
    guardrails: Mapped[dict[str, object]]
    variants: Mapped[list[dict[str, Any]]]
    phase: Mapped[int]
    phase_started_at: Mapped[datetime | None]  # None: has not run yet
    revision: Mapped[int]
    archived_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    @property
    def is_active(self) -> bool:
        return self.status is ExperimentStatus.RUNNING


class ExperimentRuntime(Base):
    """What automation keeps about an experiment. No operator's change of the set-up touches it.

    ``winner_variant_id`` goes to everybody whose rollout bucket lies below ``rollout_percent``,
    as long as that is not 0.
    """

    __tablename__ = "experiment_runtime"
    __table_args__ = (
        CheckConstraint("rollout_percent BETWEEN 0 AND 100", name="rollout_percent"),
        CheckConstraint("violation_streak >= 0", name="violation_streak"),
    )

    experiment_id: Mapped[str] = mapped_column(
        ForeignKey("experiments.experiment_id"), primary_key=True
    )
    violation_streak: Mapped[int] = mapped_column(default=0)
    guardrails_checked_at: Mapped[datetime | None]
    guardrails_breached: Mapped[bool | None]
    guardrail_pause: Mapped[dict[str, object] | None]
    rollout_status: Mapped[RolloutStatus] = mapped_column(
        enum_column(RolloutStatus), default=RolloutStatus.HOLDING
    )
    rollout_percent: Mapped[int] = mapped_column(default=0)
    winner_variant_id: Mapped[str | None] = mapped_column(IDENTIFIER)
    rollout_evaluated_at: Mapped[datetime | None]
    rollout_changed_at: Mapped[datetime | None]
    rollout_reason: Mapped[str | None]
    rollout_history: Mapped[list[dict[str, Any]]] = mapped_column(default=list)
    final_result: Mapped[dict[str, object] | None]


class Assignment(Base):
    """The variant of one user in one experiment.

    Compared are those that are ``enrolled``, of the experiment's current phase and bucket version,
    exposed, and not ``multiply_exposed``; their outcomes count until ``censored_at``. A row of an
    older ``bucket_version`` is drawn anew when its user comes back.
    """

    __tablename__ = "experiment_assignments"
    __table_args__ = (
        Index(
            "ix_experiment_assignments_compared",
            "experiment_id",
            "phase",
            "variant_id",
            "first_exposed_at",
        ),
        Index("ix_experiment_assignments_user", "user_id"),
    )

    experiment_id: Mapped[str] = mapped_column(
        ForeignKey("experiments.experiment_id"), primary_key=True
    )
    user_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    variant_id: Mapped[str] = mapped_column(IDENTIFIER)
    bucket: Mapped[float]
    rollout_bucket: Mapped[float]
    phase: Mapped[int]
    bucket_version: Mapped[int]
    assigned_at: Mapped[datetime]
    first_exposed_at: Mapped[datetime | None]
    enrolled: Mapped[bool]
    censored_at: Mapped[datetime | None]
    multiply_exposed: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[Reason] = mapped_column(enum_column(Reason))
    platform: Mapped[str | None] = mapped_column(String(64))


class Exposure(Base):
    """That a user saw a variant on a day (in UTC), and when first on that day."""

    __tablename__ = "experiment_exposures"

    experiment_id: Mapped[str] = mapped_column(
        ForeignKey("experiments.experiment_id"), primary_key=True
    )
    user_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    variant_id: Mapped[str] = mapped_column(IDENTIFIER, primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime]
