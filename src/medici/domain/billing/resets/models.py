"""The tables of daily resets, and of what was told about credits."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from medici.domain.billing.resets.rules import Tally
from medici.kernel.db.base import Base, enum_column

UNDER_WAY = text("state = 'running' AND NOT dry_run")


class RunState(StrEnum):
    """Where a reset stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    OVERTAKEN = "overtaken"  # its day ended first; what is left belongs to the next day's
    FAILED = "failed"  # given up; the next tick begins anew


class ResetRun(Base):
    """One reset on its way through all users, in the order of their ids."""

    __tablename__ = "credit_reset_runs"
    __table_args__ = (
        Index(
            "ix_credit_reset_runs_under_way",
            "schedule_date",
            unique=True,
            sqlite_where=UNDER_WAY,
            postgresql_where=UNDER_WAY,
        ),
        Index("ix_credit_reset_runs_schedule_date", "schedule_date"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # rises with time
    schedule_date: Mapped[str] = mapped_column(String(10))
    window_starts_at: Mapped[datetime]
    window_ends_at: Mapped[datetime]
    dry_run: Mapped[bool]
    state: Mapped[RunState] = mapped_column(enum_column(RunState))
    actor: Mapped[str]
    started_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    last_owner_id: Mapped[str] = mapped_column(default="")  # how far it has come
    users_processed: Mapped[int] = mapped_column(default=0)
    balances_updated: Mapped[int] = mapped_column(default=0)
    credits_granted: Mapped[int] = mapped_column(default=0)
    skipped_disabled: Mapped[int] = mapped_column(default=0)
    skipped_parked: Mapped[int] = mapped_column(default=0)

    def count(self, tally: Tally) -> None:
        """Add what came of some more users."""
        self.users_processed += tally.users_processed
        self.balances_updated += tally.balances_updated
        self.credits_granted += tally.credits_granted
        self.skipped_disabled += tally.skipped_disabled
        self.skipped_parked += tally.skipped_parked

    def end(self, state: RunState, *, now: datetime) -> None:
        self.state, self.completed_at = state, now


class CreditNews(Base):
    """Something about credits that was told, so that it is told once. Old ones are deleted."""

    __tablename__ = "credit_news"

    type: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    told_at: Mapped[datetime] = mapped_column(index=True)


class CreditNewsPlace(Base):
    """Up to which of the ledger's transactions everything was told. There is one row at most."""

    __tablename__ = "credit_news_place"
    __table_args__ = (CheckConstraint("id = 1", name="alone"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    transaction_id: Mapped[UUID]
