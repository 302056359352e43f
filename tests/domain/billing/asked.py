"""A store that billing's background work asks and tells, and what else that work needs."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from medici.adapters.payments.errors import PurchaseUnknown, StoreUnavailable
from medici.adapters.payments.news import Source, StoreNews
from medici.adapters.payments.store import Store, Use
from medici.kernel.db.database import Database
from medici.kernel.environment import Environment
from medici.kernel.keyring import KeyRing
from medici.settings import Settings
from tests.domain.billing.books import KEYS


@dataclass(slots=True, kw_only=True)
class AskedStore:
    """A store that knows how its purchases stand, and remembers what it was asked and told."""

    knows: dict[str, StoreNews] = field(default_factory=dict)
    told_before: list[StoreNews] = field(default_factory=list)
    away: bool = False
    asked: list[str] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    refundable: tuple[str, ...] = ()
    used: list[tuple[str, Use]] = field(default_factory=list)

    async def current(
        self,
        handle: str,
        *,
        environment: Environment,
        now: datetime,
    ) -> StoreNews | None:
        self.asked.append(handle)
        self._must_be_there()
        if handle not in self.knows:
            raise PurchaseUnknown(f"no purchase {handle}")
        return self.knows[handle]

    async def missed(
        self,
        *,
        since: datetime,
        now: datetime,
    ) -> AsyncIterator[StoreNews]:
        self._must_be_there()
        for news in self.told_before:
            if news.event_time >= since:
                yield news

    async def acknowledge(self, receipt: str) -> None:
        self._must_be_there()
        self.acknowledged.append(receipt)

    async def report_use(self, transaction_id: str, use: Use, *, environment: Environment) -> None:
        self._must_be_there()
        if transaction_id not in self.refundable:
            raise PurchaseUnknown(f"no payment {transaction_id}")
        self.used.append((transaction_id, use))

    def _must_be_there(self) -> None:
        if self.away:
            raise StoreUnavailable("away")


@dataclass(frozen=True, kw_only=True)
class Opened:
    """As much of a process's resources as billing asks for."""

    database: Database
    stores: Mapping[Source, Store] = field(default_factory=dict)
    keys: KeyRing = KEYS
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))
