"""Provider settings, published and drafted, and what is known of providers."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.request import Operation, Tier
from medici.kernel.db.base import Base, enum_column


class ProviderSettingsVersion(Base):
    """One version: numbered from 1 without gaps, written once, never changed."""

    __tablename__ = "provider_settings_versions"
    __table_args__ = (CheckConstraint("version >= 1", name="numbered_from_one"),)

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]  # a ProviderSettings
    actor: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]


class ProviderSettingsDraft(Base):
    """One state of the draft: numbered from 1 without gaps, written once; the newest counts.

    Before the first, the draft is what is published.
    """

    __tablename__ = "provider_settings_drafts"
    __table_args__ = (CheckConstraint("revision >= 1", name="numbered_from_one"),)

    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]  # a ProviderSettings
    actor: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]


class CanaryState(StrEnum):
    RUNNING = "running"
    PROMOTED = "promoted"  # it is in force for everybody
    ABORTED = "aborted"  # by an operator
    ROLLED_BACK = "rolled_back"  # by itself, since it did worse


RUNNING = text("state = 'running'")


class ProviderSettingsCanary(Base):
    """A version that only some users take, until it is promoted or taken back."""

    __tablename__ = "provider_settings_canaries"
    __table_args__ = (
        CheckConstraint("percent BETWEEN 1 AND 99", name="some_percent"),
        Index(
            "uq_provider_settings_canaries_running",
            "state",
            unique=True,
            sqlite_where=RUNNING,
            postgresql_where=RUNNING,
        ),
    )

    version: Mapped[int] = mapped_column(
        ForeignKey("provider_settings_versions.version"), primary_key=True, autoincrement=False
    )
    baseline_version: Mapped[int] = mapped_column(ForeignKey("provider_settings_versions.version"))
    percent: Mapped[int]  # of the users
    limits: Mapped[dict[str, Any]]  # a Limits
    state: Mapped[CanaryState] = mapped_column(enum_column(CanaryState))
    after_id: Mapped[UUID]  # render jobs with a higher id are younger than the canary
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    observed_at: Mapped[datetime | None]
    canary_health: Mapped[dict[str, Any] | None]  # a Health
    baseline_health: Mapped[dict[str, Any] | None]
    breaches: Mapped[list[dict[str, Any]]] = mapped_column(default=list)


class ProviderMeasurement(Base):
    """How recent renders of one kind went that succeeded."""

    __tablename__ = "provider_measurements"

    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    model: Mapped[str] = mapped_column(String(128), primary_key=True)
    operation: Mapped[Operation] = mapped_column(enum_column(Operation), primary_key=True)
    tier: Mapped[Tier] = mapped_column(enum_column(Tier), primary_key=True)
    samples: Mapped[int]
    p50_ms: Mapped[int]
    p95_ms: Mapped[int]
    cost_micros: Mapped[int]  # USD, on average
    measured_at: Mapped[datetime]


class ProviderCircuit(Base):
    """Whether a provider is asked for an operation at the moment, for the whole fleet.

    It is *closed* while ``retry_at`` is null. Once open, nobody is sent there before ``retry_at``;
    then one attempt at a time tries it out. A provider without a row has never failed.
    """

    __tablename__ = "provider_circuits"
    __table_args__ = (CheckConstraint("failures >= 0", name="failures_not_negative"),)

    provider: Mapped[str] = mapped_column(String(64), primary_key=True)
    operation: Mapped[Operation] = mapped_column(enum_column(Operation), primary_key=True)
    failures: Mapped[int]  # since the last success
    openings: Mapped[int]  # in a row, without a success between them
    reason: Mapped[FailureCode | None] = mapped_column(enum_column(FailureCode))
    retry_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]
