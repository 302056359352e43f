"""A customer's visit to a running server, over HTTP alone, from the first look to signing out."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp
import typer

from medici.cli.samples import SAMPLE
from medici.cli.visited import Answer, Server, UnexpectedAnswer
from medici.kernel.ids import new_id

ENDED = frozenset({"completed", "failed", "canceled"})
LOOK_SECONDS = 0.25
CONNECT_SECONDS = 5.0
GIFT = 20  # credits from the operator, so that the rest of the visit can be paid
SPENT = 1


@dataclass(slots=True)
class Visit:
    """One customer, new to the server, and what they have got so far.

    Each step is told in a few words what it found; a step relies on those before it.
    """

    server: Server
    admin_token: str | None
    user_id: str
    balance: int = 0
    image_url: str = ""
    job_id: str = ""
    output_url: str = ""

    async def health(self) -> str:
        told = await self.server.get("/readyz")
        parts = ", ".join(f"{name} {state}" for name, state in told["components"].items())
        return f"{told['service']} {told['version']}: {parts}"

    async def sign_in(self) -> str:
        body = {"user_id": self.user_id, "platform": "web"}
        self.server.token = (await self.server.post("/v1/auth/login-dev", body))["access_token"]
        return self.user_id

    async def me(self) -> str:
        me = await self.server.get("/v1/auth/me")
        _expect(me["user_id"], self.user_id, "user_id")
        return f"until {me['expires_at']}"

    async def look_at_balance(self) -> str:
        self.balance = await self._balance()
        return f"{self.balance} credits"

    async def upload(self) -> str:
        photo = await self.server.upload("/v1/uploads", SAMPLE.name, SAMPLE.read_bytes())
        self.image_url = photo["image_url"]
        return f"{photo['width']} × {photo['height']} {photo['content_type']}"

    async def order_preview(self) -> str:
        return await self._order("preview")

    async def follow_preview(self) -> str:
        """Wait by the stream of events."""
        path = f"/v1/ai/render-jobs/{self.job_id}/events"
        states: list[str] = []
        async for data in self.server.events(path):
            job = json.loads(data)
            states += [job["status"]] if job["status"] not in states else []
        return self._delivered(job, " → ".join(states))

    async def order_final(self) -> str:
        return await self._order("final")

    async def poll_final(self) -> str:
        """Wait by asking again and again."""
        job = await self._job()
        while job["status"] not in ENDED:
            await asyncio.sleep(LOOK_SECONDS)
            job = await self._job()
        return self._delivered(job, job["status"])

    async def fetch(self) -> str:
        data = await self.server.picture(self.output_url)
        return f"{len(data):,} bytes"

    async def grant(self) -> str:
        extra = {"X-Admin-Token": self.admin_token} if self.admin_token else {}
        body = {"user_id": self.user_id, "amount": GIFT, "reason": "smoke"}
        given = await self.server.post("/v1/credits/grant", body, extra)
        return await self._moved(given, GIFT)

    async def consume(self) -> str:
        """Spend twice under one key, which must take effect once."""
        key = str(new_id())
        body = {"user_id": self.user_id, "amount": SPENT, "reason": "smoke", "idempotency_key": key}
        told = await self._moved(await self.server.post("/v1/credits/consume", body), -SPENT)
        again = await self.server.post("/v1/credits/consume", body)
        _expect(again["applied"], False, "a second use of the key")
        _expect(again["balance"], self.balance, "the balance after it")
        return told

    async def list_jobs(self) -> str:
        jobs = (await self.server.get("/v1/ai/render-jobs"))["jobs"]
        _expect([job["tier"] for job in jobs], ["final", "preview"], "the listed tiers")
        return f"{len(jobs)} jobs"

    async def cancel(self) -> str:
        before = self.balance
        await self._order("preview")
        canceled = await self.server.post(f"/v1/ai/render-jobs/{self.job_id}/cancel")
        _expect(canceled["status"], "canceled", "status")
        _expect(await self._balance(), before, "the balance after it")
        return "its price went back"

    async def sign_out(self) -> str:
        _expect((await self.server.post("/v1/auth/logout"))["revoked"], True, "revoked")
        return "token revoked"

    async def _order(self, tier: str) -> str:
        body = {
            "project_id": "smoke",
            "image_url": self.image_url,
            "style_id": "japandi",
            "operation": "restyle",
            "tier": tier,
        }
        job = await self.server.post("/v1/ai/render-jobs", body)
        self.job_id = job["id"]
        before, self.balance = self.balance, await self._balance()
        _expect(self.balance, before - job["credits"], "the balance after it")
        return f"{job['provider']} for {job['credits']} credits"

    async def _job(self) -> Answer:
        return await self.server.get(f"/v1/ai/render-jobs/{self.job_id}")

    async def _balance(self) -> int:
        path = f"/v1/credits/balance/{self.user_id}"
        return int((await self.server.get(path))["balance"])

    async def _moved(self, answer: Answer, by: int) -> str:
        _expect(answer["applied"], True, "applied")
        _expect(answer["balance"], self.balance + by, "the balance after it")
        self.balance += by
        return f"{self.balance} credits"

    def _delivered(self, job: Answer, told: str) -> str:
        if job["status"] != "completed":
            raise UnexpectedAnswer(f"{job['status']}: {job['error_code']} {job['error_message']}")
        self.output_url = job["output_url"]
        return told


Step = Callable[[Visit], Awaitable[str]]

STEPS: tuple[tuple[str, Step], ...] = (
    ("health", Visit.health),
    ("login-dev", Visit.sign_in),
    ("me", Visit.me),
    ("balance", Visit.look_at_balance),
    ("upload", Visit.upload),
    ("render preview", Visit.order_preview),
    ("wait for preview", Visit.follow_preview),
    ("fetch preview", Visit.fetch),
    ("render final", Visit.order_final),
    ("wait for final", Visit.poll_final),
    ("fetch final", Visit.fetch),
    ("grant", Visit.grant),
    ("consume", Visit.consume),
    ("list", Visit.list_jobs),
    ("cancel", Visit.cancel),
    ("logout", Visit.sign_out),
)


async def smoke(base_url: str, *, admin_token: str | None, patience: float) -> None:
    """Go through all steps, telling each with its time; exit 1 at the first that fails."""
    timeout = aiohttp.ClientTimeout(total=patience, sock_connect=CONNECT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        visit = Visit(
            server=Server(session, base_url.rstrip("/")),
            admin_token=admin_token,
            user_id=f"smoke-{new_id().hex}",
        )
        for name, step in STEPS:
            await _take(visit, name, step, patience)
    typer.echo(f"all {len(STEPS)} steps passed")


async def _take(visit: Visit, name: str, step: Step, patience: float) -> None:
    began = time.monotonic()
    try:
        async with asyncio.timeout(patience):
            told = await step(visit)
    except TimeoutError:
        _fail(name, f"no end within {patience:g} s")
    except KeyError as missing:
        _fail(name, f"the answer lacks {missing}")
    except (UnexpectedAnswer, aiohttp.ClientError) as error:
        _fail(name, str(error))
    else:
        milliseconds = (time.monotonic() - began) * 1000
        typer.echo(f"✓ {name:<17} {milliseconds:7.0f} ms  {told}")


def _fail(name: str, reason: str) -> None:
    typer.secho(f"✗ {name}: {reason}", fg="red", err=True)
    raise typer.Exit(1)


def _expect(found: object, wanted: object, what: str) -> None:
    if found != wanted:
        raise UnexpectedAnswer(f"{what} is {found!r}, not {wanted!r}")
