"""The published provider settings."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from medici.kernel.db.base import Base


class ProviderSettingsVersion(Base):
    """One version: numbered from 1 without gaps, written once, never changed."""

    __tablename__ = "provider_settings_versions"
    __table_args__ = (CheckConstraint("version >= 1", name="numbered_from_one"),)

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[dict[str, Any]]  # a ProviderSettings
    actor: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]
