"""The tables of the catalogue."""

from datetime import datetime
from typing import TypeAlias

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from medici.kernel.db.base import Base, Json

Scalar: TypeAlias = bool | int | float | str

ON_SALE = text("deleted_at IS NULL")


def _one_per_product(table: str, store: str) -> Index:
    """Let a store's product be one row's of a table alone; a deleted plan lets go of its own."""
    only = ON_SALE if table == "plans" else None
    return Index(
        f"ix_{table}_{store}_product",
        f"{store}_product_id",
        unique=True,
        sqlite_where=only,
        postgresql_where=only,
    )


class Plan(Base):
    """What a customer can have. Products are the plan's names in each store."""

    __tablename__ = "plans"
    __table_args__ = (
        CheckConstraint("daily_credits >= 0", name="daily_credits_not_negative"),
        CheckConstraint("preview_cost_credits >= 0", name="preview_cost_not_negative"),
        CheckConstraint("final_cost_credits >= 0", name="final_cost_not_negative"),
        CheckConstraint("monthly_price_cents >= 0", name="price_not_negative"),
        *(_one_per_product("plans", store) for store in ("ios", "android", "web")),
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
        *(_one_per_product("credit_packs", store) for store in ("ios", "android", "web")),
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


class CatalogueRevision(Base):
    """A number that rises with every change of plans, styles and variables, whoever makes it.

    The database itself counts, in the transaction of the change. There is one row.
    """

    __tablename__ = "catalogue_revision"
    __table_args__ = (CheckConstraint("id = 1", name="alone"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    number: Mapped[int]


class DiscoverSection(Base):
    """A row of pictures in the feed that invites customers to try something."""

    __tablename__ = "discover_sections"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    title: Mapped[str]
    is_active: Mapped[bool]
    sort_order: Mapped[int]
    updated_at: Mapped[datetime]


class DiscoverItem(Base):
    """A room before and after. Its category is the tab that it stands under.

    A picture is a https address, or a path of this server that begins with a slash.
    """

    __tablename__ = "discover_items"
    __table_args__ = (Index(None, "section_key", "sort_order"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    section_key: Mapped[str] = mapped_column(ForeignKey("discover_sections.key"))
    title: Mapped[str]
    subtitle: Mapped[str]
    category: Mapped[str] = mapped_column(String(64))
    before_image_url: Mapped[str]
    after_image_url: Mapped[str]
    is_active: Mapped[bool]
    sort_order: Mapped[int]
    updated_at: Mapped[datetime]
