"""What the catalogue's commands are told, and what a change of it means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Protocol, TypeAlias

State: TypeAlias = Mapping[str, object]  # of a row, as JSON has it

# What billing ranks and finds purchases by.
SOLD_AS = (
    "monthly_price_cents",
    "ios_product_id",
    "android_product_id",
    "web_product_id",
    "is_active",
    "deleted_at",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Products:
    """What the stores call a plan or a pack; None where a store does not sell it."""

    ios: str | None = None
    android: str | None = None
    web: str | None = None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Give each store that sells it, with the product's name there."""
        for store in STORES:
            product_id = getattr(self, store)
            if product_id is not None:
                yield store, product_id


STORES = tuple(each.name for each in fields(Products))


class Sold(Protocol):
    """A row with the names that stores know it by."""

    @property
    def ios_product_id(self) -> str | None: ...
    @property
    def android_product_id(self) -> str | None: ...
    @property
    def web_product_id(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """What a plan is to be. None for the last two keeps what the plan had, at first nothing."""

    display_name: str
    is_active: bool
    daily_credits: int
    preview_cost_credits: int
    final_cost_credits: int
    monthly_price_cents: int
    products: Products
    features: tuple[str, ...]
    period_credits: int | None = None
    trial_credits: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackTerms:
    display_name: str
    is_active: bool
    credits: int
    price_cents: int
    products: Products
    sort_order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleTerms:
    display_name: str
    prompt: str
    thumbnail_url: str | None
    is_active: bool
    tags: tuple[str, ...]
    room_types: tuple[str, ...]
    sort_order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionTerms:
    title: str
    is_active: bool
    sort_order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTerms:
    section_key: str
    title: str
    subtitle: str
    category: str
    before_image_url: str
    after_image_url: str
    is_active: bool
    sort_order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one row: what it was and what it is; None where there was or is none."""

    before: State | None = None
    after: State | None = None

    @property
    def sells_differently(self) -> bool:
        """Tell whether purchases of a plan may mean something else now."""
        before, after = self.before or {}, self.after or {}
        return any(before.get(name) != after.get(name) for name in SOLD_AS)


def clash(wanted: Products, holder: Sold) -> tuple[str, str] | None:
    """Return the first store and product that are wanted and that another has already."""
    for store, product_id in wanted:
        if getattr(holder, f"{store}_product_id") == product_id:
            return store, product_id
    return None
