"""Every operation of the API against every kind of credential.

An operation that the table does not name fails the test: whoever adds a route says here who may
knock. ``IN`` means past the guard; what a route then makes of a bare request is not asked here.
"""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal, TypeAlias

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import SecretStr

from medici.app import create_app
from medici.bootstrap import install_defaults, opened
from medici.doors.http.auth import bearer
from medici.doors.http.sessions import write_session
from medici.settings import Settings
from tests.doors.conftest import SignedIn
from tests.doors.support import BASE, Hands

IN: Literal["in"] = "in"
Outcome: TypeAlias = Literal["in", 401, 403]


class Gate(StrEnum):
    """Who may knock."""

    OPEN = "anybody"
    PROOF = "whoever brings a proof that our credentials are not: an ID token, a signed link"
    TOKEN = "whoever sends a token, even a dead one"
    USER = "any user"
    OWNER = "the user named in the path, or an operator"
    SELF = "the user named in the body"
    OPERATOR = "an operator"


@dataclass(frozen=True, kw_only=True)
class Operation:
    gate: Gate
    body: Mapping[str, object] | None = None


MOVEMENT = {"user_id": "owner", "amount": 1, "reason": "a test"}
CHECKOUT = {
    "user_id": "owner",
    "plan_id": "pro",
    "success_url": "https://app.example.com/thanks",
    "cancel_url": "https://app.example.com/",
}
SOME_ID = "00000000-0000-7000-8000-000000000000"
IN_PATH = {
    "user_id": "owner",
    "job_id": SOME_ID,
    "run_id": SOME_ID,
    "attempt_id": SOME_ID,
    "endpoint_id": SOME_ID,
    "delivery_id": SOME_ID,
    "message_id": SOME_ID,
    "purchase_id": SOME_ID,
    "transaction_id": SOME_ID,
    "provider": "mock",
    "version": 1,
    "plan_id": "gold",
    "pack_id": "gold",
    "style_id": "gold",
    "item_id": "gold",
    "section_key": "gold",
    "variable_key": "gold",
    "key": "pictures/nothing.jpg",
    "experiment_id": "paywall_timing",
}

TABLE: Mapping[str, Operation] = {
    "GET /health": Operation(gate=Gate.OPEN),
    "GET /healthz": Operation(gate=Gate.OPEN),
    "GET /readyz": Operation(gate=Gate.OPEN),
    "GET /metrics": Operation(gate=Gate.OPEN),  # an operator's in production: test_health.py
    "POST /v1/auth/login-dev": Operation(gate=Gate.OPEN, body={"user_id": "anybody"}),
    "POST /v1/auth/oidc": Operation(gate=Gate.PROOF, body={"id_token": "a.b.c"}),
    "GET /v1/auth/me": Operation(gate=Gate.USER),
    "POST /v1/auth/logout": Operation(gate=Gate.TOKEN),
    # The provider's signature is the credential: test_provider_webhooks.py
    "POST /v1/providers/{provider}/webhook/{attempt_id}": Operation(gate=Gate.OPEN),
    "POST /v1/uploads": Operation(gate=Gate.USER),
    "GET /v1/ai/providers": Operation(gate=Gate.OPEN),
    "GET /v1/ai/render-jobs": Operation(gate=Gate.USER),
    "POST /v1/ai/render-jobs": Operation(gate=Gate.USER),
    "GET /v1/ai/render-jobs/{job_id}": Operation(gate=Gate.USER),
    "GET /v1/ai/render-jobs/{job_id}/events": Operation(gate=Gate.USER),
    "POST /v1/ai/render-jobs/{job_id}/cancel": Operation(gate=Gate.USER),
    "GET /v1/credits/balance/{user_id}": Operation(gate=Gate.OWNER),
    "POST /v1/credits/consume": Operation(gate=Gate.SELF, body=MOVEMENT),
    "POST /v1/credits/grant": Operation(gate=Gate.OPERATOR, body=MOVEMENT),
    "GET /v1/credits/history/me": Operation(gate=Gate.USER),
    "GET /v1/credits/history/{user_id}": Operation(gate=Gate.OWNER),
    "GET /v1/admin/credits/ledger": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/credits/ledger.csv": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/credits/summary": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/credits/reset-schedule": Operation(gate=Gate.OPERATOR),
    "PUT /v1/admin/credits/reset-schedule": Operation(gate=Gate.OPERATOR, body={}),
    "POST /v1/admin/credits/run-daily-reset": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/credits/tick-reset": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/credits/reset-runs": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/credits/reset-runs/{run_id}": Operation(gate=Gate.OPERATOR),
    "GET /files/{key}": Operation(gate=Gate.PROOF),
    "POST /v1/analytics/events": Operation(
        gate=Gate.OWNER, body={"event_name": "app_opened", "user_id": "owner"}
    ),
    "GET /v1/admin/analytics/overview": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/analytics/dashboard": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/analytics/funnel": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/analytics/retention": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/analytics/subscriptions": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/analytics/margin": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/providers/health": Operation(gate=Gate.OPERATOR),
    "GET /v1/config/bootstrap": Operation(gate=Gate.OPEN),
    "GET /v1/session/bootstrap/me": Operation(gate=Gate.USER),
    "GET /v1/projects/board/me": Operation(gate=Gate.USER),
    "GET /v1/projects/board/{user_id}": Operation(gate=Gate.OWNER),
    "GET /v1/profile/overview/me": Operation(gate=Gate.USER),
    "GET /v1/profile/overview/{user_id}": Operation(gate=Gate.OWNER),
    "GET /v1/discover/feed": Operation(gate=Gate.OPEN),
    "GET /v1/admin/product-audit": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/styles/seed-defaults": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/plans": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/plans/{plan_id}": Operation(gate=Gate.OPERATOR),
    "PUT /v1/admin/plans/{plan_id}": Operation(gate=Gate.OPERATOR, body={}),
    "DELETE /v1/admin/plans/{plan_id}": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/packs": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/packs/{pack_id}": Operation(gate=Gate.OPERATOR),
    "PUT /v1/admin/packs/{pack_id}": Operation(gate=Gate.OPERATOR, body={}),
    "DELETE /v1/admin/packs/{pack_id}": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/styles": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/styles/{style_id}": Operation(gate=Gate.OPERATOR),
    "PUT /v1/admin/styles/{style_id}": Operation(gate=Gate.OPERATOR, body={}),
    "DELETE /v1/admin/styles/{style_id}": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/variables": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/variables/{variable_key}": Operation(gate=Gate.OPERATOR),
    "PUT /v1/admin/variables/{variable_key}": Operation(gate=Gate.OPERATOR, body={}),
    "DELETE /v1/admin/variables/{variable_key}": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/discover/sections": Operation(gate=Gate.OPERATOR),
    "PUT /v1/admin/discover/sections/{section_key}": Operation(gate=Gate.OPERATOR, body={}),
    "DELETE /v1/admin/discover/sections/{section_key}": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/discover/items": Operation(gate=Gate.OPERATOR),
    "PUT /v1/admin/discover/items/{item_id}": Operation(gate=Gate.OPERATOR, body={}),
    "DELETE /v1/admin/discover/items/{item_id}": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/provider-settings": Operation(gate=Gate.OPERATOR),
    "PUT /v1/admin/provider-settings": Operation(gate=Gate.OPERATOR, body={}),
    "GET /v1/admin/provider-settings/draft": Operation(gate=Gate.OPERATOR),
    "PUT /v1/admin/provider-settings/draft": Operation(gate=Gate.OPERATOR, body={}),
    "POST /v1/admin/provider-settings/draft/dry-run": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/provider-settings/publish": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/provider-settings/rollback/{version}": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/provider-settings/versions": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/provider-settings/versions/{version}": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/provider-settings/audit": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/provider-settings/canary": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/provider-settings/canary/promote": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/provider-settings/canary/abort": Operation(gate=Gate.OPERATOR),
    "POST /v1/experiments/assign": Operation(
        gate=Gate.OWNER, body={"experiment_id": "gold", "user_id": "owner"}
    ),
    "GET /v1/experiments/active/{user_id}": Operation(gate=Gate.OWNER),
    "POST /v1/experiments/exposures": Operation(
        gate=Gate.OWNER,
        body={
            "user_id": "owner",
            "exposures": [{"experiment_id": "gold", "variant_id": "control"}],
        },
    ),
    "GET /v1/admin/experiments": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/experiments/templates": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/experiments/audit": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/experiments/guardrails/evaluate": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/experiments/rollout/evaluate-all": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/experiments/{experiment_id}/rollout/evaluate": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/experiments/automation/run": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/experiments/automation/history": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/experiments/{experiment_id}": Operation(gate=Gate.OPERATOR),
    "PUT /v1/admin/experiments/{experiment_id}": Operation(gate=Gate.OPERATOR, body={}),
    "DELETE /v1/admin/experiments/{experiment_id}": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/experiments/power": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/experiments/{experiment_id}/performance": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/experiments/{experiment_id}/trends": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/render-jobs/{job_id}": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/experiments/{experiment_id}/rollout/publish-routes": Operation(
        gate=Gate.OPERATOR
    ),
    "GET /v1/admin/provider-settings/diff": Operation(gate=Gate.OPERATOR),
    "GET /v1/config/provider-route-preview": Operation(gate=Gate.OPEN),
    # The stores' signatures and the relays' secrets are the credentials: test_store_webhooks.py,
    # test_native_messages.py
    "POST /v1/webhooks/storekit": Operation(gate=Gate.OPEN),
    "POST /v1/webhooks/google-play": Operation(gate=Gate.OPEN),
    "POST /v1/webhooks/web-billing": Operation(gate=Gate.OPEN),
    "GET /v1/admin/webhook-events": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/webhook-events/{message_id}": Operation(gate=Gate.OPERATOR),
    "GET /v1/subscriptions/catalog": Operation(gate=Gate.OPEN),
    "GET /v1/subscriptions/account-token": Operation(gate=Gate.USER),
    "GET /v1/subscriptions/entitlements/{user_id}": Operation(gate=Gate.OWNER),
    "PUT /v1/subscriptions/entitlements/{user_id}": Operation(
        gate=Gate.OPERATOR, body={"plan_id": "free"}
    ),
    "GET /v1/subscriptions/entitlements/{user_id}/why": Operation(gate=Gate.OWNER),
    "GET /v1/subscriptions/entitlements/{user_id}/history": Operation(gate=Gate.OWNER),
    "GET /v1/subscriptions/purchases/me": Operation(gate=Gate.USER),
    "GET /v1/subscriptions/transactions/me": Operation(gate=Gate.USER),
    "POST /v1/subscriptions/web/checkout-session": Operation(gate=Gate.SELF, body=CHECKOUT),
    "POST /v1/subscriptions/web/portal-session": Operation(
        gate=Gate.USER, body={"return_url": "https://app.example.com/"}
    ),
    "POST /v1/subscriptions/ios/transactions": Operation(
        gate=Gate.USER, body={"signedTransaction": "a.b.c"}
    ),
    "POST /v1/subscriptions/android/purchases": Operation(
        gate=Gate.USER, body={"productId": "gold", "purchaseToken": "token"}
    ),
    "GET /v1/admin/subscriptions/entitlements": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/subscriptions/purchases": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/subscriptions/purchases/{purchase_id}": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/subscriptions/transactions": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/subscriptions/transactions/{transaction_id}/refund": Operation(
        gate=Gate.OPERATOR, body={"reason": "a test"}
    ),
    "PUT /v1/admin/subscriptions/overrides/{user_id}": Operation(
        gate=Gate.OPERATOR,
        body={"plan_id": "pro", "expires_at": "2027-01-01T00:00:00Z", "reason": "a test"},
    ),
    "DELETE /v1/admin/subscriptions/overrides/{user_id}": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/webhook-endpoints": Operation(
        gate=Gate.OPERATOR, body={"url": "https://example.com/hook"}
    ),
    "GET /v1/admin/webhook-endpoints": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/webhook-endpoints/{endpoint_id}": Operation(gate=Gate.OPERATOR),
    "PATCH /v1/admin/webhook-endpoints/{endpoint_id}": Operation(gate=Gate.OPERATOR, body={}),
    "DELETE /v1/admin/webhook-endpoints/{endpoint_id}": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/webhook-endpoints/{endpoint_id}/disable": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/webhook-endpoints/{endpoint_id}/enable": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/webhook-endpoints/{endpoint_id}/rotate-secret": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/webhook-endpoints/{endpoint_id}/test": Operation(gate=Gate.OPERATOR),
    "POST /v1/admin/webhook-endpoints/{endpoint_id}/redeliver-failed": Operation(
        gate=Gate.OPERATOR, body={"since": "2026-11-24T00:00:00Z"}
    ),
    "GET /v1/admin/webhook-endpoints/{endpoint_id}/deliveries": Operation(gate=Gate.OPERATOR),
    "GET /v1/admin/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}": Operation(
        gate=Gate.OPERATOR
    ),
    "POST /v1/admin/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliver": Operation(
        gate=Gate.OPERATOR
    ),
}

CREDENTIALS = (
    "nobody",
    "garbage",
    "expired",
    "signed out",
    "owner",
    "other user",
    "admin token",
    "wrong admin token",
    "listed user",
)
# For each gate, what each of the credentials above meets.
MEETS: Mapping[Gate, tuple[Outcome, ...]] = {
    Gate.OPEN: (IN,) * 9,
    Gate.TOKEN: (401, IN, IN, IN, IN, IN, 401, 401, IN),
    Gate.USER: (401, 401, 401, 401, IN, IN, 401, 401, IN),
    Gate.OWNER: (401, 401, 401, 401, IN, 403, IN, 401, IN),
    Gate.SELF: (401, 401, 401, 401, IN, 403, 401, 401, 403),
    Gate.OPERATOR: (401, 401, 401, 401, 403, 403, IN, 401, IN),
}
# Routes that are pages or documents for people, outside the document.
UNDOCUMENTED = {
    "/openapi.json",
    "/docs",
    "/docs/swagger-ui-bundle.js",
    "/docs/swagger-ui.css",
    "/",
    "/static/tryit/{name}",
    "/static/discover/{name}",
    "/static/demo/bedroom.jpg",
}


@pytest.fixture
async def house(database_url: str, tmp_path: Path, clock: Hands) -> AsyncIterator[FastAPI]:
    """The whole application, as it is served."""
    settings = Settings(
        _env_file=None,
        app_env="test",
        medici_log_level="error",
        medici_log_format="json",
        database_url=database_url,
        medici_data_dir=tmp_path / "data",
        admin_api_token=SecretStr("right"),
        admin_user_ids=("listed",),
    )
    app = create_app(settings)
    async with opened(settings, clock=clock) as resources:
        await install_defaults(resources)
        app.state.resources = resources
        yield app


@pytest.fixture
async def visitor(house: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(house), base_url=BASE) as client:
        yield client


Wallet: TypeAlias = dict[str, dict[str, str]]


@pytest.fixture
async def credentials(signed_in: SignedIn, visitor: httpx.AsyncClient, clock: Hands) -> Wallet:
    """The headers of every kind of visitor."""
    expired = await signed_in("owner", ttl=timedelta(seconds=1))
    clock.advance(timedelta(seconds=1))
    made: tuple[dict[str, str], ...] = (
        {},
        {"Authorization": "Bearer tok_garbage"},
        expired,
        await signed_in("owner"),
        await signed_in("owner"),
        await signed_in("other"),
        {"X-Admin-Token": "right"},
        {"X-Admin-Token": "wrong"},
        await signed_in("listed"),
    )
    wallet = dict(zip(CREDENTIALS, made, strict=True))
    await visitor.post("/v1/auth/logout", headers=wallet["signed out"])
    return wallet


async def knock(
    visitor: httpx.AsyncClient, name: str, headers: Mapping[str, str]
) -> tuple[int, str]:
    """Try an operation and return the status and the body of its answer."""
    method, _, template = name.partition(" ")
    answer = await visitor.request(
        method, template.format(**IN_PATH), headers=dict(headers), json=TABLE[name].body
    )
    assert answer.status_code < 500, (name, answer.text)
    return answer.status_code, answer.text


async def meets(visitor: httpx.AsyncClient, name: str, headers: Mapping[str, str]) -> Outcome | int:
    status, _ = await knock(visitor, name, headers)
    return status if status in (401, 403) else IN


class TestEveryOperation:
    def test_is_classified(self, house: FastAPI) -> None:
        operations = {
            f"{method.upper()} {path}"
            for path, item in house.openapi()["paths"].items()
            for method in item
        }

        assert operations == set(TABLE)

    async def test_lets_in_whom_the_table_names_and_nobody_else(
        self, visitor: httpx.AsyncClient, credentials: Wallet
    ) -> None:
        # Signing out comes last, because it ends the credentials that the others need.
        guarded = sorted(
            (name for name in TABLE if TABLE[name].gate in MEETS),
            key=lambda name: TABLE[name].gate is Gate.TOKEN,
        )

        met = {
            name: [await meets(visitor, name, headers) for headers in credentials.values()]
            for name in guarded
        }

        assert met == {name: list(MEETS[TABLE[name].gate]) for name in guarded}

    async def test_that_needs_a_proof_takes_no_credential_for_one(
        self, visitor: httpx.AsyncClient, credentials: Wallet
    ) -> None:
        for name in (name for name in TABLE if TABLE[name].gate is Gate.PROOF):
            answers = {await knock(visitor, name, headers) for headers in credentials.values()}

            assert len(answers) == 1, name
            assert answers.pop()[0] in {401, 403, 404}, name

    def test_is_a_route_and_every_route_an_operation_or_a_page(self, house: FastAPI) -> None:
        paths = {re.sub(r":path}", "}", path) for path, _ in routes(house)}

        assert paths - UNDOCUMENTED == {name.partition(" ")[2] for name in TABLE}

    def test_recognises_its_caller_before_it_opens_a_transaction(self, house: FastAPI) -> None:
        for path, dependant in routes(house):
            calls = list(in_order(dependant))
            if bearer in calls and write_session in calls:
                assert calls.index(bearer) < calls.index(write_session), path


def routes(app: FastAPI) -> Iterator[tuple[str, Dependant]]:
    for each in iter_route_contexts(app.routes):
        if isinstance(each.original_route, APIRoute):
            yield str(each.path), each.dependant


def in_order(dependant: Dependant) -> Iterator[object]:
    """Name what a route depends on in the order in which it is called."""
    for each in dependant.dependencies:
        yield from in_order(each)
        yield each.call
