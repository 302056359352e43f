"""What stores tell arrives many times, in any order, in part, or just before the end."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any, TypeAlias

import httpx
import pytest
from sqlalchemy import func, select

from medici.adapters.payments.news import Source, StoreNews
from medici.adapters.payments.store import Use
from medici.domain.billing.models import Purchase, StoreTransaction
from medici.domain.billing.work import RECONCILE
from medici.domain.inbox.models import MessageStatus, WebhookEvent
from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import Grant, GrantSource
from medici.jobs.leases import free_leases
from medici.jobs.queue import enqueue
from medici.kernel.environment import Environment
from tests.adapters.payments.google.scripts import bought
from tests.doors.studio.conftest import Visit
from tests.doors.studio.selling import (
    account_token,
    held,
    pushed,
    sent,
    signed,
    told_by_apple,
    told_by_google,
)
from tests.doors.studio.visitor import Visitor
from tests.faults.reached import Reached
from tests.faults.store_histories import (
    history,
    item_after,
    live_through,
    paid_event,
    push_about,
    relayed,
    told_before,
)
from tests.support.databases import opened
from tests.support.fuses import Crash, Fuse, FusedDatabase
from tests.support.stores import Stores
from tests.support.studio import Studio

Tell: TypeAlias = Callable[[Visitor], Awaitable[httpx.Response]]
AT_ONCE, LATER = 20, 3
WAYS = ("storekit relay", "google-play relay", "web-billing relay", "apple", "google", "stripe")


class TestManyCopies(Reached):
    """One effect, and success for every copy, whichever process hears it."""

    @pytest.fixture
    async def other(
        self, visit: Visit, stores: Stores, database_url: str
    ) -> AsyncIterator[Visitor]:
        """Give the door of a second process over the same database."""
        async with opened(database_url) as database:
            visitor = await visit("")
            visitor.app.state.resources = replace(stores.studio.resources, database=database)
            yield visitor

    @pytest.mark.parametrize("way", WAYS)
    async def test_have_one_effect(
        self, ada: Visitor, other: Visitor, stores: Stores, way: str
    ) -> None:
        tell = (await _ways(ada, stores))[way]
        doors = itertools.cycle((ada, other))

        answers = await asyncio.gather(*(tell(next(doors)) for _ in range(AT_ONCE)))
        await stores.studio.work()
        answers += [await tell(next(doors)) for _ in range(LATER)]
        await stores.studio.work()

        assert {answer.status_code for answer in answers} == {200}
        messages = [answer.json()["message"] for answer in answers]
        assert messages.count("duplicate_event") == AT_ONCE + LATER - 1
        assert await _counts(stores.studio) == {"purchases": 1, "payments": 1, "grants": 1}
        assert (await held(ada))[:2] == ("pro", "active")

    async def test_another_id_for_the_same_payment_has_no_second_effect(
        self, ada: Visitor, other: Visitor, stores: Stores
    ) -> None:
        body = relayed("web-billing")
        for number, door in enumerate((ada, other, ada)):
            answer = await door.post(
                "/v1/webhooks/web-billing", json={**body, "event_id": f"again-{number}"}
            )
            assert answer.status_code == 200

        assert await _counts(stores.studio) == {"purchases": 1, "payments": 1, "grants": 1}


class TestAnyOrder(Reached):
    async def test_of_apples_words_leads_to_the_same(self, visit: Visit, stores: Stores) -> None:
        """Each order is heard about a purchase of its own, and all of them compared."""
        orders = list(itertools.permutations(range(4)))
        outcomes = []
        for number, order in enumerate([*Random(7).sample(orders, 7), (3, 2, 1, 0, 3, 0)]):
            visitor = await visit(f"user-{number}")
            told = history(number, await account_token(visitor))
            for index in order:
                await told_by_apple(visitor, told[index])
            outcomes.append(await _outcome(visitor))

        assert outcomes == [outcomes[0]] * len(outcomes)
        assert outcomes[0]["states"] == [("active", False)]
        async with stores.studio.database.transaction() as session:
            assert await audit(session) == []


class TestLostMessages(Reached):
    """One run of the reconciler brings back what any lost message would have told."""

    async def test_of_apple(self, visit: Visit, stores: Stores) -> None:
        visitors: list[Visitor] = []
        for lost in (None, 0, 1, 2, 3):
            number = len(visitors)
            visitor = await visit(f"user-{number}")
            token = await account_token(visitor)
            for index, body in enumerate(told_before(stores, number, token)):
                if index != lost:
                    await told_by_apple(visitor, body)
            visitors.append(visitor)

        await _reconcile(stores.studio)

        outcomes = [await _outcome(visitor) for visitor in visitors]
        assert outcomes == [outcomes[0]] * len(outcomes)

    async def test_of_google(self, visit: Visit, stores: Stores) -> None:
        """Google tells nothing twice; a purchase is asked about once it should have renewed."""
        pushes = ("purchased", "renewed", "canceled")
        for number, lost in enumerate((None, *pushes)):
            token, visitor = f"token-{number}", await visit(f"user-{number}")
            account = {"obfuscatedExternalAccountId": await account_token(visitor)}
            for name in pushes:
                stores.pass_time(seconds=1)
                scripted = bought(
                    externalAccountIdentifiers=account, items=[item_after(name, token)]
                )
                stores.play.set_subscription(token, scripted)
                if name != lost:
                    await told_by_google(visitor, push_about(stores, f"{token}-{name}", token))
                    await stores.studio.work()
            stores.play.subscriptions[token]["subscriptionState"] = "SUBSCRIPTION_STATE_EXPIRED"
        stores.pass_time(days=38)

        await _reconcile(stores.studio)

        later = [await visit(f"user-{number}") for number in range(4)]
        states = [(await _outcome(visitor))["states"] for visitor in later]
        assert states == [[("expired", False)]] * 4

    async def test_of_stripe(self, visit: Visit, stores: Stores) -> None:
        heard: set[bytes] = set()
        visitors: list[Visitor] = []
        types = (b"customer.subscription.created", b"invoice.paid", b"refund.created")
        for lost in (b"nothing", *types, b"customer.subscription.deleted"):
            visitor = await visit(f"user-{len(visitors)}")
            await live_through(stores, visitor.user_id)
            for raw in await stores.stripe.events():
                if raw not in heard and b'"type":"' + lost + b'"' not in raw:
                    assert (await signed(visitor, stores, raw)).status_code == 200
                heard.add(raw)
            visitors.append(visitor)

        await _reconcile(stores.studio)

        outcomes = [await _outcome(visitor) for visitor in visitors]
        assert outcomes == [outcomes[0]] * len(outcomes)

    async def test_while_one_store_is_silent_the_others_are_heard(
        self, visit: Visit, stores: Stores
    ) -> None:
        visitor = await visit("user-0")
        told_before(stores, 0, await account_token(visitor))
        deaf = stores.with_settings(stripe_api_base="http://127.0.0.1:9")

        await _reconcile(deaf.studio)

        assert await held(visitor) == ("pro", "active", "ios")


class TestTheEnd(Reached):
    async def test_between_hearing_and_asking_loses_nothing(
        self,
        ada: Visitor,
        stores: Stores,
        database_url: str,
    ) -> None:
        account = {"obfuscatedExternalAccountId": await account_token(ada)}
        stores.play.set_subscription("token-1", bought(externalAccountIdentifiers=account))
        await told_by_google(ada, stores.google_pushes())
        dying = replace(stores.studio.resources, stores={Source.ANDROID: Dying()})
        with pytest.raises(Crash):
            await Studio(dying, stores.studio.clock).work()
        assert await held(ada) == ("free", "inactive", "manual")

        async with opened(database_url) as database:  # as after a restart
            async with database.transaction() as session:
                await free_leases(session)
            anew = replace(stores.studio.resources, database=database)
            await Studio(anew, stores.studio.clock).finish()

        assert await _counts(stores.studio) == {"purchases": 1, "payments": 1, "grants": 1}
        async with stores.studio.database.reading() as session:
            statuses = set(await session.scalars(select(WebhookEvent.status)))
        assert MessageStatus.RECEIVED not in statuses

    async def test_before_the_answer_lets_the_sender_try_again(
        self, ada: Visitor, stores: Stores
    ) -> None:
        """The message and its effects are one transaction: a failed one leaves neither."""
        original = stores.apple_sells(appAccountToken=await account_token(ada))
        body = stores.apple_tells("SUBSCRIBED", original, "INITIAL_BUY")
        whole, fuse = stores.studio.resources, Fuse()
        fused = FusedDatabase(whole.database, fuse)
        ada.app.state.resources = replace(whole, database=fused)
        fuse.arm(1)
        with pytest.raises(Crash, match="before a commit"):
            await sent(ada, "storekit", body)
        ada.app.state.resources = whole
        assert await _counts(stores.studio) == {"purchases": 0, "payments": 0, "grants": 0}

        assert await told_by_apple(ada, body) == "processed"


class Dying:
    """A store whose answer the process does not live to see."""

    async def current(
        self, handle: str, *, environment: Environment, now: datetime
    ) -> StoreNews | None:
        raise Crash("current")

    def missed(self, *, since: datetime, now: datetime) -> AsyncIterator[StoreNews]:
        raise Crash("missed")

    async def acknowledge(self, receipt: str) -> None:
        raise Crash("acknowledge")

    async def report_use(self, transaction_id: str, use: Use, *, environment: Environment) -> None:
        raise Crash("report_use")


async def _ways(visitor: Visitor, stores: Stores) -> Mapping[str, Tell]:
    """Return how each sender tells of one paid month of ada's."""
    token = await account_token(visitor)
    letter = stores.apple_tells("SUBSCRIBED", stores.apple_sells(appAccountToken=token))
    account = {"obfuscatedExternalAccountId": token}
    stores.play.set_subscription("token-1", bought(externalAccountIdentifiers=account))
    push, event = stores.google_pushes(), await paid_event(stores)

    def by_relay(route: str) -> Tell:
        return lambda door: door.post(f"/v1/webhooks/{route}", json=relayed(route))

    return {
        **{
            f"{route} relay": by_relay(route)
            for route in ("storekit", "google-play", "web-billing")
        },
        "apple": lambda door: sent(door, "storekit", letter),
        "google": lambda door: pushed(door, push),
        "stripe": lambda door: signed(door, stores, event),
    }


async def _reconcile(studio: Studio) -> None:
    async with studio.database.transaction() as session:
        await enqueue(session, RECONCILE, args={}, now=studio.clock())
    await studio.work()


async def _counts(studio: Studio) -> dict[str, int]:
    grants = select(func.count()).where(Grant.source == GrantSource.PLAN_PERIOD)
    async with studio.database.reading() as session:
        return {
            "purchases": await session.scalar(select(func.count()).select_from(Purchase)) or 0,
            "payments": await session.scalar(select(func.count()).select_from(StoreTransaction))
            or 0,
            "grants": await session.scalar(grants) or 0,
        }


async def _outcome(visitor: Visitor) -> dict[str, Any]:
    """Return what a user came to, without what differs from one purchase to the next."""
    purchases = (await visitor.get("/v1/subscriptions/purchases/me")).json()
    payments = (await visitor.get("/v1/subscriptions/transactions/me")).json()
    facts = ("paid", "paid_at", "period_end", "credits", "revoked_credits", "refunded_minor")
    return {
        "plan": (await held(visitor))[:2],
        "states": [(one["state"], one["will_renew"]) for one in purchases],
        "ends": [one["expires_at"] for one in purchases],
        "payments": sorted(str([one[name] for name in facts]) for one in payments),
        "balance": await visitor.balance(),
    }
