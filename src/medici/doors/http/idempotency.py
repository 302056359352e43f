"""Retrying is safe: a request with an ``Idempotency-Key`` takes effect once.

The answer is stored in the transaction of its effect, so a crash leaves both or neither. A twin
that is still running is refused with 409, the same key with another request with 422, and a
repetition gets the first answer again, whether that was a success or a refusal. Faults of ours
and refusals at the gate (401, 403, 429) are not answers: the repetition runs.

Only routes whose work is in ``DbSession`` are covered. Routes that hand out secrets, such as
sign-in, must not use ``IdempotentRoute``: the answer is stored as it is.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, cast

from fastapi import Request
from fastapi.routing import APIRoute
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction
from starlette.responses import Response

from medici.doors.http import idempotency_store
from medici.doors.http.context import caller_of, resources_of
from medici.doors.http.errors import failure_of, failure_response
from medici.doors.http.headers import IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED
from medici.doors.http.idempotency_store import Claim, KeyInProgress
from medici.doors.http.middlewares.proxies import client_address
from medici.doors.http.models import IdempotencyKey
from medici.kernel.db.following import AFTER_COMMIT
from medici.kernel.errors import Kind, MediciError

METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_KEY_LENGTH = 255
NO_ANSWER = frozenset({401, 403, 429})  # says who may ask and how often, not what came of it
CREDENTIALS = ("authorization", "x-admin-token", "x-api-key")
ATTEMPT = "idempotent_attempt"

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class KeyInvalid(MediciError):
    kind = Kind.INVALID
    code = "idempotency_key_invalid"

    def __init__(self) -> None:
        super().__init__(f"an Idempotency-Key is 1 to {MAX_KEY_LENGTH} printable characters")


class _Replay(Exception):
    """Leads from the opening of the session straight to the stored answer."""

    def __init__(self, known: IdempotencyKey) -> None:
        super().__init__()
        self.response = Response(
            known.body, known.status, {**known.headers, IDEMPOTENCY_REPLAYED: "true"}
        )


@dataclass(frozen=True, slots=True)
class _Begun:
    """A claimed request at work: its transaction, and the part of it that a refusal undoes."""

    claim: Claim
    session: AsyncSession
    work: AsyncSessionTransaction


class Attempt:
    """One try at a request that carries a key; it lives as long as the request."""

    def __init__(self, request: Request, key: str, body: bytes) -> None:
        self._request = request
        self._key = key
        self._body = body
        self._begun: _Begun | None = None

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Open the request's transaction, unless the request was answered before or is running."""
        resources = resources_of(self._request)
        # Made here, because by now the caller has been recognised.
        claim = Claim(_identity(self._request), self._key, _fingerprint(self._request, self._body))
        with _alone(claim, self._request.app.state.claims_running):
            async with resources.database.transaction() as session:
                await idempotency_store.lock(session, claim)
                known = await idempotency_store.stored(session, claim, now=resources.now())
                if known is not None:
                    raise _Replay(known)
                self._begun = _Begun(claim, session, await session.begin_nested())
                yield session

    async def answered(self, response: Response) -> None:
        """Store an answer beside its effect; both are committed as the route is left."""
        if self._begun is not None and _is_answer(response):
            now = resources_of(self._request).now()
            await idempotency_store.remember(
                self._begun.session, self._begun.claim, response, now=now
            )

    async def refused(self, error: MediciError) -> Response:
        """Undo the work and store the refusal as the answer.

        Raises:
            MediciError: the same again, where it is no answer to the request.
        """
        response = failure_response(self._request.scope, failure_of(error))
        if self._begun is None or not _is_answer(response):
            raise error
        await self._begun.work.rollback()
        self._begun.session.info.pop(AFTER_COMMIT, None)
        await self.answered(response)
        return response


class IdempotentRoute(APIRoute):
    """A route that honours ``Idempotency-Key`` where it changes something."""

    def get_route_handler(self) -> Handler:
        """Wrap FastAPI's handler; the wrapper runs inside the scope of ``DbSession``."""
        plain = super().get_route_handler()
        if not METHODS & (self.methods or set()):
            return plain

        async def handle(request: Request) -> Response:
            key = request.headers.get(IDEMPOTENCY_KEY)
            if key is None:
                return await plain(request)
            if not 0 < len(key) <= MAX_KEY_LENGTH or not (key.isascii() and key.isprintable()):
                raise KeyInvalid
            attempt = Attempt(request, key, await request.body())
            setattr(request.state, ATTEMPT, attempt)
            return await _perform(attempt, plain, request)

        return handle


def attempt_of(request: Request) -> Attempt | None:
    """Return the attempt that this request is; None where it carries no key."""
    return cast("Attempt | None", getattr(request.state, ATTEMPT, None))


async def _perform(attempt: Attempt, plain: Handler, request: Request) -> Response:
    try:
        response = await plain(request)
    except _Replay as replay:
        return replay.response
    except MediciError as error:
        return await attempt.refused(error)
    await attempt.answered(response)
    return response


@contextmanager
def _alone(claim: Claim, running: set[tuple[str, str]]) -> Iterator[None]:
    """Refuse a twin in this process at once, rather than have it wait for its turn."""
    name = (claim.identity, claim.key)
    if name in running:
        raise KeyInProgress
    running.add(name)
    try:
        yield
    finally:
        running.discard(name)


def _is_answer(response: Response) -> bool:
    whole = isinstance(getattr(response, "body", None), bytes)  # a stream cannot be repeated
    return whole and response.status_code < 500 and response.status_code not in NO_ANSWER


def _identity(request: Request) -> str:
    """Return a hash of who asks: the recognised caller, else the credential, else the address."""
    caller = caller_of(request)
    sent = [request.headers[name] for name in CREDENTIALS if name in request.headers]
    who = ["caller", caller] if caller else ["sent", *sent] if sent else _address(request)
    return _hash(*(part.encode("latin-1", "backslashreplace") for part in who))


def _address(request: Request) -> list[str]:
    return ["anonymous", client_address(request.scope)]


def _fingerprint(request: Request, body: bytes) -> str:
    query = request.scope["query_string"]
    return _hash(request.method.encode(), request.scope["path"].encode(), query, body)


def _hash(*parts: bytes) -> str:
    # Hashed one by one, so that no part can spill over into the next.
    each = b"".join(hashlib.sha256(part).digest() for part in parts)
    return hashlib.sha256(each).hexdigest()
