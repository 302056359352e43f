"""Knowing the secret of the webhooks: from the settings, or asked for and remembered."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.replicate.webhooks import secret_bytes

# A secret can be replaced at the vendor. Forged calls must not make us ask more often than this.
REFRESH_AFTER = timedelta(minutes=1)
Fetch: TypeAlias = Callable[[], Awaitable[str]]


@dataclass(slots=True)
class SigningKey:
    """The secret as bytes; ``given`` is the one from the settings, for which nobody is asked.

    Calls that come at once wait for one answer.
    """

    given: str | None = field(default=None, repr=False)
    _known: bytes = field(default=b"", init=False, repr=False)
    _asked_at: datetime | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    async def known(self, fetch: Fetch, now: datetime) -> bytes:
        """Return the secret.

        Raises:
            ProviderFailure: it cannot be had.
        """
        if self._is_known():
            return self._known
        async with self._turn:
            return self._known if self._is_known() else await self._learn(fetch, now)

    async def renewed(self, fetch: Fetch, now: datetime, *, instead_of: bytes) -> bytes | None:
        """Return the secret as the vendor has it now; None if that of just before did not help."""
        async with self._turn:
            if self._known != instead_of:
                return self._known
            if self.given or (self._asked_at and now - self._asked_at < REFRESH_AFTER):
                return None
            return await self._learn(fetch, now)

    def _is_known(self) -> bool:
        return bool(self._known)

    async def _learn(self, fetch: Fetch, now: datetime) -> bytes:
        self._asked_at = now
        secret = self.given or await fetch()
        try:
            self._known = secret_bytes(secret)
        except ValueError as error:
            raise ProviderFailure(FailureCode.AUTH, str(error)) from error
        return self._known
