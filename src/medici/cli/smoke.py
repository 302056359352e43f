"""A customer's visit to a running server, over HTTP alone, from the first look to signing out."""

import asyncio
import json
from dataclasses import dataclass

from medici.cli.journey import Step, expect, walk
from medici.cli.samples import SAMPLE
from medici.cli.visited import Answer, Server, UnexpectedAnswer, session
from medici.kernel.ids import new_id

ENDED = frozenset({"completed", "failed", "canceled"})
LOOK_SECONDS = 0.25
GIFT = 20  # credits from the operator, so that the rest of the visit can be paid
SPENT = 1


@dataclass(slots=True)
class Visit:
    """One customer, new to the server, and what they have got so far.

    A step relies on those before it.
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
        expect(me["user_id"], self.user_id, "user_id")
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
        expect(again["applied"], False, "a second use of the key")
        expect(again["balance"], self.balance, "the balance after it")
        return told

    async def list_jobs(self) -> str:
        jobs = (await self.server.get("/v1/ai/render-jobs"))["jobs"]
        expect([job["tier"] for job in jobs], ["final", "preview"], "the listed tiers")
        return f"{len(jobs)} jobs"

    async def cancel(self) -> str:
        before = self.balance
        await self._order("preview")
        canceled = await self.server.post(f"/v1/ai/render-jobs/{self.job_id}/cancel")
        expect(canceled["status"], "canceled", "status")
        expect(await self._balance(), before, "the balance after it")
        return "its price went back"

    async def sign_out(self) -> str:
        expect((await self.server.post("/v1/auth/logout"))["revoked"], True, "revoked")
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
        expect(self.balance, before - job["credits"], "the balance after it")
        return f"{job['provider']} for {job['credits']} credits"

    async def _job(self) -> Answer:
        return await self.server.get(f"/v1/ai/render-jobs/{self.job_id}")

    async def _balance(self) -> int:
        path = f"/v1/credits/balance/{self.user_id}"
        return int((await self.server.get(path))["balance"])

    async def _moved(self, answer: Answer, by: int) -> str:
        expect(answer["applied"], True, "applied")
        expect(answer["balance"], self.balance + by, "the balance after it")
        self.balance += by
        return f"{self.balance} credits"

    def _delivered(self, job: Answer, told: str) -> str:
        if job["status"] != "completed":
            raise UnexpectedAnswer(f"{job['status']}: {job['error_code']} {job['error_message']}")
        self.output_url = job["output_url"]
        return told


STEPS: tuple[Step[Visit], ...] = (
    Step("health", Visit.health),
    Step("login-dev", Visit.sign_in),
    Step("me", Visit.me),
    Step("balance", Visit.look_at_balance),
    Step("upload", Visit.upload),
    Step("render preview", Visit.order_preview),
    Step("wait for preview", Visit.follow_preview),
    Step("fetch preview", Visit.fetch),
    Step("render final", Visit.order_final),
    Step("wait for final", Visit.poll_final),
    Step("fetch final", Visit.fetch),
    Step("grant", Visit.grant),
    Step("consume", Visit.consume),
    Step("list", Visit.list_jobs),
    Step("cancel", Visit.cancel),
    Step("logout", Visit.sign_out),
)


async def smoke(base_url: str, *, admin_token: str | None, patience: float) -> None:
    """Go through all steps; exit 1 at the first that fails."""
    async with session(patience) as opened:
        visit = Visit(
            server=Server(opened, base_url.rstrip("/")),
            admin_token=admin_token,
            user_id=f"smoke-{new_id().hex}",
        )
        await walk(visit, STEPS, patience=patience)
