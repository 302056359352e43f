"""The published provider settings."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from medici.adapters.providers.failure import FailureCode
from medici.adapters.providers.request import Operation
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
