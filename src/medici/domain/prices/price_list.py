"""The price list that adapters ask: published prices where they are complete, else our own."""

from dataclasses import replace
from datetime import datetime
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from medici.adapters.providers.pricing import TokenUsage, UnitPrice
from medici.domain.prices import table
from medici.domain.prices.rows import row_at

if TYPE_CHECKING:
    from medici.domain.prices.published import PublishedPrices

# Nobody knows which quality ``auto`` will turn into; an estimate is rather too high than too low.
UNDECIDED = "auto"
ASSUMED = "high"


class MediciPrices:
    """Implements ``PriceList``; needs neither network nor database."""

    def load(self) -> None:
        """Read the published prices now rather than when the first token is priced."""
        _published()

    @property
    def version(self) -> str:
        return _version()

    def unit_price(self, provider: str, model: str, *, at: datetime) -> UnitPrice | None:
        row = row_at(table.UNIT_ROWS, provider, model, at)
        return None if row is None else row.price

    def token_cost_micros(
        self, provider: str, model: str, usage: TokenUsage, *, at: datetime
    ) -> int | None:
        usage = _consistent(usage)
        cost = _published().token_cost_micros(provider, model, usage, at=at)
        if cost is not None:
            return cost
        row = row_at(table.TOKEN_ROWS, provider, model, at)
        return None if row is None else row.rates.cost_micros(usage)

    def typical_cost_micros(
        self, provider: str, model: str, *, quality: str, pixels: int, at: datetime
    ) -> int | None:
        row = row_at(table.TYPICAL_ROWS, provider, model, at)
        if row is None:
            return None
        return row.cost_micros(ASSUMED if quality == UNDECIDED else quality, pixels)


@cache
def _version() -> str:
    return f"{table.VERSION}+genai-{version('genai-prices')}"


@cache
def _published() -> "PublishedPrices":
    # Most processes never price a token: they shall not pay for the library's tables at start-up.
    from medici.domain.prices.published import PublishedPrices  # noqa: PLC0415

    return PublishedPrices()


def _consistent(usage: TokenUsage) -> TokenUsage:
    """Believe in no more cached tokens than went in: the counts are the provider's word."""
    return replace(
        usage,
        cached_text_in=min(usage.cached_text_in, usage.text_in),
        cached_image_in=min(usage.cached_image_in, usage.image_in),
    )
