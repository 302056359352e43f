"""What a relay would tell, and a visitor's words for it."""

from typing import Any

import httpx

from tests.doors.studio.visitor import Visitor

PRODUCTS = {
    "storekit": "pro_monthly_ios",
    "google-play": "pro_monthly_android",
    "web-billing": "pro_monthly_web",
}
MONTH_ON = "2026-12-24T12:00:00Z"


async def relay(
    visitor: Visitor, event_id: str, route: str = "web-billing", **said: Any
) -> httpx.Response:
    """Tell of ada's month, unless said otherwise."""
    usual = {"user_id": "ada", "product_id": PRODUCTS[route], "expires_at": MONTH_ON}
    body = {"event_id": event_id, **usual, **said}
    answer = await visitor.post(f"/v1/webhooks/{route}", json=body)
    assert answer.status_code == 200, answer.text
    return answer


async def all_pages(visitor: Visitor, path: str, **query: Any) -> list[list[dict[str, Any]]]:
    """Follow X-Next-Cursor to the end."""
    pages: list[list[dict[str, Any]]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {**query, **({"cursor": cursor} if cursor else {})}
        answer = await visitor.get(path, params=params)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        cursor = answer.headers.get("X-Next-Cursor")
    return pages
