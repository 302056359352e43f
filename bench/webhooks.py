"""What stores' receivers take while 5,000 jobs wait and nobody works, beside an empty route."""

import asyncio
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
from tests.faults.deployments import Deployment, Layout
from tests.faults.load import Customer
from tests.faults.processes import MediciProcess, free_port
from tests.support.databases import opened

from bench.empty import PATH
from bench.figures import Figure, quantile
from bench.knocking import Knocked, Request, knock, posting
from bench.places import Place
from medici.adapters.payments.news import AuthMode, Source, StoreNews
from medici.domain.billing.service.store_news import ask_store
from medici.fakes.apple.authority import Writer, milliseconds
from medici.kernel.crypto import new_key
from medici.kernel.db.database import Database
from medici.kernel.environment import Environment
from medici.kernel.ids import new_id
from medici.kernel.keyring import KeyRing

ROOT = Path(__file__).parents[1]
WAITING = 5_000
AT_ONCE = 2  # what is measured is an answer, not how much the machine can take
REQUESTS = 150
ROUNDS = 3
SECRET = "whsec_of_the_measurement"
PROMISE_MS = "500 ms"

Write = Callable[[str], Request]


async def measure(place: Place) -> list[Figure]:
    """Have each receiver, and the empty route, asked in turn; every message is a new purchase."""
    writer = Writer()
    async with place.served(Layout(servers=0, embedded=False)) as deployment:
        async with opened(deployment.database_url) as database:
            await _pile_up(database)
        async with _server(deployment, writer) as base:
            return [
                *_figures("a relay's message", place.name, *await _rounds(base, _relayed)),
                *_figures(
                    "Apple's notification",
                    place.name,
                    *await _rounds(base, partial(_notified, writer)),
                ),
                *_figures("Stripe's event", place.name, *await _rounds(base, _signed)),
            ]


def _figures(what: str, where: str, taken: list[Knocked], empty: list[Knocked]) -> list[Figure]:
    def at(share: float, rounds: list[Knocked]) -> list[float]:
        return [1000 * quantile(each.seconds, share) for each in rounds]

    return [
        Figure(
            what=f"{what}, {WAITING:,} jobs waiting, {name}",
            where=where,
            unit="ms",
            rounds=at(share, taken),
            limit="an empty route",
            limit_rounds=at(share, empty),
            promise=promise,
        )
        for name, share, promise in (("p50", 0.5, ""), ("p99", 0.99, PROMISE_MS))
    ]


async def _rounds(base: str, write: Write) -> tuple[list[Knocked], list[Knocked]]:
    taken: list[Knocked] = []
    empty: list[Knocked] = []
    await _asked([write(base) for _ in range(AT_ONCE)])
    for _ in range(ROUNDS):
        taken.append(await _asked([write(base) for _ in range(REQUESTS)]))
        empty.append(await _asked([posting(base + PATH, _bearing({}), {})] * REQUESTS))
    return taken, empty


async def _asked(requests: list[Request]) -> Knocked:
    knocked = await knock(requests, at_once=AT_ONCE)
    if set(knocked.statuses) != {200}:
        raise RuntimeError(f"refused: {set(knocked.statuses)}")
    return knocked


async def _pile_up(database: Database) -> None:
    """Leave messages whose store is still to be asked, as if every worker had stopped."""
    keys, now = KeyRing((new_key("bench"),)), datetime.now(UTC)
    async with database.transaction() as session:
        for number in range(WAITING):
            news = StoreNews(
                source=Source.ANDROID,
                environment=Environment.PRODUCTION,
                event_id=f"waiting-{number}",
                event_type="subscription.2",
                event_time=now,
                auth_mode=AuthMode.NATIVE,
            )
            handle = f"subscription:com.example.medici:token-{number}"
            await ask_store(session, news, handle=handle, keys=keys, payload_hash="", now=now)


def _relayed(base: str) -> Request:
    name = str(new_id())
    body: dict[str, object] = {
        "event_id": name,
        "user_id": name,
        "product_id": "pro_monthly_web",
        "expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
        "original_transaction_id": name,
        "metadata": {"transaction_id": name},
    }
    return posting(f"{base}/v1/webhooks/web-billing", _bearing({}), body)


def _notified(writer: Writer, base: str) -> Request:
    now, number = datetime.now(UTC), str(new_id().int)
    transaction = writer.transaction(
        now,
        originalTransactionId=number,
        transactionId=number,
        productId="pro_monthly_ios",
        purchaseDate=milliseconds(now),
        originalPurchaseDate=milliseconds(now),
        expiresDate=milliseconds(now + timedelta(days=30)),
        price=14990,
        currency="USD",
    )
    renewal = writer.renewal(
        now, originalTransactionId=number, autoRenewProductId="pro_monthly_ios"
    )
    data = {"signedTransactionInfo": transaction, "signedRenewalInfo": renewal, "status": 1}
    signed = writer.notification(
        now, uuid=str(new_id()), kind="SUBSCRIBED", subtype="INITIAL_BUY", data=data
    )
    return posting(f"{base}/v1/webhooks/storekit", _bearing({}), {"signedPayload": signed})


def _signed(base: str) -> Request:
    name, at = new_id().hex, int(time.time())
    price = {"id": "price_1", "object": "price", "lookup_key": "pro_monthly_web"}
    month = {"current_period_start": at, "current_period_end": at + 2_592_000}
    body: dict[str, object] = {
        "id": f"evt_{name}",
        "object": "event",
        "type": "customer.subscription.created",
        "created": at,
        "livemode": True,
        "data": {
            "object": {
                "id": f"sub_{name}",
                "object": "subscription",
                "status": "active",
                "customer": f"cus_{name}",
                "metadata": {"medici_user": name},
                "items": {"data": [{"price": price, **month}]},
            }
        },
    }
    raw = json.dumps(body).encode()
    mac = hmac.digest(SECRET.encode(), f"{at}.".encode() + raw, "sha256").hex()
    headers = {"Stripe-Signature": f"t={at},v1={mac}"}
    return posting(f"{base}/v1/webhooks/web-billing", _bearing(headers), body)


def _bearing(headers: dict[str, str]) -> Customer:
    """Return nobody, with headers: stores have no account with us."""
    return Customer(user_id="", headers=headers, image_url="")


@asynccontextmanager
async def _server(deployment: Deployment, writer: Writer) -> AsyncIterator[str]:
    """Have a server that hears all three stores, and that has the empty route as well."""
    roots = deployment.directory / "roots"
    roots.mkdir()
    (roots / "root.der").write_bytes(writer.authority.root.der)
    port = free_port()
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bench.empty import serve; "
    process = MediciProcess(
        ("-c", f"{start}serve({port})"),
        ready_line=b"Uvicorn running on",
        settings={
            "DATABASE_URL": deployment.database_url,
            "MEDICI_DATA_DIR": str(deployment.directory),
            "MEDICI_RUNNER": "external",
            "MEDICI_LOG_FORMAT": "json",
            "MEDICI_DATABASE_POOL_SIZE": "5",
            "APPLE_BUNDLE_IDS": writer.bundle_id,
            "APPLE_APP_APPLE_ID": str(writer.app_id),
            "APPLE_ROOT_CERTS_DIR": str(roots),
            "STRIPE_WEBHOOK_SECRET": SECRET,
        },
    )
    await process.start()
    try:
        base = f"http://127.0.0.1:{port}"
        await _answers(base)
        yield base
    finally:
        await process.kill()


async def _answers(base: str) -> None:
    """Wait until the server answers; uvicorn's own word goes unheard without its logs."""
    async with asyncio.timeout(60), aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.post(base + PATH):
                    return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)
