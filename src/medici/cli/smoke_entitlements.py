"""One customer buys in three stores: which purchase counts, over HTTP alone, as relays tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from medici.cli.journey import Step, expect, walk
from medici.cli.visited import Answer, Server, session
from medici.kernel.ids import new_id

MONTH = timedelta(days=30)


class Shop(StrEnum):
    """A store, by the last part of its webhook's path."""

    IOS = "storekit"
    ANDROID = "google-play"
    WEB = "web-billing"


PRODUCTS: Mapping[Shop, str] = {
    Shop.IOS: "pro_monthly_ios",
    Shop.ANDROID: "pro_monthly_android",
    Shop.WEB: "pro_monthly_web",
}


@dataclass(slots=True, kw_only=True)
class Purchases:
    """A customer without any purchase, and the secrets by which stores speak to the server."""

    server: Server
    user_id: str
    secrets: Mapping[Shop, str | None]
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def sign_in(self) -> str:
        body = {"user_id": self.user_id, "platform": "script", "ttl_hours": 4}
        self.server.token = (await self.server.post("/v1/auth/login-dev", body))["access_token"]
        return self.user_id

    async def start_free(self) -> str:
        return await self._holds("free", "inactive", "manual")

    async def buy_on_the_web(self) -> str:
        expect(await self._tell(Shop.WEB, "bought", status="active"), "processed", "message")
        return await self._holds("pro", "active", "web")

    async def repeat_it(self) -> str:
        told = await self._tell(Shop.WEB, "bought", status="active")
        expect(told, "duplicate_event", "message")
        return await self._holds("pro", "active", "web")

    async def end_another(self) -> str:
        await self._tell(Shop.ANDROID, "ended", status="expired")
        return await self._holds("pro", "active", "web")

    async def buy_for_longer(self) -> str:
        renews_at = (self.began_at + MONTH).isoformat()
        await self._tell(Shop.IOS, "bought", status="active", renews_at=renews_at)
        return await self._holds("pro", "active", "ios")

    async def end_the_winner(self) -> str:
        """End it in its own store: what was bought elsewhere takes over."""
        await self._tell(Shop.IOS, "ended", status="expired")
        return await self._holds("pro", "active", "web")

    async def hear_late(self) -> str:
        """Hear of what was so yesterday; it changes nothing."""
        yesterday = (self.began_at - timedelta(days=1)).isoformat()
        told = await self._tell(Shop.IOS, "late", status="active", occurred_at=yesterday)
        expect(told, "stale_event", "message")
        return await self._holds("pro", "active", "web")

    async def cancel(self) -> str:
        """Cancel the last one with an end to come; it is paid until then."""
        ends = (self.began_at + MONTH).isoformat()
        await self._tell(Shop.WEB, "canceled", status="canceled", expires_at=ends)
        held = await self._entitlement()
        expect((held["plan_id"], held["renews_at"]), ("pro", None), "the plan and its renewal")
        return f"pro until {held['expires_at']}"

    async def end_the_last(self) -> str:
        await self._tell(Shop.WEB, "ended", status="expired")
        held = await self._entitlement()
        expect(held["status"], "expired", "status")
        profile = await self.server.get("/v1/profile/overview/me")
        expect(profile["effective_plan"]["plan_id"], "free", "the effective plan")
        return "free again"

    async def sign_out(self) -> str:
        expect((await self.server.post("/v1/auth/logout"))["revoked"], True, "revoked")
        return "token revoked"

    async def _tell(self, shop: Shop, what: str, **said: object) -> str:
        """Report as the store's relay does, and return what became of it."""
        body = {
            "event_id": f"{self.user_id}:{shop}:{what}",
            "user_id": self.user_id,
            "product_id": PRODUCTS[shop],
            "metadata": {"origin": "smoke"},
            **said,
        }
        secret = self.secrets[shop]
        headers = {"X-Webhook-Secret": secret} if secret else {}
        answer = await self.server.post(f"/v1/webhooks/{shop}", body, headers)
        return str(answer["message"])

    async def _holds(self, plan_id: str, status: str, source: str) -> str:
        held = await self._entitlement()
        found = (held["plan_id"], held["status"], held["source"])
        expect(found, (plan_id, status, source), "the entitlement")
        return f"{plan_id}, {status}, {source}"

    async def _entitlement(self) -> Answer:
        return await self.server.get(f"/v1/subscriptions/entitlements/{self.user_id}")


STEPS: tuple[Step[Purchases], ...] = (
    Step("login-dev", Purchases.sign_in),
    Step("nothing bought", Purchases.start_free),
    Step("web active", Purchases.buy_on_the_web),
    Step("told twice", Purchases.repeat_it),
    Step("android expired", Purchases.end_another),
    Step("ios for longer", Purchases.buy_for_longer),
    Step("ios expired", Purchases.end_the_winner),
    Step("told late", Purchases.hear_late),
    Step("web canceled", Purchases.cancel),
    Step("web expired", Purchases.end_the_last),
    Step("logout", Purchases.sign_out),
)


async def smoke_entitlements(
    base_url: str, *, secrets: Mapping[Shop, str | None], patience: float
) -> None:
    """Go through all steps; exit 1 at the first that fails."""
    async with session(patience) as opened:
        visit = Purchases(
            server=Server(opened, base_url.rstrip("/")),
            user_id=f"smoke-{new_id().hex}",
            secrets=secrets,
        )
        await walk(visit, STEPS, patience=patience)
