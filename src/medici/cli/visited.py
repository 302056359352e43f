"""A server as its clients see it: requests out, JSON back, a failure for everything else."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias

import aiohttp

# What a server answers is anything until somebody has looked at it.
Answer: TypeAlias = dict[str, Any]

SHOWN = 300  # characters of an unexpected answer
CONNECT_SECONDS = 5.0


class UnexpectedAnswer(Exception):
    """The server did not answer as it should; the message says how."""


FAILURES = (UnexpectedAnswer, aiohttp.ClientError)


def session(patience: float) -> aiohttp.ClientSession:
    """Open a client that waits ``patience`` seconds for an answer."""
    timeout = aiohttp.ClientTimeout(total=patience, sock_connect=CONNECT_SECONDS)
    return aiohttp.ClientSession(timeout=timeout)


@dataclass(slots=True)
class Server:
    """The server that is visited, and the token of whoever is signed in."""

    session: aiohttp.ClientSession
    base: str
    token: str | None = None

    async def get(self, path: str) -> Answer:
        return await _json(self.session.get(self.base + path, headers=self._headers))

    async def post(
        self, path: str, body: Answer | None = None, extra: Mapping[str, str] | None = None
    ) -> Answer:
        headers = {**self._headers, **(extra or {})}
        return await _json(self.session.post(self.base + path, json=body, headers=headers))

    async def upload(self, path: str, name: str, data: bytes) -> Answer:
        """Send one JPEG as a browser's form does."""
        form = aiohttp.FormData()
        form.add_field("file", data, filename=name, content_type="image/jpeg")
        return await _json(self.session.post(self.base + path, data=form, headers=self._headers))

    async def picture(self, url: str) -> bytes:
        """Fetch the picture at an address that the server gave."""
        async with self.session.get(url) as response:
            if response.status != 200 or not response.content_type.startswith("image/"):
                raise UnexpectedAnswer(f"{response.status} {response.content_type} at {url}")
            return await response.read()

    async def events(self, path: str) -> AsyncIterator[str]:
        """Read the data of server-sent events."""
        async with self.session.get(self.base + path, headers=self._headers) as response:
            if response.status != 200:
                raise UnexpectedAnswer(f"{response.status} {(await response.text())[:SHOWN]}")
            async for line in response.content:
                name, _, data = line.decode().strip().partition(": ")
                if name == "data":
                    yield data

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


async def _json(sent: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> Answer:
    async with sent as response:
        body = await response.text()
        if not response.ok:
            raise UnexpectedAnswer(f"{response.status} {body[:SHOWN]}")
        answer: Answer = await response.json()
        return answer
