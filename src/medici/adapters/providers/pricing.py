"""What an adapter needs to know about prices, whoever keeps them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum
from typing import Protocol


class Unit(StrEnum):
    """What a provider counts."""

    IMAGE = "image"
    MEGAPIXEL = "megapixel"
    SECOND = "second"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """US dollars for one unit."""

    dollars: Decimal
    unit: Unit

    def cost_micros(self, units: Decimal) -> int:
        """Return the price of so many units in millionths of a US dollar, rounded once."""
        micros = self.dollars * units * 1_000_000
        return int(micros.to_integral_value(ROUND_HALF_EVEN))


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """Tokens of one picture call. The cached ones are part of what went in, not beside it."""

    text_in: int = 0
    image_in: int = 0
    cached_text_in: int = 0
    cached_image_in: int = 0
    text_out: int = 0
    image_out: int = 0


class PriceList(Protocol):
    """Dated prices of providers' models. None means that nobody knows, never that it is free."""

    @property
    def version(self) -> str:
        """Name the state of the list, to be kept beside what was computed with it."""

    def unit_price(self, provider: str, model: str, *, at: datetime) -> UnitPrice | None: ...

    def token_cost_micros(
        self, provider: str, model: str, usage: TokenUsage, *, at: datetime
    ) -> int | None: ...

    def typical_cost_micros(
        self, provider: str, model: str, *, quality: str, pixels: int, at: datetime
    ) -> int | None:
        """Return what one picture usually costs where the bill comes in tokens."""
