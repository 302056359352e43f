"""An operator who sets experiments up: what to call, and what is sent."""

from typing import Any

import httpx

from tests.doors.studio.visitor import Visitor

EXPERIMENTS = "/v1/admin/experiments"
PAYWALL: dict[str, Any] = {
    "name": "Paywall timing",
    "primary_metric": "upgrade_conversion_7d",
    "guardrails": {"render_success_rate_min": 85},
    "variants": [
        {"variant_id": "control", "weight": 50, "config": {"paywall_mode": "on_exhaustion"}},
        {"variant_id": "after", "weight": 50, "config": {"paywall_mode": "after_first_preview"}},
    ],
}


def changing(variant: int, **changes: Any) -> dict[str, Any]:
    """Return the set-up with one variant changed."""
    variants = [dict(each) for each in PAYWALL["variants"]]
    variants[variant] |= changes
    return {**PAYWALL, "variants": variants}


async def put(
    operator: Visitor, body: Any = None, *, of: str = "paywall", **options: Any
) -> httpx.Response:
    sent = PAYWALL if body is None else body
    return await operator.client.put(f"{EXPERIMENTS}/{of}", json=sent, **options)


async def made(operator: Visitor, *, of: str = "paywall", **changes: Any) -> dict[str, Any]:
    answer = await put(operator, {**PAYWALL, **changes}, of=of)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def get(operator: Visitor, path: str = "", **query: Any) -> Any:
    answer = await operator.get(EXPERIMENTS + path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()
