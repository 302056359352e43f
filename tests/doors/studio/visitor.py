"""Somebody who uses the studio's API, signed in or not."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
from fastapi import FastAPI

from tests.support.pixels import PHOTO


@dataclass(frozen=True)
class Visitor:
    """A client of an app, and whose token it sends; "" is nobody's."""

    client: httpx.AsyncClient
    app: FastAPI
    user_id: str

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.get(path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.client.post(path, **options)

    async def upload(self, data: bytes = PHOTO, **headers: str) -> httpx.Response:
        files = {"file": ("room.jpg", data, "image/jpeg")}
        return await self.post("/v1/uploads", files=files, headers=headers)

    async def image_url(self) -> str:
        """Upload a photo and return its address."""
        uploaded = await self.upload()
        assert uploaded.status_code == 201, uploaded.text
        return str(uploaded.json()["image_url"])

    async def order(self, image_url: str | None = None, **changes: Any) -> httpx.Response:
        """Order a preview of an uploaded photo, unless told otherwise; None leaves a field out."""
        body = {
            "project_id": "home",
            "style_id": "modern",
            "operation": "restyle",
            "image_url": image_url or await self.image_url(),
            **changes,
        }
        named = {name: value for name, value in body.items() if value is not None}
        # As any client may write it: with escapes, so that odd characters can be sent, too.
        return await self.post(
            "/v1/ai/render-jobs",
            content=json.dumps(named),
            headers={"Content-Type": "application/json"},
        )

    async def status(self, job_id: str) -> dict[str, Any]:
        answer = await self.get(f"/v1/ai/render-jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def balance(self) -> int:
        answer = await self.get(f"/v1/credits/balance/{self.user_id}")
        assert answer.status_code == 200, answer.text
        return int(answer.json()["balance"])
