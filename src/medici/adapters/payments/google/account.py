"""Our service account, and the access tokens that Google gives it."""

import asyncio
import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, ValidationError

from medici.adapters.payments.errors import StoreUnavailable
from medici.kernel.net.client import Limits, OutgoingClient
from medici.kernel.net.errors import RequestFailed, UnsafeUrl

SCOPE = "https://www.googleapis.com/auth/androidpublisher"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIMITS = Limits(seconds=15, max_bytes=64 * 1024)
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ASSERTION_SECONDS = 3600
SPARE = timedelta(minutes=1)  # how long before its end a token is replaced


class KeyFile(BaseModel):
    """What the file of a service account's key holds, as far as it is needed."""

    client_email: str
    private_key: str
    private_key_id: str | None = None
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


class Granted(BaseModel):
    access_token: str
    expires_in: int = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """Who asks."""

    email: str
    key: RSAPrivateKey = field(repr=False)
    key_id: str | None
    token_uri: str

    @classmethod
    def of(cls, text: str) -> "ServiceAccount":
        """Take the key file's content, or the path to it.

        Raises:
            ValueError: it is no key file of a service account.
        """
        content = text if text.lstrip().startswith("{") else Path(text.strip()).read_text()
        read = KeyFile.model_validate_json(content)
        key = load_pem_private_key(read.private_key.encode(), password=None)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("a service account's key is RSA")
        return cls(
            email=read.client_email,
            key=key,
            key_id=read.private_key_id,
            token_uri=read.token_uri,
        )

    def assertion(self, now: datetime) -> str:
        """Sign who we are and what we want."""
        issued_at = int(now.timestamp())
        claims = {
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_uri,
            "iat": issued_at,
            "exp": issued_at + ASSERTION_SECONDS,
        }
        headers = {"kid": self.key_id} if self.key_id else None
        return jwt.encode(claims, self.key, "RS256", headers=headers)


class AccessTokens:
    """The token in use, renewed shortly before it ends. Calls that come at once share one."""

    def __init__(self, outgoing: OutgoingClient, account: ServiceAccount) -> None:
        self._outgoing = outgoing
        self._account = account
        self._token: str | None = None
        self._until: datetime | None = None
        self._turn = asyncio.Lock()

    async def token(self, now: datetime) -> str:
        """Return a token that is good for now.

        Raises:
            StoreUnavailable: Google gives none.
        """
        async with self._turn:
            if self._token is None or self._until is None or now >= self._until:
                granted = await self._granted(now)
                self._token = granted.access_token
                self._until = now + timedelta(seconds=granted.expires_in) - SPARE
            return self._token

    def forget(self, token: str) -> None:
        """Use a token no more that Google did not take; a newer one stays."""
        if self._token == token:
            self._token = None

    async def _granted(self, now: datetime) -> Granted:
        form = {"grant_type": GRANT, "assertion": self._account.assertion(now)}
        try:
            answer = await self._outgoing.request(
                "POST",
                self._account.token_uri,
                limits=LIMITS,
                headers=FORM,
                body=urlencode(form).encode(),
            )
        except (RequestFailed, UnsafeUrl) as error:
            raise StoreUnavailable(f"Google's tokens cannot be had: {error}") from error
        if answer.status != 200:
            raise StoreUnavailable(f"Google gives no token: {answer.status}{_why(answer.body)}")
        try:
            return Granted.model_validate_json(answer.body)
        except ValidationError as error:
            raise StoreUnavailable("Google's token cannot be read") from error


def _why(body: bytes) -> str:
    """Return Google's word for a refusal, which tells a wrong clock from a wrong key."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error = said.get("error") if isinstance(said, dict) else None
    return f" ({error[:64]})" if isinstance(error, str) else ""
