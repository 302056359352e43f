"""Google's pushes for tests, honest ones and more than forty kinds of altered ones."""

import base64
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any, TypeAlias

import jwt
from cryptography.hazmat.primitives import serialization

from medici.adapters.oidc import Jwk
from medici.fakes.google_play.app import Wanted, pushed
from medici.fakes.google_play.identity import PUSHER, Google, new_key
from medici.fakes.google_play.shop import Shop
from medici.fakes.plane import Plane
from medici.settings import OidcIssuer

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
AUDIENCE = "https://medici.example/v1/webhooks/google-play"
PACKAGE = "com.example.medici"
CERTS_URL = "https://google.example/certs"
ACCOUNT = "0b7c1e2a-5d3f-4a6b-9c8d-7e6f5a4b3c2d"


@cache
def google() -> Google:
    """Return one Google for the whole run; making keys takes time."""
    return Google()


@cache
def other_google() -> Google:
    """Return one that nobody trusts, whose key has the same name."""
    return Google()


@dataclass
class Published:
    """The keys that Google publishes, without a network."""

    google: Google = field(default_factory=google)

    async def keys(self, issuer: OidcIssuer, *, key_id: str | None) -> Sequence[Jwk]:
        keys: Sequence[Jwk] = self.google.certs["keys"]
        return keys


@dataclass(frozen=True, kw_only=True)
class Push:
    """What arrives at a door: a body, the Authorization header, and the query's token."""

    body: bytes
    authorization: str | None = None
    token: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pusher:
    """Makes honest pushes, and the parts to alter."""

    google: Google = field(default_factory=google)
    at: datetime = NOW
    audience: str = AUDIENCE
    notification: Mapping[str, Any] = field(
        default_factory=lambda: {
            "subscriptionNotification": {
                "version": "1.0",
                "notificationType": 2,
                "purchaseToken": "token-1",
                "subscriptionId": "pro_monthly_android",
            }
        }
    )
    message_id: str = "message-1"

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Return the token's claims; what is None is taken out."""
        every = self.google.push_claims(self.audience, self.at) | changed
        return {name: value for name, value in every.items() if value is not None}

    def token(self, **changed: Any) -> str:
        return self.google.push_token(self.claims(**changed))

    @property
    def body(self) -> bytes:
        plane = Plane()
        plane.advance(self.at - plane.now())
        wanted = Wanted(
            url=self.audience, notification=dict(self.notification), message_id=self.message_id
        )
        return json.dumps(pushed(Shop(plane=plane, google=self.google), wanted)).encode()

    def push(self, **changed: Any) -> Push:
        """Push honestly, apart from the claims that are changed."""
        return self.bearing(self.token(**changed))

    def bearing(self, token: str) -> Push:
        return Push(body=self.body, authorization=f"Bearer {token}")


Alter: TypeAlias = Callable[[Pusher], Push]


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_header(pusher: Pusher, **changed: Any) -> Push:
    """Alter the token's header and leave the rest; what is None is taken out."""
    head, payload, signature = pusher.token().split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "==")) | changed
    kept = {name: value for name, value in header.items() if value is not None}
    return pusher.bearing(f"{unpadded(json.dumps(kept).encode())}.{payload}.{signature}")


def signed_with_header(pusher: Pusher, **headers: Any) -> Push:
    """Sign properly under a header of other fields."""
    named = {"kid": pusher.google.key_id, **headers}
    kept = {name: value for name, value in named.items() if value is not None}
    return pusher.bearing(
        jwt.encode(pusher.claims(), pusher.google.push_key, "RS256", headers=kept)
    )


def signed_as_it_is(pusher: Pusher, **changed: Any) -> Push:
    """Sign claims that no honest encoder would write."""
    claims = json.dumps(pusher.claims(**changed)).encode()
    headers = {"kid": pusher.google.key_id}
    return pusher.bearing(jwt.PyJWS().encode(claims, pusher.google.push_key, "RS256", headers))


def with_signature(pusher: Pusher, alter: Callable[[bytes], bytes]) -> Push:
    head, payload, signature = pusher.token().split(".")
    altered = alter(base64.urlsafe_b64decode(signature + "=="))
    return pusher.bearing(f"{head}.{payload}.{unpadded(altered)}")


def with_claims(pusher: Pusher, **changed: Any) -> Push:
    """Alter the claims under the honest signature."""
    head, _, signature = pusher.token().split(".")
    claims = unpadded(json.dumps(pusher.claims(**changed)).encode())
    return pusher.bearing(f"{head}.{claims}.{signature}")


def symmetric(pusher: Pusher) -> Push:
    """Sign with HS256, under the public key that everybody can see."""
    public = pusher.google.push_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = {"alg": "HS256", "kid": pusher.google.key_id, "typ": "JWT"}
    signed = (
        f"{unpadded(json.dumps(header).encode())}.{unpadded(json.dumps(pusher.claims()).encode())}"
    )
    mac = hmac.digest(public, signed.encode(), sha256)
    return pusher.bearing(f"{signed}.{unpadded(mac)}")


def unsigned(pusher: Pusher) -> Push:
    return pusher.bearing(jwt.encode(pusher.claims(), "", "none"))


def uncanonical(pusher: Pusher) -> Push:
    """Change the bits at the end of the signature that no decoder reads."""
    token = pusher.token()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return pusher.bearing(token[:-1] + alphabet[alphabet.index(token[-1]) ^ 1])


def by_another_key(pusher: Pusher) -> Push:
    return pusher.bearing(
        jwt.encode(pusher.claims(), new_key(), "RS256", headers={"kid": pusher.google.key_id})
    )


def spelled(pusher: Pusher, authorization: str | None, token: str | None = None) -> Push:
    return Push(body=pusher.body, authorization=authorization, token=token)


def aged(pusher: Pusher, **by: float) -> Push:
    return replace(pusher, at=pusher.at + timedelta(**by)).push()


ALTERED: Mapping[str, Alter] = {
    # The header of the request
    "no header": lambda pusher: spelled(pusher, None),
    "empty header": lambda pusher: spelled(pusher, ""),
    "no token": lambda pusher: spelled(pusher, "Bearer "),
    "no scheme": lambda pusher: spelled(pusher, pusher.token()),
    "another scheme": lambda pusher: spelled(pusher, f"Basic {pusher.token()}"),
    "token in the query": lambda pusher: spelled(pusher, None, pusher.token()),
    "secret in the query": lambda pusher: spelled(pusher, None, "a secret of before"),
    "secret as the token": lambda pusher: spelled(pusher, "Bearer a secret of before"),
    "two tokens": lambda pusher: spelled(pusher, f"Bearer {pusher.token()}, Bearer x"),
    # The form of the token
    "two parts": lambda pusher: pusher.bearing(pusher.token().rpartition(".")[0]),
    "four parts": lambda pusher: pusher.bearing(pusher.token() + ".e30"),
    "no signature": lambda pusher: pusher.bearing(pusher.token().rpartition(".")[0] + "."),
    "garbled": lambda pusher: pusher.bearing("a.b.c"),
    "padding": lambda pusher: pusher.bearing(pusher.token() + "="),
    "a space": lambda pusher: pusher.bearing(pusher.token() + " "),
    "half a surrogate": lambda pusher: pusher.bearing(pusher.token() + "\ud800"),
    "unread bits": uncanonical,
    "huge": lambda pusher: pusher.bearing("a" * 100_000 + ".b.c"),
    # The signature
    "signature zero": lambda pusher: with_signature(pusher, lambda _: bytes(256)),
    "signature first bit": lambda pusher: with_signature(
        pusher, lambda read: bytes([read[0] ^ 1]) + read[1:]
    ),
    "signature last bit": lambda pusher: with_signature(
        pusher, lambda read: read[:-1] + bytes([read[-1] ^ 1])
    ),
    "signature short": lambda pusher: with_signature(pusher, lambda read: read[:-1]),
    "signature long": lambda pusher: with_signature(pusher, lambda read: read + b"\0"),
    "another key": by_another_key,
    "another Google": lambda pusher: replace(pusher, google=other_google()).push(),
    "claims altered": lambda pusher: with_claims(pusher, sub="1"),
    # The token's header
    "alg none": unsigned,
    "alg none over a signature": lambda pusher: with_header(pusher, alg="none"),
    "alg missing": lambda pusher: with_header(pusher, alg=None),
    "alg HS256 under the public key": symmetric,
    "alg RS512": lambda pusher: with_header(pusher, alg="RS512"),
    "alg PS256": lambda pusher: with_header(pusher, alg="PS256"),
    "another type": lambda pusher: signed_with_header(pusher, typ="at+jwt"),
    "no key id": lambda pusher: signed_with_header(pusher, kid=None),
    "unknown key id": lambda pusher: signed_with_header(pusher, kid="of another issuer"),
    "key id of a path": lambda pusher: signed_with_header(pusher, kid="../../etc/passwd"),
    "key id of SQL": lambda pusher: signed_with_header(pusher, kid="' OR 1=1 --"),
    "key id no text": lambda pusher: with_header(pusher, kid=7),
    "keys elsewhere": lambda pusher: signed_with_header(pusher, jku="https://evil.example/keys"),
    "certificate elsewhere": lambda pusher: signed_with_header(pusher, x5u="https://evil.example"),
    "key in the header": lambda pusher: signed_with_header(pusher, jwk={"kty": "RSA"}),
    "nothing critical": lambda pusher: with_header(pusher, crit=[]),
    # The claims
    "another issuer": lambda pusher: pusher.push(iss="https://accounts.example.com"),
    "issuer as a list": lambda pusher: signed_as_it_is(pusher, iss=["https://accounts.google.com"]),
    "no issuer": lambda pusher: pusher.push(iss=None),
    "another audience": lambda pusher: pusher.push(aud="https://medici.example/other"),
    "several audiences": lambda pusher: pusher.push(aud=[AUDIENCE, "https://other.example"]),
    "no audience": lambda pusher: pusher.push(aud=None),
    "another account": lambda pusher: pusher.push(email="other@fake.iam.gserviceaccount.com"),
    "no account": lambda pusher: pusher.push(email=None),
    "account in capitals": lambda pusher: pusher.push(email=PUSHER.upper()),
    "account not verified": lambda pusher: pusher.push(email_verified=False),
    "account verified in words": lambda pusher: pusher.push(email_verified="true"),
    "no end": lambda pusher: pusher.push(exp=None),
    "end no number": lambda pusher: pusher.push(exp="tomorrow"),
    "end never": lambda pusher: pusher.push(exp=float("inf")),
    "no beginning": lambda pusher: pusher.push(iat=None),
    "expired": lambda pusher: aged(pusher, hours=-1, seconds=-61),
    "from the future": lambda pusher: aged(pusher, minutes=3),
    "not valid yet": lambda pusher: pusher.push(nbf=int(pusher.at.timestamp()) + 180),
}
