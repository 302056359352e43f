"""The App Store as a store that can be asked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import TypeVar

import structlog
from pydantic import BaseModel, Field

from medici.adapters.payments.apple.api import AppStoreApi
from medici.adapters.payments.apple.reading import read_current, read_notification
from medici.adapters.payments.apple.standing import Proven
from medici.adapters.payments.apple.verifying import AppleApp, Verifier
from medici.adapters.payments.errors import (
    MessageUnreadable,
    PurchaseUnknown,
    SignatureRefused,
    StoreUnavailable,
)
from medici.adapters.payments.news import StoreNews
from medici.adapters.payments.store import Use
from medici.kernel.environment import Environment

REMEMBERED = timedelta(days=179)  # Apple keeps its notifications for 180 days
SENT_BEFORE = timedelta(days=1)  # how much older than its sending a notification's signature is
MOST_PAGES = 500
WHOLE = 100_000  # thousandths of a percent
MOST_HISTORY_PAGES = 20  # of 20 transactions each

log = structlog.get_logger("medici.payments.apple")
Read = TypeVar("Read")


class LastTransaction(BaseModel):
    status: int
    original_transaction_id: str = Field(alias="originalTransactionId")
    transaction: str = Field(alias="signedTransactionInfo")
    renewal: str | None = Field(None, alias="signedRenewalInfo")


class Group(BaseModel):
    last: tuple[LastTransaction, ...] = Field((), alias="lastTransactions")


class Statuses(BaseModel):
    data: tuple[Group, ...] = ()


class OneTransaction(BaseModel):
    transaction: str = Field(alias="signedTransactionInfo")


class History(BaseModel):
    revision: str | None = None
    has_more: bool = Field(False, alias="hasMore")
    transactions: tuple[str, ...] = Field((), alias="signedTransactions")


class Sent(BaseModel):
    signed: str = Field(alias="signedPayload")


class Notifications(BaseModel):
    pagination_token: str | None = Field(None, alias="paginationToken")
    has_more: bool = Field(False, alias="hasMore")
    history: tuple[Sent, ...] = Field((), alias="notificationHistory")


class AppleStore:
    """Asks Apple about purchases of our apps. A purchase's handle is its original transaction."""

    def __init__(self, app: AppleApp, api: AppStoreApi) -> None:
        """Prepare for the app; raises ValueError where its settings allow no proof."""
        self._verifier = Verifier(app)
        self._bundle_ids = app.bundle_ids
        self._environments = app.taken()
        self._api = api

    async def current(
        self, handle: str, *, environment: Environment, now: datetime
    ) -> StoreNews | None:
        """Return how a purchase stands; see ``Store``. None for an environment not accepted."""
        if environment not in self._environments:
            return None
        for bundle_id in self._bundle_ids:
            try:
                return await self._current(handle, bundle_id, environment, now)
            except PurchaseUnknown:
                continue  # it may be of another of our apps
        raise PurchaseUnknown("the App Store knows no such purchase of ours")

    async def missed(self, *, since: datetime, now: datetime) -> AsyncIterator[StoreNews]:
        """Tell every notification of that time again, each with the id that it had then."""
        for environment in self._environments:
            for bundle_id in self._bundle_ids:
                async for news in self._sent(bundle_id, environment, since, now):
                    yield news

    async def acknowledge(self, receipt: str) -> None:
        """Do nothing: Apple's customers have what they bought once the app finished it."""

    async def report_use(self, transaction_id: str, use: Use, *, environment: Environment) -> None:
        """Tell Apple how much of a payment was used; see ``Store``."""
        if environment not in self._environments:
            return
        path = f"inApps/v2/transactions/consumption/{_plain(transaction_id)}"
        refused: PurchaseUnknown | None = None
        for bundle_id in self._bundle_ids:
            try:
                await self._api.put(
                    path, bundle_id=bundle_id, environment=environment, json=_consumption(use)
                )
            except PurchaseUnknown as error:  # it may be of another of our apps
                refused = error
            else:
                return
        if refused is not None:
            raise refused

    async def _current(
        self, handle: str, bundle_id: str, environment: Environment, now: datetime
    ) -> StoreNews:
        path = f"inApps/v1/subscriptions/{_plain(handle)}"
        statuses = await self._api.get(path, Statuses, bundle_id=bundle_id, environment=environment)
        last = _of_lineage(statuses, handle)
        if last is None:
            return await self._bought_once(handle, bundle_id, environment, now)
        words = await self._history(handle, bundle_id, environment)
        return await _proven(lambda: self._read_subscription(last, words, now))

    def _read_subscription(
        self, last: LastTransaction, words: Sequence[str], now: datetime
    ) -> StoreNews:
        transaction = self._verifier.transaction(last.transaction, now=now)
        renewal = (
            self._verifier.renewal(last.renewal, transaction, now=now) if last.renewal else None
        )
        proven = Proven(transaction=transaction, renewal=renewal, status=last.status, at=now)
        history = [
            Proven(transaction=self._verifier.transaction(word, now=now), at=now) for word in words
        ]
        return read_current(proven, [one for one in history if one.lineage_id == proven.lineage_id])

    async def _bought_once(
        self, handle: str, bundle_id: str, environment: Environment, now: datetime
    ) -> StoreNews:
        path = f"inApps/v1/transactions/{_plain(handle)}"
        found = await self._api.get(
            path, OneTransaction, bundle_id=bundle_id, environment=environment
        )

        def read() -> StoreNews:
            transaction = self._verifier.transaction(found.transaction, now=now)
            return read_current(Proven(transaction=transaction, at=now), ())

        return await _proven(read)

    async def _history(
        self, handle: str, bundle_id: str, environment: Environment
    ) -> Sequence[str]:
        words: list[str] = []
        query: dict[str, str] = {"sort": "DESCENDING"}
        for _ in range(MOST_HISTORY_PAGES):
            page = await self._api.get(
                f"inApps/v2/history/{_plain(handle)}",
                History,
                bundle_id=bundle_id,
                environment=environment,
                query=query,
            )
            words += page.transactions
            if not page.has_more or page.revision is None:
                break
            query["revision"] = page.revision
        return words

    async def _sent(
        self, bundle_id: str, environment: Environment, since: datetime, now: datetime
    ) -> AsyncIterator[StoreNews]:
        start = max(since, now - REMEMBERED)
        wanted = {"startDate": _milliseconds(start), "endDate": _milliseconds(now)}
        query: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = await self._api.post(
                "inApps/v1/notifications/history",
                Notifications,
                bundle_id=bundle_id,
                environment=environment,
                json=wanted,
                query=query,
            )
            for sent in page.history:
                news = await self._retold(sent.signed, not_before=start - SENT_BEFORE, now=now)
                if news is not None:
                    yield news
            if not page.has_more or page.pagination_token is None:
                return
            query = {"paginationToken": page.pagination_token}

    async def _retold(
        self, signed: str, *, not_before: datetime, now: datetime
    ) -> StoreNews | None:
        """Read one again; one that cannot be read must not keep the others from being told."""
        try:
            return await asyncio.to_thread(
                read_notification, self._verifier, signed, not_before=not_before, now=now
            )
        except (SignatureRefused, MessageUnreadable) as error:
            log.warning("apple.history_skipped", reason=str(error))
            return None


def _consumption(use: Use) -> dict[str, object]:
    """Write it in Apple's terms, which know nothing used of what was not delivered."""
    share = use.share if use.delivered else None if use.share is None else Fraction(0)
    told: dict[str, object] = {
        "customerConsented": True,
        "sampleContentProvided": use.sampled,
        "deliveryStatus": "DELIVERED" if use.delivered else "UNDELIVERED_OTHER",
    }
    return told if share is None else {**told, "consumptionPercentage": int(share * WHOLE)}


async def _proven(read: Callable[[], Read]) -> Read:
    """Read an answer in a thread; one that Apple has not signed is no answer."""
    try:
        return await asyncio.to_thread(read)
    except (SignatureRefused, MessageUnreadable) as error:
        raise StoreUnavailable(f"the App Store's answer is not proven: {error}") from error


def _of_lineage(statuses: Statuses, handle: str) -> LastTransaction | None:
    """Return the subscription that was asked for, or the only one there is."""
    found = [last for group in statuses.data for last in group.last]
    named = [last for last in found if last.original_transaction_id == handle]
    return next(iter(named or (found if len(found) == 1 else ())), None)


def _plain(handle: str) -> str:
    """Refuse what could lead a path elsewhere; Apple's ids are digits."""
    if not (handle.isascii() and handle.isalnum()):
        raise PurchaseUnknown("no such id is Apple's")
    return handle


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
