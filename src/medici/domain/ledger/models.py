"""The ledger's tables. Every amount is in whole credits."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from medici.domain.identity.owner import OwnerKind
from medici.kernel.db.base import Base, enum_column
from medici.kernel.environment import Environment


class GrantSource(StrEnum):
    """Why credits were given."""

    PLAN_DAILY = "plan_daily"
    PLAN_PERIOD = "plan_period"
    PACK = "pack"
    TRIAL = "trial"
    PROMO = "promo"
    ADMIN = "admin"
    REFUND = "refund"
    WELCOME = "welcome"


class GrantCategory(StrEnum):
    """Whether somebody paid for the credits."""

    PROMOTIONAL = "promotional"
    PAID = "paid"


class HoldStatus(StrEnum):
    """A hold is pending, or it ended in one of three ways, once."""

    PENDING = "pending"
    CAPTURED = "captured"
    VOIDED = "voided"
    EXPIRED = "expired"


class PostingKind(StrEnum):
    """What a transaction did."""

    GRANT = "grant"
    ACTIVATE = "activate"  # a grant given ahead of its time became effective
    EXPIRE = "expire"
    REVOKE = "revoke"
    ADJUST = "adjust"
    CONSUME = "consume"
    HOLD = "hold"
    CAPTURE = "capture"
    VOID = "void"
    HOLD_EXPIRE = "hold_expire"
    LATE_CAPTURE = "late_capture"  # the work was done after its hold had expired
    WRITE_OFF = "write_off"  # the same, and the wallet could not pay any more
    REFUND = "refund"


class Account(StrEnum):
    """Where credits can be.

    The first two belong to the transaction's wallet; the others are the system's. System accounts
    have no balance row, so no posting ever waits for another wallet's.
    """

    AVAILABLE = "available"
    HELD = "held"
    ISSUED = "sys:issued"
    CONSUMED = "sys:consumed"
    EXPIRED = "sys:expired"
    REVOKED = "sys:revoked"
    ADJUSTED = "sys:adjusted"
    WRITTEN_OFF = "sys:written_off"


class Wallet(Base):
    """The credits of one owner: a studio user, a shop, an organisation."""

    __tablename__ = "credit_wallets"
    __table_args__ = (
        UniqueConstraint("owner_kind", "owner_id", "asset", "environment"),
        CheckConstraint("available >= 0 AND held >= 0", name="covered"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_kind: Mapped[OwnerKind] = mapped_column(enum_column(OwnerKind))
    owner_id: Mapped[str]
    asset: Mapped[str] = mapped_column(default="credit")
    environment: Mapped[Environment] = mapped_column(enum_column(Environment))
    available: Mapped[int] = mapped_column(default=0)  # free to spend now
    held: Mapped[int] = mapped_column(default=0)  # reserved by pending holds
    seq: Mapped[int] = mapped_column(default=0)  # number of the newest transaction, gapless
    last_at: Mapped[datetime]  # its time; the wallet's clock never goes back
    parked_at: Mapped[datetime | None]  # since when its books are known not to balance


# Credits of it are free, held or still to come.
OPEN_GRANT = text("amount > consumed + expired + revoked")


class Grant(Base):
    """Credits given at once, and what became of them."""

    __tablename__ = "credit_grants"
    __table_args__ = (
        UniqueConstraint("wallet_id", "source", "source_ref"),
        CheckConstraint("amount > 0", name="positive"),
        CheckConstraint("priority BETWEEN 0 AND 100", name="priority"),
        CheckConstraint(
            "consumed >= 0 AND held >= 0 AND expired >= 0 AND revoked >= 0", name="parts"
        ),
        CheckConstraint("consumed + held + expired + revoked <= amount", name="whole"),
        # Old grants leave these, so a wallet's age costs its owner nothing.
        Index(
            "ix_credit_grants_open",
            "wallet_id",
            sqlite_where=OPEN_GRANT,
            postgresql_where=OPEN_GRANT,
        ),
        Index(
            "ix_credit_grants_ending",
            "expires_at",
            sqlite_where=OPEN_GRANT,
            postgresql_where=OPEN_GRANT,
        ),
        Index(
            "ix_credit_grants_waiting",
            "effective_at",
            sqlite_where=text("issued_seq IS NULL"),
            postgresql_where=text("issued_seq IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("credit_wallets.id"))
    source: Mapped[GrantSource] = mapped_column(enum_column(GrantSource))
    source_ref: Mapped[str]  # what the source calls it: a date, a store's transaction
    category: Mapped[GrantCategory] = mapped_column(enum_column(GrantCategory))
    priority: Mapped[int]  # 0 is spent first
    amount: Mapped[int]
    consumed: Mapped[int] = mapped_column(default=0)
    held: Mapped[int] = mapped_column(default=0)
    expired: Mapped[int] = mapped_column(default=0)
    revoked: Mapped[int] = mapped_column(default=0)
    effective_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]  # ended early, by the grant that replaced it
    created_seq: Mapped[int]  # the wallet's transaction that made it
    issued_seq: Mapped[int | None]  # the one that made it spendable; None before effective_at


class Hold(Base):
    """Credits set aside for one piece of work."""

    __tablename__ = "credit_holds"
    __table_args__ = (
        UniqueConstraint("wallet_id", "ref_kind", "ref_id"),
        CheckConstraint("amount > 0", name="positive"),
        CheckConstraint("captured BETWEEN 0 AND amount", name="captured"),
        CheckConstraint("status <> 'pending' OR captured = 0", name="pending"),
        Index(
            "ix_credit_holds_pending",
            "expires_at",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("credit_wallets.id"))
    amount: Mapped[int]
    captured: Mapped[int] = mapped_column(default=0)
    status: Mapped[HoldStatus] = mapped_column(enum_column(HoldStatus))
    expires_at: Mapped[datetime]
    ref_kind: Mapped[str]
    ref_id: Mapped[str]


class HoldLine(Base):
    """The part of a hold that one grant covers."""

    __tablename__ = "credit_hold_lines"
    __table_args__ = (
        CheckConstraint("amount > 0", name="positive"),
        CheckConstraint("captured BETWEEN 0 AND amount", name="captured"),
    )

    hold_id: Mapped[UUID] = mapped_column(ForeignKey("credit_holds.id"), primary_key=True)
    grant_id: Mapped[UUID] = mapped_column(ForeignKey("credit_grants.id"), primary_key=True)
    position: Mapped[int]  # 0 is the grant that was burnt first
    amount: Mapped[int]
    captured: Mapped[int] = mapped_column(default=0)


class LedgerTransaction(Base):
    """One posting. Append-only; ``wallet_seq`` has no gaps, so a missing row shows."""

    __tablename__ = "ledger_transactions"
    __table_args__ = (
        Index(
            "uq_ledger_transactions_scope_idempotency_key", "scope", "idempotency_key", unique=True
        ),
        UniqueConstraint("wallet_id", "wallet_seq"),
        Index("ix_ledger_transactions_at", "at"),
        Index(
            "ix_ledger_transactions_reverses",
            "reverses",
            sqlite_where=text("reverses IS NOT NULL"),
            postgresql_where=text("reverses IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("credit_wallets.id"))
    wallet_seq: Mapped[int]
    kind: Mapped[PostingKind] = mapped_column(enum_column(PostingKind))
    scope: Mapped[str | None]  # wallet and operation: within it a key is used once
    idempotency_key: Mapped[str | None]
    fingerprint: Mapped[str | None]  # of the request's content, so that a reused key shows
    result: Mapped[dict[str, object]]  # available and held after it, and the grant or hold it made
    actor: Mapped[str]
    reason: Mapped[str]
    ref: Mapped[str | None]  # the business object that it was for
    hold_id: Mapped[UUID | None] = mapped_column(ForeignKey("credit_holds.id"))
    reverses: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transactions.id"))
    at: Mapped[datetime]


class LedgerEntry(Base):
    """One line of a transaction: credits that came to (+) or left (-) an account."""

    __tablename__ = "ledger_entries"
    __table_args__ = (CheckConstraint("amount <> 0", name="moves"),)

    transaction_id: Mapped[UUID] = mapped_column(
        ForeignKey("ledger_transactions.id"), primary_key=True
    )
    line: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[Account] = mapped_column(enum_column(Account))
    grant_id: Mapped[UUID | None] = mapped_column(ForeignKey("credit_grants.id"))
    amount: Mapped[int]
