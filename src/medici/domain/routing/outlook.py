"""What a render is expected to cost and how long to take: as measured, else by the price list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from medici.adapters.providers.pricing import Unit, UnitPrice
from medici.adapters.providers.request import Operation, Tier
from medici.domain.prices.price_list import MediciPrices
from medici.domain.routing.settings import LOCAL, MOCK

FREE = frozenset({LOCAL, MOCK})
QUALITY = {Tier.PREVIEW: "low", Tier.FINAL: "medium"}
PRICES = MediciPrices()


class Work(NamedTuple):
    """What is measured together."""

    provider: str
    model: str
    operation: Operation
    tier: Tier


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How recent renders of one kind went that succeeded; times run from sending to the end."""

    samples: int
    p50_ms: int
    p95_ms: int
    cost_micros: int  # USD, on average


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is expected of providers; ``day`` is whose prices count."""

    day: date | None = None
    measured: Mapping[Work, Measured] = field(default_factory=dict)

    def cost_micros(self, work: Work, pixels: int) -> int | None:
        """Return what a picture of so many pixels is expected to cost in millionths of a dollar."""
        if known := self.measured.get(work):
            return known.cost_micros
        return None if self.day is None else listed_cost_micros(work, pixels, self.day)

    def wait_ms(self, work: Work) -> int | None:
        """Return how long a picture usually takes; None before anybody waited for one."""
        known = self.measured.get(work)
        return known.p50_ms if known else None


UNKNOWN = Outlook()


@lru_cache(maxsize=1024)
def listed_cost_micros(work: Work, pixels: int, day: date) -> int | None:
    """Return the list price of a picture in millionths of a dollar; None where there is none."""
    if work.provider in FREE:
        return 0
    at = datetime.combine(day, time(), tzinfo=UTC)
    if price := PRICES.unit_price(work.provider, work.model, at=at):
        return _picture_micros(price, pixels)
    return PRICES.typical_cost_micros(
        work.provider, work.model, quality=QUALITY[work.tier], pixels=pixels, at=at
    )


def _picture_micros(price: UnitPrice, pixels: int) -> int | None:
    if price.unit is Unit.SECOND:
        return None
    pictures = Decimal(pixels) / 1_000_000 if price.unit is Unit.MEGAPIXEL else Decimal(1)
    return price.cost_micros(pictures)
