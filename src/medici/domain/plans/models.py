"""The tables of the catalogue."""

from datetime import datetime
from typing import TypeAlias

from sqlalchemy import CheckConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from medici.kernel.db.base import Base, Json

Scalar: TypeAlias = bool | int | float | str


class Plan(Base):
    """What a customer can have. Products are the plan's names in each store."""

    __tablename__ = "plans"
    __table_args__ = (
        CheckConstraint("daily_credits >= 0", name="daily_credits_not_negative"),
        CheckConstraint("preview_cost_credits >= 0", name="preview_cost_not_negative"),
        CheckConstraint("final_cost_credits >= 0", name="final_cost_not_negative"),
        CheckConstraint("monthly_price_cents >= 0", name="price_not_negative"),
    )

    plan_id: Mapped[str] = mapped_column(primary_key=True)
    display_name: Mapped[str]
    is_active: Mapped[bool]
    daily_credits: Mapped[int]
    preview_cost_credits: Mapped[int]
    final_cost_credits: Mapped[int]
    monthly_price_cents: Mapped[int]  # of a US dollar; of a yearly plan, the monthly equivalent
    ios_product_id: Mapped[str | None]
    android_product_id: Mapped[str | None]
    web_product_id: Mapped[str | None]
    features: Mapped[list[str]]
    period_credits: Mapped[int] = mapped_column(default=0)  # that each paid period brings
    trial_credits: Mapped[int] = mapped_column(default=0)  # that a trial brings
    deleted_at: Mapped[datetime | None]  # gone from the catalogue; those who hold it keep it
    updated_at: Mapped[datetime]


class Pack(Base):
    """Credits that are bought once and never expire. Products are its names in each store."""

    __tablename__ = "credit_packs"
    __table_args__ = (
        CheckConstraint("credits > 0", name="credits_positive"),
        CheckConstraint("price_cents >= 0", name="price_not_negative"),
    )

    pack_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    display_name: Mapped[str]
    is_active: Mapped[bool]
    credits: Mapped[int]
    price_cents: Mapped[int]  # of a US dollar
    ios_product_id: Mapped[str | None]
    android_product_id: Mapped[str | None]
    web_product_id: Mapped[str | None]
    sort_order: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime]


class Style(Base):
    """A look that a room can be given."""

    __tablename__ = "styles"

    style_id: Mapped[str] = mapped_column(primary_key=True)
    display_name: Mapped[str]
    prompt: Mapped[str]
    thumbnail_url: Mapped[str | None]
    is_active: Mapped[bool]
    tags: Mapped[list[str]]
    room_types: Mapped[list[str]]
    sort_order: Mapped[int]
    updated_at: Mapped[datetime]


class Variable(Base):
    """A value that the operator sets while everything runs."""

    __tablename__ = "variables"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Scalar] = mapped_column(Json)
    description: Mapped[str | None]
    updated_at: Mapped[datetime]
