"""One stored image."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from medici.domain.identity.owner import OwnerKind
from medici.kernel.db.base import Base, enum_column


class Purpose(StrEnum):
    UPLOAD = "upload"
    RESULT = "result"


class Picture(Base):
    """An image that lies in storage under ``key``, free of metadata."""

    __tablename__ = "pictures"
    __table_args__ = (
        CheckConstraint("width > 0 AND height > 0 AND size_bytes > 0", name="not_empty"),
        Index("ix_pictures_owner", "owner_kind", "owner_id", "id"),
        Index(
            "ix_pictures_expiring",
            "expires_at",
            sqlite_where=text("expires_at IS NOT NULL"),
            postgresql_where=text("expires_at IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_kind: Mapped[OwnerKind] = mapped_column(enum_column(OwnerKind))
    owner_id: Mapped[str] = mapped_column(String(128))
    purpose: Mapped[Purpose] = mapped_column(enum_column(Purpose))
    key: Mapped[str] = mapped_column(String(255), unique=True)
    content_type: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]  # pixels
    height: Mapped[int]  # pixels
    size_bytes: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]  # None once a job needs the picture
