"""How purchase lineages are named, and how what was told about them is stored. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter

from medici.adapters.payments.news import Buyer, Source, Standing, StoreNews
from medici.domain.billing.fold import Told
from medici.domain.billing.models import PurchaseEvent
from medici.kernel.environment import Environment

STANDING = TypeAdapter(Standing)
BUYER = TypeAdapter(Buyer)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Lineage:
    """One purchase over all its renewals, as its store tells it from others."""

    source: Source
    environment: Environment
    id: str

    def name(self, what: str) -> str:
        """Return the name of a lock on something that belongs to the same store."""
        return f"billing:{self.source}:{self.environment}:{what}"


def lineage_of(news: StoreNews, lineage_id: str) -> Lineage:
    return Lineage(source=news.source, environment=news.environment, id=lineage_id)


def names_in(news: StoreNews) -> Iterator[str]:
    """Give every id by which a message and another one may mean the same purchase."""
    for standing in news.standings:
        yield from filter(None, (standing.lineage_id, standing.handle, standing.follows))
        if standing.transaction_id:
            yield standing.transaction_id
    for payment in news.payments:
        yield payment.transaction_id
        if payment.lineage_id:
            yield payment.lineage_id
    for refund in news.refunds:
        yield refund.transaction_id
    if news.buyer.customer_id:
        yield news.buyer.customer_id


def told_by(row: PurchaseEvent) -> Told:
    """Read back what a message said."""
    return Told(
        id=row.id,
        event_id=row.event_id,
        event_time=row.event_time,
        auth_mode=row.auth_mode,
        buyer=BUYER.validate_python(row.buyer),
        standing=STANDING.validate_python(row.standing),
    )
