"""What the apps and the dashboard that exist already read of each answer, and how.

Their code decodes strictly: a missing key, a list in an object's place or a text where a number was
ends in an error on a phone that nobody can update. Keys beside these are free.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.doors.studio.visitor import Visitor
from tests.support.studio import Studio

TEXT = "a text"
TEXT_OR_NULL = "a text or null"
NUMBER = "a number"
NUMBER_OR_NULL = "a number or null"
FLAG = "a flag"
SCALAR = "a text, a number or a flag"
ANYTHING = "anything"

Shape = str | Mapping[str, Any] | list[Any]

PLAN: Shape = {
    "plan_id": TEXT,
    "display_name": TEXT,
    "is_active": FLAG,
    "daily_credits": NUMBER,
    "preview_cost_credits": NUMBER,
    "final_cost_credits": NUMBER,
    "monthly_price_usd": NUMBER,
    "ios_product_id": TEXT_OR_NULL,
    "android_product_id": TEXT_OR_NULL,
    "web_product_id": TEXT_OR_NULL,
    "features": [TEXT],
}
ENTITLEMENT: Shape = {
    "user_id": TEXT,
    "plan_id": TEXT,
    "status": TEXT,
    "source": TEXT,
    "product_id": TEXT_OR_NULL,
    "original_transaction_id": TEXT_OR_NULL,
    "renews_at": TEXT_OR_NULL,
    "expires_at": TEXT_OR_NULL,
    "metadata": ANYTHING,
}
PROFILE: Shape = {
    "user_id": TEXT,
    "credits": {"user_id": TEXT, "balance": NUMBER},
    "entitlement": ENTITLEMENT,
    "effective_plan": PLAN,
    "next_credit_reset_at": TEXT_OR_NULL,
}
BOARD: Shape = {
    "user_id": TEXT,
    "projects": [
        {
            "project_id": TEXT,
            "cover_image_url": TEXT_OR_NULL,
            "generation_count": NUMBER,
            "last_job_id": TEXT_OR_NULL,
            "last_style_id": TEXT_OR_NULL,
            "last_status": TEXT_OR_NULL,
            "last_output_url": TEXT_OR_NULL,
            "last_updated_at": TEXT_OR_NULL,
        }
    ],
}
PROVIDER_DEFAULTS: Shape = {"default_provider": TEXT, "fallback_chain": [TEXT], "version": NUMBER}
AUDIT: Shape = [
    {"id": ANYTHING, "action": TEXT, "actor": TEXT, "reason": TEXT_OR_NULL, "created_at": TEXT}
]
ROUTE: Shape = {"preview_provider": TEXT, "final_provider": TEXT}
SETTINGS: Shape = {
    "default_provider": TEXT,
    "enabled_providers": [TEXT],
    "fallback_chain": [TEXT],
    "operation_routes": {"restyle": ROUTE},
    "part_routes": ANYTHING,
    "provider_models": ANYTHING,
    "cost_controls": {
        "max_retries": NUMBER,
        "max_output_megapixels": NUMBER,
        "preview_required_before_final": FLAG,
    },
}
DASHBOARD: Shape = {
    "generated_at": TEXT,
    "summary": {
        "total_events": NUMBER,
        "render_events": NUMBER,
        "render_success": NUMBER,
        "render_failed": NUMBER,
        "render_success_rate": NUMBER,
        "avg_latency_ms": NUMBER_OR_NULL,
        "p95_latency_ms": NUMBER_OR_NULL,
        "total_cost_usd": NUMBER,
        "avg_cost_per_render_usd": NUMBER_OR_NULL,
        "preview_to_final_rate": NUMBER,
        "active_render_users": NUMBER,
    },
    "provider_breakdown": [
        {
            "provider": TEXT,
            "total_events": NUMBER,
            "success_rate": NUMBER,
            "p95_latency_ms": NUMBER_OR_NULL,
            "total_cost_usd": NUMBER,
        }
    ],
    "operation_breakdown": [
        {
            "operation": TEXT,
            "total_events": NUMBER,
            "success_rate": NUMBER,
            "avg_latency_ms": NUMBER_OR_NULL,
            "avg_cost_usd": NUMBER_OR_NULL,
        }
    ],
    "platform_breakdown": [
        {
            "platform": TEXT,
            "total_events": NUMBER,
            "render_events": NUMBER,
            "render_success_rate": NUMBER,
        }
    ],
    "status_breakdown": [{"status": TEXT, "count": NUMBER}],
    "credits": {
        "consumed_total": NUMBER,
        "granted_total": NUMBER,
        "refunded_total": NUMBER,
        "daily_reset_total": NUMBER,
        "unique_consumers": NUMBER,
    },
    "subscriptions": {
        "active_subscriptions": NUMBER,
        "renewals_due_7d": NUMBER,
        "expirations_due_7d": NUMBER,
    },
    "subscription_sources": [
        {"source": TEXT, "active_subscriptions": NUMBER, "active_share_pct": NUMBER}
    ],
    "queue": {
        "queued_jobs": NUMBER,
        "in_progress_jobs": NUMBER,
        "completed_jobs_window": NUMBER,
        "failed_jobs_window": NUMBER,
        "canceled_jobs_window": NUMBER,
    },
    "funnel": {
        "login_users": NUMBER,
        "preview_users": NUMBER,
        "final_users": NUMBER,
        "checkout_starts": NUMBER,
        "paid_activations": NUMBER,
        "checkout_to_paid_rate": NUMBER,
    },
    "experiment_breakdown": [ANYTHING],
    "alerts": [
        {
            "code": TEXT,
            "severity": TEXT,
            "message": TEXT,
            "current_value": NUMBER_OR_NULL,
            "threshold": NUMBER_OR_NULL,
        }
    ],
}
HEALTH: Shape = {
    "total_events": NUMBER,
    "success_rate": NUMBER,
    "failed_events": NUMBER,
    "avg_latency_ms": NUMBER_OR_NULL,
    "health_score": NUMBER,
}

READ_BY_THE_APPS: Mapping[str, Shape] = {
    "/v1/auth/me": {"user_id": TEXT, "platform": TEXT_OR_NULL, "expires_at": TEXT},
    "/v1/config/bootstrap": {
        "active_plans": [PLAN],
        "variables": {
            "daily_credit_limit_enabled": SCALAR,
            "preview_before_final_required": SCALAR,
        },
        "provider_defaults": PROVIDER_DEFAULTS,
    },
    "/v1/session/bootstrap/me?board_limit=30&experiment_limit=50": {
        "me": {"user_id": TEXT, "platform": TEXT_OR_NULL, "expires_at": TEXT},
        "profile": PROFILE,
        "board": BOARD,
        "experiments": {"user_id": TEXT, "assignments": [ANYTHING]},
        "catalog": [PLAN],
        "variables": {"daily_credit_limit_enabled": SCALAR},
        "provider_defaults": PROVIDER_DEFAULTS,
    },
    "/v1/projects/board/ada?limit=30": BOARD,
    "/v1/projects/board/me?limit=30": BOARD,
    "/v1/discover/feed?tab=Home": {
        "tabs": [TEXT],
        "sections": [
            {
                "key": TEXT,
                "title": TEXT,
                "items": [
                    {
                        "id": TEXT,
                        "title": TEXT,
                        "subtitle": TEXT,
                        "category": TEXT,
                        "before_image_url": TEXT,
                        "after_image_url": TEXT,
                    }
                ],
            }
        ],
    },
    "/v1/credits/balance/ada": {"user_id": TEXT, "balance": NUMBER},
    "/v1/subscriptions/entitlements/ada": ENTITLEMENT,
    "/v1/profile/overview/ada": PROFILE,
    "/v1/profile/overview/me": PROFILE,
    "/v1/subscriptions/catalog": [PLAN],
}
READ_BY_THE_DASHBOARD: Mapping[str, Shape] = {
    "/healthz": {"status": TEXT},
    "/v1/admin/provider-settings": SETTINGS,
    "/v1/admin/provider-settings/draft": SETTINGS,
    "/v1/admin/provider-settings/versions": [
        {"version": NUMBER, "actor": TEXT, "reason": TEXT_OR_NULL, "created_at": TEXT}
    ],
    "/v1/admin/provider-settings/audit?limit=30": AUDIT,
    "/v1/admin/plans": [PLAN],
    "/v1/admin/variables": [{"key": TEXT, "value": SCALAR, "description": TEXT_OR_NULL}],
    "/v1/admin/product-audit?limit=30": AUDIT,
    "/v1/admin/credits/reset-schedule": {
        "enabled": FLAG,
        "reset_hour_utc": NUMBER,
        "reset_minute_utc": NUMBER,
        "free_daily_credits": NUMBER,
        "pro_daily_credits": NUMBER,
        "last_run_at": TEXT_OR_NULL,
        "next_run_at": TEXT_OR_NULL,
    },
    "/v1/admin/subscriptions/entitlements": [ENTITLEMENT],
    "/v1/admin/analytics/overview": {
        "total_events": NUMBER,
        "render_events": NUMBER,
        "render_success": NUMBER,
        "render_failed": NUMBER,
        "render_success_rate": NUMBER,
        "avg_latency_ms": NUMBER_OR_NULL,
        "p95_latency_ms": NUMBER_OR_NULL,
        "total_cost_usd": NUMBER,
        "provider_event_counts": ANYTHING,
        "provider_success_rate": ANYTHING,
    },
    "/v1/admin/analytics/dashboard?hours=24": DASHBOARD,
}

KINDS: Mapping[str, tuple[type, ...]] = {
    TEXT: (str,),
    TEXT_OR_NULL: (str, type(None)),
    NUMBER: (int, float),
    NUMBER_OR_NULL: (int, float, type(None)),
    FLAG: (bool,),
    SCALAR: (str, int, float, bool),
}


def misfits(found: object, shape: Shape, place: str = "answer") -> Sequence[str]:
    """Tell where an answer is not as its reader expects it."""
    if isinstance(shape, str):
        fits = shape == ANYTHING or isinstance(found, KINDS[shape])
        fits = fits and not (isinstance(found, bool) and shape in {NUMBER, NUMBER_OR_NULL})
        return [] if fits else [f"{place} is {found!r}, not {shape}"]
    if isinstance(shape, list):
        if not isinstance(found, list):
            return [f"{place} is no list"]
        return [
            misfit
            for number, each in enumerate(found)
            for misfit in misfits(each, shape[0], f"{place}[{number}]")
        ]
    if not isinstance(found, Mapping):
        return [f"{place} is no object"]
    missing = [f"{place}.{key} is missing" for key in shape.keys() - found.keys()]
    return missing + [
        misfit
        for key in shape.keys() & found.keys()
        for misfit in misfits(found[key], shape[key], f"{place}.{key}")
    ]


@pytest.fixture
async def customer(ada: Visitor, studio: Studio) -> Visitor:
    """Ada, who has a project, a picture and a purchase."""
    await ada.order()
    await studio.finish()
    await ada.post(
        "/v1/webhooks/web-billing", json={"user_id": "ada", "product_id": "pro_monthly_web"}
    )
    return ada


class TestApps:
    @pytest.mark.parametrize("path", READ_BY_THE_APPS)
    async def test_find_everything_that_they_decode(self, customer: Visitor, path: str) -> None:
        answer = await customer.client.get(path)

        assert answer.status_code == 200
        assert misfits(answer.json(), READ_BY_THE_APPS[path]) == []


class TestDashboard:
    @pytest.mark.parametrize("path", READ_BY_THE_DASHBOARD)
    async def test_finds_everything_that_it_shows(self, customer: Visitor, path: str) -> None:
        answer = await customer.client.get(path)

        assert answer.status_code == 200
        assert misfits(answer.json(), READ_BY_THE_DASHBOARD[path]) == []

    async def test_reads_the_health_of_each_provider(self, customer: Visitor) -> None:
        health = (await customer.client.get("/v1/admin/providers/health?hours=24")).json()

        assert [misfits(each, HEALTH) for each in health.values()] == [[] for _ in health]

    async def test_sends_back_the_whole_draft_that_it_was_given(self, customer: Visitor) -> None:
        draft = (await customer.client.get("/v1/admin/provider-settings/draft")).json()

        saved = await customer.client.put(
            "/v1/admin/provider-settings/draft?actor=eve&reason=tidy", json=draft
        )
        published = await customer.client.post(
            "/v1/admin/provider-settings/publish", json={"actor": "eve", "reason": "tidy"}
        )

        assert saved.status_code == 200
        assert misfits(saved.json(), SETTINGS) == []
        assert published.status_code == 200
        assert misfits(published.json(), {"version": NUMBER, "created_at": TEXT}) == []

    async def test_saves_a_plan_with_the_fields_of_its_form(self, customer: Visitor) -> None:
        form = {
            "display_name": "Team",
            "is_active": True,
            "daily_credits": 200,
            "preview_cost_credits": 1,
            "final_cost_credits": 1,
            "monthly_price_usd": 29.99,
            "ios_product_id": None,
            "android_product_id": None,
            "web_product_id": "team_web",
            "features": ["no_ads"],
        }

        saved = await customer.client.put("/v1/admin/plans/team?actor=eve&reason=new", json=form)

        assert saved.status_code == 200
        assert misfits(saved.json(), PLAN) == []
        assert saved.json()["monthly_price_usd"] == 29.99

    async def test_saves_the_reset_with_the_fields_of_its_form(self, customer: Visitor) -> None:
        form = {
            "enabled": True,
            "reset_hour_utc": 4,
            "reset_minute_utc": 30,
            "free_daily_credits": 5,
            "pro_daily_credits": 90,
        }

        saved = await customer.client.put("/v1/admin/credits/reset-schedule", json=form)

        assert saved.status_code == 200
        assert {name: saved.json()[name] for name in form} == form
