"""An operator who sets an experiment up and asks for its figures."""

from typing import Any

import pytest
from pydantic import SecretStr

from tests.doors.studio.conftest import Visit
from tests.doors.studio.visitor import Visitor

EXPERIMENTS = "/v1/admin/experiments"
PAYWALL: dict[str, Any] = {
    "name": "Paywall timing",
    "primary_metric": "upgrade_conversion_7d",
    "variants": [
        {"variant_id": "control", "weight": 50, "config": {"paywall_mode": "on_exhaustion"}},
        {"variant_id": "after", "weight": 50, "config": {"paywall_mode": "after_first_preview"}},
    ],
}


@pytest.fixture
async def operator(visit: Visit) -> Visitor:
    """An operator, by token."""
    visitor = await visit("", admin_api_token=SecretStr("right"))
    visitor.client.headers["X-Admin-Token"] = "right"
    return visitor


async def made(operator: Visitor, *, of: str = "paywall", **changes: Any) -> None:
    answer = await operator.client.put(f"{EXPERIMENTS}/{of}", json={**PAYWALL, **changes})
    assert answer.status_code == 200, answer.text


async def get(operator: Visitor, path: str, **query: Any) -> Any:
    answer = await operator.get(EXPERIMENTS + path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()
