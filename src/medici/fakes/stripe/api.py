"""Answering the vendor's way: who may ask, once per idempotency key, expanded, in which shape."""

import re
from base64 import b64decode
from collections.abc import Callable
from typing import TypeAlias

import orjson
from aiohttp import web

from medici.fakes.faults import Fault
from medici.fakes.plane import FaultyHandler
from medici.fakes.stripe.ask import Ask
from medici.fakes.stripe.books import Books, listing
from medici.fakes.stripe.params import Record, decoded
from medici.fakes.stripe.problems import Problem, key_reused, planned, unauthenticated
from medici.fakes.stripe.shapes import NEW_VERSION, is_old, old

Act: TypeAlias = Callable[[Ask], Record | list[Record]]
KEY = re.compile(r"^(?:sk|rk)_(live|test)_\S+$")


class Api:
    """Turns acts on the books into handlers. Successful answers are kept per idempotency key."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._kept: dict[str, tuple[bytes, bytes]] = {}

    def handler(self, act: Act) -> FaultyHandler:
        async def answer(request: web.Request, fault: Fault) -> web.StreamResponse:
            try:
                self._admit(request)
                if refusal := planned(fault):
                    raise refusal
                return await self._once(request, act)
            except Problem as problem:
                return web.json_response(problem.body, status=problem.status)

        return answer

    def _admit(self, request: web.Request) -> None:
        known = KEY.match(_key(request.headers.get("Authorization", "")))
        if known is None:
            raise unauthenticated()
        self._books.livemode = known[1] == "live"

    async def _once(self, request: web.Request, act: Act) -> web.Response:
        raw = await request.read()
        key = request.headers.get("Idempotency-Key")
        if key is None or request.method != "POST":
            return _json(self._carried_out(request, act, raw))
        asked = request.path.encode() + b"?" + raw
        if key in self._kept:
            first, kept = self._kept[key]
            if first != asked:
                raise key_reused(key)
            return _json(kept, headers={"Idempotent-Replayed": "true"})
        body = self._carried_out(request, act, raw)
        self._kept[key] = asked, body
        return _json(body)

    def _carried_out(self, request: web.Request, act: Act, raw: bytes) -> bytes:
        sent = raw.decode() if request.method == "POST" else request.rel_url.raw_query_string
        ask = Ask(
            ids=dict(request.match_info),
            params=decoded(sent),
            base=f"{request.scheme}://{request.host}",
        )
        found = act(ask)
        told = self._paged(ask, found, request.path) if isinstance(found, list) else found
        whole = self._books.told(told, ask.texts("expand"))
        version = request.headers.get("Stripe-Version", NEW_VERSION)
        return orjson.dumps(old(self._books, whole) if is_old(version) else whole)

    def _paged(self, ask: Ask, found: list[Record], url: str) -> Record:
        """Cut a page out of what was found, the newest first."""
        limit = ask.number("limit") or 10
        ids = [each["id"] for each in found]
        after = ask.text("starting_after")
        start = ids.index(after) + 1 if after in ids else 0
        page = found[start : start + limit]
        return listing(page, url, has_more=start + limit < len(found))


def _key(authorization: str) -> str:
    """Return the key, as a bearer token or as the user name that curl sends with ``-u``."""
    scheme, _, given = authorization.partition(" ")
    if scheme == "Basic":
        return b64decode(given).decode(errors="replace").partition(":")[0]
    return given if scheme == "Bearer" else ""


def _json(body: bytes, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=body, content_type="application/json", headers=headers)
