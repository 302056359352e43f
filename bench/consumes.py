"""A thousand requests at once on one wallet that covers half of them."""

import aiohttp
from tests.faults.deployments import Layout
from tests.faults.load import Customer, arrive

from bench.figures import Figure, percentiles
from bench.knocking import Request, knock, posting
from bench.places import Place

REQUESTS = 1000
COVERED = 500


async def measure(place: Place) -> list[Figure]:
    """Have 1,000 requests for one credit in flight together; exactly 500 must succeed."""
    async with place.served(Layout(embedded=False)) as deployment:
        base = deployment.bases[0]
        (customer,) = await arrive(base, ["ada"])
        surplus = await _balance(base, customer) - COVERED
        await knock([_consume(base, customer, surplus)], at_once=1)
        knocked = await knock([_consume(base, customer, 1)] * REQUESTS, at_once=REQUESTS)
        left = await _balance(base, customer)
    served, refused = knocked.statuses.count(200), knocked.statuses.count(400)
    if (served, refused, left) != (COVERED, REQUESTS - COVERED, 0):
        raise RuntimeError(f"{served} served, {refused} refused, {left} credits left")
    return [
        Figure(
            what=f"{REQUESTS:,} consumes at once, exactly {COVERED} served",
            where=place.name,
            unit="s",
            rounds=[knocked.took],
            promise="30 s",
        ),
        *percentiles(
            "  an answer to one of them",
            place.name,
            "ms",
            [[1000 * seconds for seconds in knocked.seconds]],
        ),
    ]


def _consume(base: str, customer: Customer, amount: int) -> Request:
    body: dict[str, object] = {"user_id": customer.user_id, "amount": amount, "reason": "bench"}
    return posting(f"{base}/v1/credits/consume", customer, body)


async def _balance(base: str, customer: Customer) -> int:
    url = f"{base}/v1/credits/balance/{customer.user_id}"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers=customer.headers) as answer,
    ):
        balance: int = (await answer.json())["balance"]
        return balance
