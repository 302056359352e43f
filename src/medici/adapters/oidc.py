"""The public keys of sign-in providers, fetched from where they publish them."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from medici.kernel.clock import Clock
from medici.kernel.errors import Kind, MediciError
from medici.kernel.net.client import Limits, OutgoingClient
from medici.kernel.net.errors import RequestFailed, UnsafeUrl
from medici.settings import OidcIssuer

Jwk: TypeAlias = Mapping[str, object]

LIFETIME = timedelta(hours=24)  # keys are looked up anew at least this often
PATIENCE = timedelta(minutes=1)  # and for a key id that we do not know, at most this often
LIMITS = Limits(seconds=5.0, max_bytes=256 * 1024)


class IssuerUnavailable(MediciError):
    """The issuer does not show us its keys now, so nobody can sign in by it."""

    kind = Kind.UNAVAILABLE
    code = "issuer_unavailable"
    retry_after_seconds = 30.0


class KeySource(Protocol):
    """Where the public keys of an issuer come from."""

    async def keys(self, issuer: OidcIssuer, *, key_id: str | None) -> Sequence[Jwk]:
        """Return the issuer's public keys, looked up anew when ``key_id`` is not among them.

        Raises:
            IssuerUnavailable: no keys are known and the issuer shows none.
        """


@dataclass(slots=True, kw_only=True)
class Issued:
    """What we know of one issuer's keys."""

    keys: tuple[Jwk, ...]
    fetched_at: datetime
    asked_at: datetime  # the last try, whether or not it brought anything

    def serves(self, key_id: str | None, now: datetime) -> bool:
        """Tell whether to be content with these keys; a forged key id may not make us ask on."""
        if now - self.fetched_at >= LIFETIME:
            return False
        known = key_id is None or any(key.get("kid") == key_id for key in self.keys)
        return known or now - self.asked_at < PATIENCE


class PublishedKeys:
    """Keys fetched over the network, through the guarded client, and kept in memory."""

    def __init__(self, client: OutgoingClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._issued: dict[str, Issued] = {}
        self._one_at_a_time: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def keys(self, issuer: OidcIssuer, *, key_id: str | None) -> Sequence[Jwk]:
        async with self._one_at_a_time[issuer.issuer]:
            issued = self._issued.get(issuer.issuer)
            if issued is None or not issued.serves(key_id, self._clock()):
                issued = await self._renew(issuer, issued)
            return issued.keys

    async def _renew(self, issuer: OidcIssuer, issued: Issued | None) -> Issued:
        now = self._clock()
        if issued is not None:
            issued.asked_at = now
        keys = await self._fetch(issuer)
        self._issued[issuer.issuer] = Issued(keys=keys, fetched_at=now, asked_at=now)
        return self._issued[issuer.issuer]

    async def _fetch(self, issuer: OidcIssuer) -> tuple[Jwk, ...]:
        published = await self._document(issuer.jwks_uri or await self._discover(issuer))
        keys = published.get("keys")
        if not isinstance(keys, list):
            raise IssuerUnavailable("the issuer's key document holds no keys")
        return tuple(key for key in keys if isinstance(key, dict))

    async def _discover(self, issuer: OidcIssuer) -> str:
        where = issuer.issuer.rstrip("/") + "/.well-known/openid-configuration"
        document = await self._document(where)
        address = document.get("jwks_uri")
        if document.get("issuer") != issuer.issuer or not isinstance(address, str):
            raise IssuerUnavailable("the discovery document is another issuer's")
        return address

    async def _document(self, url: str) -> Mapping[str, object]:
        try:
            response = await self._client.request("GET", url, limits=LIMITS)
        except (RequestFailed, UnsafeUrl) as error:
            raise IssuerUnavailable(f"the issuer cannot be asked: {error}") from error
        if response.status != 200:
            raise IssuerUnavailable(f"the issuer answered {response.status}")
        return _object(response.body)


def _object(body: bytes) -> Mapping[str, object]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise IssuerUnavailable("the issuer's answer is no JSON") from error
    if not isinstance(document, dict):
        raise IssuerUnavailable("the issuer's answer is no JSON object")
    return document
