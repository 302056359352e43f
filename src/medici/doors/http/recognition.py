"""Recognising tokens: the look-ups of requests that come together share one statement."""

from collections.abc import Sequence
from typing import cast

from fastapi import Request

from medici.domain.identity import queries
from medici.domain.identity.principal import Principal
from medici.doors.http.context import resources_of
from medici.kernel.db.group import Batcher
from medici.resources import Resources

RECOGNITION = "token_recognition"


class Recognition:
    """Asks the database about every token anew, so that a session that was ended is ended."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._batcher: Batcher[str, Principal | None] = Batcher(self._together)

    async def principal(self, token_hash: str) -> Principal | None:
        """Return whom a token speaks for; None when it is unknown, expired, revoked or disabled."""
        return await self._batcher.submit(token_hash)

    async def _together(self, token_hashes: Sequence[str]) -> Sequence[Principal | None]:
        now = self._resources.now()
        known = await self._resources.database.look(
            lambda driver: queries.authenticated_many(driver, token_hashes, now=now)
        )
        return [known.get(token_hash) for token_hash in token_hashes]


def recognition_of(request: Request) -> Recognition:
    """Return the recognition of this process."""
    state = request.app.state
    if not hasattr(state, RECOGNITION):
        setattr(state, RECOGNITION, Recognition(resources_of(request)))
    return cast("Recognition", getattr(state, RECOGNITION))
