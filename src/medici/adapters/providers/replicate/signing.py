"""Knowing the secret of the webhooks: from the settings, or asked for and remembered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.replicate.webhooks import secret_bytes

# A secret can be replaced at the vendor. Forged calls must not make us ask more often than this.
REFRESH_AFTER = timedelta(minutes=1)


@dataclass(slots=True)
class SigningKey:
    """The secret as bytes; ``given`` is the one from the settings, for which nobody is asked."""

    given: str | None = field(default=None, repr=False)
    _known: bytes | None = field(default=None, init=False, repr=False)
    _asked_at: datetime | None = field(default=None, init=False)

    async def known(self, fetch: Callable[[], Awaitable[str]], now: datetime) -> bytes:
        """Return the secret.

        Raises:
            ProviderFailure: it cannot be had.
        """
        if self._known is not None:
            return self._known
        return await self._learn(fetch, now)

    async def renewed(self, fetch: Callable[[], Awaitable[str]], now: datetime) -> bytes | None:
        """Return the secret as the vendor has it now; None if it was asked for just before."""
        if self.given or (self._asked_at and now - self._asked_at < REFRESH_AFTER):
            return None
        return await self._learn(fetch, now)

    async def _learn(self, fetch: Callable[[], Awaitable[str]], now: datetime) -> bytes:
        self._asked_at = now
        secret = self.given or await fetch()
        try:
            self._known = secret_bytes(secret)
        except ValueError as error:
            raise ProviderFailure(FailureCode.AUTH, str(error)) from error
        return self._known
