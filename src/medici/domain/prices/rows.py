"""The shapes of dated prices, and which of them counts at a moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from medici.adapters.providers.pricing import TokenUsage, UnitPrice

TYPICAL_PIXELS = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """``source`` says in words where the figure was read."""

    provider: str
    models: tuple[str, ...]
    valid_from: date
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRow(Row):
    price: UnitPrice


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRates:
    """US dollars per million tokens, which is micro-dollars per token."""

    text_in: Decimal
    image_in: Decimal
    cached_text_in: Decimal
    cached_image_in: Decimal
    text_out: Decimal
    image_out: Decimal

    def cost_micros(self, usage: TokenUsage) -> int:
        """Return what so many tokens cost in millionths of a US dollar, rounded once."""
        return round(
            (usage.text_in - usage.cached_text_in) * self.text_in
            + usage.cached_text_in * self.cached_text_in
            + (usage.image_in - usage.cached_image_in) * self.image_in
            + usage.cached_image_in * self.cached_image_in
            + usage.text_out * self.text_out
            + usage.image_out * self.image_out
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow(Row):
    rates: TokenRates


@dataclass(frozen=True, slots=True, kw_only=True)
class TypicalRow(Row):
    """US dollars of one picture of ``TYPICAL_PIXELS``, by quality, without what goes in."""

    dollars: Mapping[str, Decimal]

    def cost_micros(self, quality: str, pixels: int) -> int | None:
        """Scale the typical picture to another size; None for a quality without a price."""
        if (typical := self.dollars.get(quality)) is None:
            return None
        return round(Fraction(typical) * 1_000_000 * pixels / TYPICAL_PIXELS)


AnyRow = TypeVar("AnyRow", bound=Row)


def row_at(rows: Iterable[AnyRow], provider: str, model: str, at: datetime) -> AnyRow | None:
    """Return the newest row of a model that was valid at a moment; dates turn at midnight UTC."""
    day = at.astimezone(UTC).date()
    valid = (
        row
        for row in rows
        if row.provider == provider and model in row.models and row.valid_from <= day
    )
    return max(valid, key=lambda row: row.valid_from, default=None)
