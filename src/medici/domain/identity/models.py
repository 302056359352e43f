"""Tables of users, what they prove themselves with, and the audit."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from medici.domain.identity.principal import Proof
from medici.kernel.db.base import Base, enum_column


class User(Base):
    """A person who uses one of our apps, under the id that the app chose for them."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(128), primary_key=True)
    # What apps hand to the stores, so that a purchase can be told to be this user's.
    app_account_token: Mapped[UUID | None] = mapped_column(unique=True, index=True)
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class AccessToken(Base):
    """A bearer token, as its hash."""

    __tablename__ = "access_tokens"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    platform: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    revoked_at: Mapped[datetime | None]


class UserIdentity(Base):
    """What an outside issuer calls one of our users."""

    __tablename__ = "user_identities"

    issuer: Mapped[str] = mapped_column(String(255), primary_key=True)
    subject: Mapped[str] = mapped_column(String(255), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]


class AuditEntry(Base):
    """One sensitive act: who changed what, why, from what, into what."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_target", "target_kind", "target_id", "id"),
        Index("ix_audit_entries_action", "action", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # rises with time
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(64))
    proof: Mapped[Proof] = mapped_column(enum_column(Proof))  # of the actor's authority
    actor: Mapped[str] = mapped_column(String(160))
    reason: Mapped[str | None]
    target_kind: Mapped[str] = mapped_column(String(64))
    target_id: Mapped[str] = mapped_column(String(255))
    before: Mapped[dict[str, object] | None]
    after: Mapped[dict[str, object] | None]
    request_id: Mapped[str | None] = mapped_column(String(64))
