"""The price list that adapters ask: published prices where they are complete, else our own."""

from dataclasses import replace
from datetime import datetime

from medici.adapters.providers.pricing import TokenUsage, UnitPrice
from medici.domain.prices import published, table
from medici.domain.prices.rows import row_at

# Nobody knows which quality ``auto`` will turn into; an estimate is rather too high than too low.
UNDECIDED = "auto"
ASSUMED = "high"


class MediciPrices:
    """Implements ``PriceList``; needs neither network nor database."""

    def __init__(self) -> None:
        self._published = published.PublishedPrices()

    @property
    def version(self) -> str:
        return f"{table.VERSION}+{published.VERSION}"

    def unit_price(self, provider: str, model: str, *, at: datetime) -> UnitPrice | None:
        row = row_at(table.UNIT_ROWS, provider, model, at)
        return None if row is None else row.price

    def token_cost_micros(
        self, provider: str, model: str, usage: TokenUsage, *, at: datetime
    ) -> int | None:
        usage = _consistent(usage)
        cost = self._published.token_cost_micros(provider, model, usage, at=at)
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


def _consistent(usage: TokenUsage) -> TokenUsage:
    """Believe in no more cached tokens than went in: the counts are the provider's word."""
    return replace(
        usage,
        cached_text_in=min(usage.cached_text_in, usage.text_in),
        cached_image_in=min(usage.cached_image_in, usage.image_in),
    )
