"""What was answered to requests that may be repeated."""

from datetime import datetime

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from medici.kernel.db.base import Base, Json


class IdempotencyKey(Base):
    """The stored answer to one request of one caller, committed together with its effect."""

    __tablename__ = "idempotency_keys"

    identity: Mapped[str] = mapped_column(String(64), primary_key=True)  # hash of who asked
    key: Mapped[str] = mapped_column(String(255), primary_key=True)  # as the caller chose it
    fingerprint: Mapped[str] = mapped_column(String(64))  # hash of what was asked
    status: Mapped[int]
    headers: Mapped[dict[str, str]] = mapped_column(Json)
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
