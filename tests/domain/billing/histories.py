"""What stores tell over the life of a purchase, as news; and random histories of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any

from medici.adapters.payments.news import (
    AuthMode,
    Buyer,
    Paid,
    Payment,
    PurchaseState,
    Refund,
    Source,
    Standing,
    StoreNews,
)
from medici.kernel.environment import Environment

START = datetime(2026, 9, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
MONTH = timedelta(days=30)
DAY = timedelta(days=1)
PRODUCTS = {
    Source.IOS: ("basic_ios", "pro_ios"),
    Source.ANDROID: ("basic_android", "pro_android"),
    Source.WEB: ("basic_web", "pro_web"),
}


@dataclass(slots=True, kw_only=True)
class Line:
    """One purchase lineage, and the messages of its store about it.

    Each method makes the message of a moment; periods are numbered from 0 and last a month.
    """

    source: Source = Source.IOS
    lineage_id: str = "o1"
    product_id: str = "pro_ios"
    user_id: str | None = "ada"
    environment: Environment = Environment.PRODUCTION
    auth_mode: AuthMode = AuthMode.NATIVE
    start: datetime = START
    price_minor: int = 1499
    buyer: Buyer | None = None
    said: dict[str, Any] = field(default_factory=dict)  # of every standing

    def period(self, number: int) -> tuple[datetime, datetime]:
        return self.start + number * MONTH, self.start + (number + 1) * MONTH

    def transaction(self, number: int) -> str:
        return f"{self.lineage_id}.{number}"

    def news(self, event: str, at: datetime, **what: Any) -> StoreNews:
        buyer = Buyer(user_id=self.user_id) if self.buyer is None else self.buyer
        return StoreNews(
            source=self.source,
            environment=self.environment,
            event_id=f"{self.lineage_id}:{event}",
            event_type=event.partition("-")[0],
            event_time=at,
            auth_mode=self.auth_mode,
            buyer=buyer,
            **what,
        )

    def standing(self, number: int, state: PurchaseState, **said: Any) -> Standing:
        start, end = self.period(number)
        renews = state in {PurchaseState.ACTIVE, PurchaseState.TRIALING, PurchaseState.GRACE}
        facts: dict[str, Any] = {
            "lineage_id": self.lineage_id,
            "product_id": self.product_id,
            "state": state,
            "started_at": self.start,
            "period_start": start,
            "expires_at": end,
            "renews_at": end if renews else None,
            "will_renew": renews,
            "transaction_id": self.transaction(number),
            "list_price_minor": self.price_minor,
            "currency": "USD",
            "period": "P1M",
        }
        return Standing(**{**facts, **self.said, **said})

    def payment(self, number: int, **facts: Any) -> Payment:
        start, end = self.period(number)
        known: dict[str, Any] = {
            "transaction_id": self.transaction(number),
            "product_id": self.product_id,
            "paid": Paid.PERIOD,
            "paid_at": start,
            "lineage_id": self.lineage_id,
            "amount_minor": self.price_minor,
            "currency": "USD",
            "period_start": start,
            "period_end": end,
        }
        return Payment(**{**known, **facts})

    def paid(self, number: int, **said: Any) -> StoreNews:
        """Tell that a period was bought or renewed."""
        return self.news(
            f"paid-{number}",
            self.period(number)[0],
            standings=(self.standing(number, PurchaseState.ACTIVE, **said),),
            payments=(self.payment(number),),
        )

    def trial(self) -> StoreNews:
        return self.news(
            "trial",
            self.start,
            standings=(self.standing(0, PurchaseState.TRIALING),),
            payments=(self.payment(0, paid=Paid.TRIAL, amount_minor=0),),
        )

    def stands(self, number: int, state: PurchaseState, at: datetime, **said: Any) -> StoreNews:
        """Tell a state without any payment."""
        standing = self.standing(number, state, **said)
        return self.news(f"{state}-{number}-{at.isoformat()}", at, standings=(standing,))

    def canceled(self, number: int, *, after: timedelta = DAY) -> StoreNews:
        """Tell that it will not renew; it is paid until the end of the period."""
        at = self.period(number)[0] + after
        off = {"will_renew": False, "renews_at": None}
        return self.stands(number, PurchaseState.ACTIVE, at, **off)

    def grace(self, number: int) -> StoreNews:
        """Tell that the renewal after a period failed, and that access stays for a week."""
        end = self.period(number)[1]
        return self.stands(
            number, PurchaseState.GRACE, end, grace_expires_at=end + timedelta(days=7)
        )

    def retrying(self, number: int) -> StoreNews:
        at = self.period(number)[1] + timedelta(days=7)
        return self.stands(number, PurchaseState.BILLING_RETRY, at)

    def recovered(self, number: int) -> StoreNews:
        """Tell that the renewal after a period was paid in the end."""
        at = self.period(number)[1] + timedelta(days=8)
        standing = self.standing(number + 1, PurchaseState.ACTIVE)
        payment = self.payment(number + 1, paid_at=at)
        return self.news(f"recovered-{number}", at, standings=(standing,), payments=(payment,))

    def expired(self, number: int) -> StoreNews:
        return self.stands(number, PurchaseState.EXPIRED, self.period(number)[1])

    def refunded(
        self,
        number: int,
        *,
        share: Fraction = Fraction(1),
        reversed_: bool = False,
        ends_access: bool = True,
    ) -> StoreNews:
        at = self.period(number)[0] + (4 * DAY if reversed_ else 2 * DAY)
        refund = Refund(
            refund_id=f"r:{self.transaction(number)}",
            transaction_id=self.transaction(number),
            at=at,
            share=share,
            reversed=reversed_,
            ends_access=ends_access,
        )
        name = "unrefunded" if reversed_ else "refunded"
        return self.news(f"{name}-{number}", at, refunds=(refund,))

    def upgraded(self, product_id: str, number: int, *, after: timedelta) -> StoreNews:
        """Tell that another product took the place of a period while it ran."""
        at, name = self.period(number)[0] + after, f"{self.lineage_id}.up{number}"
        better = replace(self, product_id=product_id, start=at)
        standing = better.standing(0, PurchaseState.ACTIVE, transaction_id=name)
        payment = better.payment(0, transaction_id=name)
        return self.news(f"upgraded-{number}", at, standings=(standing,), payments=(payment,))

    def extended(self, number: int, by: timedelta) -> StoreNews:
        """Tell that the store lets a period last longer."""
        start, end = self.period(number)
        return self.stands(
            number, PurchaseState.ACTIVE, start + DAY, expires_at=end + by, renews_at=end + by
        )


def pack(
    transaction_id: str,
    *,
    source: Source = Source.IOS,
    product_id: str = "pack_ios",
    user_id: str | None = "ada",
    buyer: Buyer | None = None,
    **facts: Any,
) -> StoreNews:
    """Tell that a pack of credits was bought."""
    known: dict[str, Any] = {"amount_minor": 499, "currency": "USD"}
    payment = Payment(
        transaction_id=transaction_id,
        product_id=product_id,
        paid=Paid.ONCE,
        paid_at=START,
        **{**known, **facts},
    )
    return StoreNews(
        source=source,
        environment=Environment.PRODUCTION,
        event_id=f"pack:{transaction_id}",
        event_type="pack",
        event_time=START,
        auth_mode=AuthMode.NATIVE,
        buyer=buyer or Buyer(user_id=user_id),
        payments=(payment,),
    )


def random_history(random: Random, *, world: str = "") -> list[StoreNews]:
    """Make up to forty messages about a few purchases, in the order in which they were so.

    Histories of different worlds have no user and no purchase in common.
    """
    users = (f"{world}ada", f"{world}bob")
    names = [f"{world}l{number}" for number in range(random.randint(1, 4))]
    lines = [_random_line(random, name, users) for name in names]
    told = [news for line in lines for news in _random_life(random, line)]
    packs = [
        pack(f"{world}p{number}", user_id=random.choice(users))
        for number in range(random.randint(0, 2))
    ]
    return sorted(told + packs, key=lambda news: news.event_time)[:40]


def _random_line(random: Random, name: str, users: Sequence[str]) -> Line:
    source = random.choice(list(PRODUCTS))
    return Line(
        source=source,
        lineage_id=name,
        product_id=random.choice(PRODUCTS[source]),
        user_id=random.choice(users),
        auth_mode=random.choice([AuthMode.NATIVE, AuthMode.NATIVE, AuthMode.RELAY]),
        start=START + random.randint(0, 40) * DAY,
        environment=random.choice([Environment.PRODUCTION] * 5 + [Environment.SANDBOX]),
    )


def _random_life(random: Random, line: Line) -> Iterator[StoreNews]:
    periods = random.randint(1, 4)
    if random.random() < 0.3:
        yield line.trial()
    for number in range(1, periods + 1):
        yield line.paid(number)
        yield from _random_turn(random, line, number)
    if random.random() < 0.4:
        yield line.expired(periods)


def _random_turn(random: Random, line: Line, number: int) -> Iterator[StoreNews]:
    turn = random.randint(0, 7)
    if turn == 0:
        yield line.refunded(number, share=Fraction(random.randint(1, 4), 4))
        if random.random() < 0.5:
            yield line.refunded(number, reversed_=True)
    elif turn == 1:
        yield line.grace(number)
        if random.random() < 0.5:
            yield line.retrying(number)
    elif turn == 2:
        yield line.canceled(number)
    elif turn == 3:
        better = PRODUCTS[line.source][1]
        if line.product_id != better:
            yield line.upgraded(better, number, after=10 * DAY)
    elif turn == 4:
        yield line.extended(number, 3 * DAY)
