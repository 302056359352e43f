"""What stores tell arrives many times, in any order, in part, or just before the end."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeAlias

import httpx
import pytest
from sqlalchemy import func, select

from medici.adapters.payments.news import Source, StoreNews
from medici.adapters.payments.stripe.checkout import Mode, Wish
from medici.app import create_app
from medici.domain.billing.models import Purchase, StoreTransaction
from medici.domain.billing.work import RECONCILE
from medici.domain.identity.service import sign_in
from medici.domain.inbox.models import MessageStatus, WebhookEvent
from medici.domain.ledger.audit import audit
from medici.domain.ledger.models import Grant, GrantSource
from medici.fakes.apple.authority import milliseconds
from medici.fakes.apple.shop import Told
from medici.jobs.leases import free_leases
from medici.jobs.queue import enqueue
from medici.kernel.environment import Environment
from tests.adapters.payments.google.scripts import ORDER, bought, item
from tests.doors.studio.conftest import Visit
from tests.doors.studio.relaying import MONTH_ON
from tests.doors.studio.selling import (
    Selling,
    account_token,
    held,
    pushed,
    sent,
    signed,
    told_by_apple,
    told_by_google,
)
from tests.doors.studio.visitor import Visitor
from tests.doors.support import BASE, Hands
from tests.support import apple
from tests.support.databases import opened
from tests.support.fuses import Crash, Fuse, FusedDatabase
from tests.support.stores import Stores
from tests.support.studio import Studio

Tell: TypeAlias = Callable[[Visitor], Awaitable[httpx.Response]]
AT_ONCE, LATER = 20, 3
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WAYS = ("storekit relay", "google-play relay", "web-billing relay", "apple", "google", "stripe")


class Reached(Selling):
    """Deployments of this test alone, whose visitors have just signed in."""

    @pytest.fixture
    def clock(self) -> Hands:
        return Hands()

    @pytest.fixture
    async def visit(self, stores: Stores) -> AsyncIterator[Visit]:
        async with AsyncExitStack() as stack:

            async def visiting(user_id: str = "ada", **_: Any) -> Visitor:
                app = create_app(stores.studio.resources.settings)
                app.state.resources = stores.studio.resources
                headers = await _signed_in(stores.studio, user_id) if user_id else {}
                client = httpx.AsyncClient(
                    transport=httpx.ASGITransport(app), base_url=BASE, headers=headers, timeout=60
                )
                return Visitor(await stack.enter_async_context(client), app, user_id)

            yield visiting

    @pytest.fixture
    async def ada(self, visit: Visit) -> Visitor:
        return await visit("ada")


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
        body = _relayed("web-billing")
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
            history = _history(number, await account_token(visitor))
            for index in order:
                await told_by_apple(visitor, history[index])
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
            for index, body in enumerate(_told(stores, number, token)):
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
                scripted = bought(externalAccountIdentifiers=account, items=[_item(name, token)])
                stores.play.set_subscription(token, scripted)
                if name != lost:
                    await told_by_google(visitor, _push(stores, f"{token}-{name}", token))
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
            await _live_through(stores, visitor.user_id)
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
        _told(stores, 0, await account_token(visitor))
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


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One word of Apple's in a history: when, what, and what it carries."""

    day: int
    kind: str
    subtype: str | None
    period: int
    renews: bool = True
    refunded: bool = False


HISTORY = (
    Moment(day=-54, kind="SUBSCRIBED", subtype="INITIAL_BUY", period=0),
    Moment(day=-24, kind="DID_RENEW", subtype=None, period=1),
    Moment(day=-20, kind="REFUND", subtype=None, period=0, refunded=True),
    Moment(
        day=-10,
        kind="DID_CHANGE_RENEWAL_STATUS",
        subtype="AUTO_RENEW_DISABLED",
        period=1,
        renews=False,
    ),
)


def _words(moment: Moment, number: int, token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    begins = NOW + timedelta(days=-54 + 30 * moment.period)
    at = NOW + timedelta(days=moment.day)
    original = f"77000000{number:04}"
    transaction = apple.bought(
        originalTransactionId=original,
        transactionId=f"{original}{moment.period}",
        appAccountToken=token,
        originalPurchaseDate=milliseconds(NOW + timedelta(days=-54)),
        purchaseDate=milliseconds(begins),
        expiresDate=milliseconds(begins + timedelta(days=30)),
    )
    if moment.refunded:
        transaction |= {"revocationDate": milliseconds(at), "revocationReason": 0}
    renewal = apple.renewing(
        originalTransactionId=original,
        renewalDate=transaction["expiresDate"],
        autoRenewStatus=int(moment.renews),
    )
    return transaction, renewal


def _history(number: int, token: str) -> list[bytes]:
    """Write a history of the last days, fresh enough to be taken."""
    return [_letter(moment, number, token, place) for place, moment in enumerate(HISTORY)]


def _letter(moment: Moment, number: int, token: str, place: int) -> bytes:
    transaction, renewal = _words(moment, number, token)
    at, writer = _written_at(place), apple.writer()
    data = {
        "status": 1,
        "signedTransactionInfo": writer.transaction(at, **transaction),
        "signedRenewalInfo": writer.renewal(at, **renewal),
    }
    uuid = f"{number}-{place}"
    signed_word = writer.notification(
        at, uuid=uuid, kind=moment.kind, subtype=moment.subtype, data=data
    )
    return apple.enveloped(signed_word)


def _written_at(place: int) -> datetime:
    return NOW - timedelta(hours=len(HISTORY) - place)


def _told(stores: Stores, number: int, token: str) -> list[bytes]:
    """Have the same history in the stand-in's memory as well."""
    bodies = _history(number, token)
    for place, body in enumerate(bodies):
        word = json.loads(body)["signedPayload"]
        at = milliseconds(_written_at(place))
        stores.apple.told.append(Told(uuid=f"{number}-{place}", at=at, signed=word))
    return bodies


def _relayed(route: str) -> dict[str, Any]:
    product = {"storekit": "ios", "google-play": "android", "web-billing": "web"}[route]
    return {
        "event_id": "e1",
        "user_id": "ada",
        "product_id": f"pro_monthly_{product}",
        "expires_at": MONTH_ON,
        "original_transaction_id": "o1",
        "metadata": {"transaction_id": "t1"},
    }


async def _ways(visitor: Visitor, stores: Stores) -> Mapping[str, Tell]:
    """Return how each sender tells of one paid month of ada's."""
    token = await account_token(visitor)
    letter = stores.apple_tells("SUBSCRIBED", stores.apple_sells(appAccountToken=token))
    account = {"obfuscatedExternalAccountId": token}
    stores.play.set_subscription("token-1", bought(externalAccountIdentifiers=account))
    push, event = stores.google_pushes(), await _paid_event(stores)

    def relayed(route: str) -> Tell:
        return lambda door: door.post(f"/v1/webhooks/{route}", json=_relayed(route))

    return {
        **{
            f"{route} relay": relayed(route) for route in ("storekit", "google-play", "web-billing")
        },
        "apple": lambda door: sent(door, "storekit", letter),
        "google": lambda door: pushed(door, push),
        "stripe": lambda door: signed(door, stores, event),
    }


async def _paid_event(stores: Stores) -> bytes:
    await _subscribed(stores, "ada")
    (event,) = [raw for raw in await stores.stripe.events() if b'"type":"invoice.paid"' in raw]
    return event


async def _live_through(stores: Stores, user_id: str) -> None:
    """Have somebody subscribe at Stripe, get the money back and leave."""
    subscription_id = await _subscribed(stores, user_id)
    checkout = stores.studio.resources.receivers.checkout
    assert checkout is not None
    invoices = await stores.stripe.ask(f"invoices?subscription={subscription_id}")
    await checkout.refund(invoices["data"][0]["id"], key=f"refund-{user_id}")
    await stores.stripe.visitor.delete(f"/v1/subscriptions/{subscription_id}")


async def _subscribed(stores: Stores, user_id: str) -> str:
    checkout = stores.studio.resources.receivers.checkout
    assert checkout is not None
    wish = Wish(
        mode=Mode.SUBSCRIPTION,
        product_id="pro_monthly_web",
        user_id=user_id,
        checkout_id=f"wcs_{user_id}",
        success_url="https://app.example/thanks",
        cancel_url="https://app.example/",
    )
    session_id = (await checkout.create(wish, key=user_id)).id
    paid = await stores.stripe.order(f"pay/{session_id}")
    return str(paid["subscription"])


async def _signed_in(studio: Studio, user_id: str) -> dict[str, str]:
    async with studio.database.transaction() as session:
        signed = await sign_in(
            session,
            user_id=user_id,
            platform="ios",
            ttl=timedelta(days=30),
            prefix="tok_",
            now=studio.clock(),
        )
    return {"Authorization": f"Bearer {signed.token}"}


def _item(name: str, token: str) -> dict[str, Any]:
    """Return the one item of a subscription's token after something has happened to it."""
    order = f"{ORDER}-{token}"
    if name == "purchased":
        return item(latestSuccessfulOrderId=order)
    plan = {"autoRenewEnabled": name == "renewed"}
    ends = "2026-12-31T12:00:00Z"
    return item(latestSuccessfulOrderId=f"{order}..0", expiryTime=ends, autoRenewingPlan=plan)


def _push(stores: Stores, message_id: str, token: str) -> Any:
    about = {"version": "1.0", "notificationType": 2, "purchaseToken": token}
    return stores.google_pushes(message_id, subscriptionNotification=about)


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
