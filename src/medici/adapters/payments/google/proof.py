"""Proving that a push comes from our Pub/Sub subscription: an ID token that Google signed."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite

import jwt

from medici.adapters.oidc import Jwk, KeySource
from medici.adapters.payments.errors import TokenRefused
from medici.settings import OidcIssuer

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
ALGORITHM = "RS256"
# Headers that tell a verifier where to find keys, or to understand what it does not.
POISON_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"})
SKEW_SECONDS = 60
MOST_CHARACTERS = 16_384
OPTIONS: "jwt.types.Options" = {
    "require": ["iss", "aud", "exp", "iat"],
    # Times are judged by our clock rather than the library's.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "strict_aud": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PushIdentity:
    """Who pushes: the service account of the subscription, for the audience that it was given.

    ``certs_url`` is where Google publishes its keys.
    """

    service_account: str
    audience: str
    certs_url: str

    async def check(self, token: str, keys: KeySource, *, now: datetime) -> None:
        """Accept a token that Google signed just now for this identity.

        Raises:
            TokenRefused: whatever is wrong with it.
            IssuerUnavailable: Google's keys are not known and cannot be had.
        """
        key_id = _key_id(token)
        issuer = OidcIssuer(issuer=ISSUERS[0], audience=self.audience, jwks_uri=self.certs_url)
        claims = self._verified(token, _key(await keys.keys(issuer, key_id=key_id), key_id))
        _check_times(claims, now.timestamp())
        if claims.get("email") != self.service_account or claims.get("email_verified") is not True:
            raise TokenRefused("the token is another account's")

    def _verified(self, token: str, key: Jwk) -> Mapping[str, object]:
        try:
            claims: Mapping[str, object] = jwt.decode(
                token,
                jwt.PyJWK(dict(key), ALGORITHM),
                algorithms=[ALGORITHM],
                audience=self.audience,
                issuer=ISSUERS,
                options=OPTIONS,
            )
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise TokenRefused(f"not verified: {type(error).__name__}") from error
        return claims


def bearer(authorization: str | None) -> str:
    """Return the token of an Authorization header.

    Raises:
        TokenRefused: there is none.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise TokenRefused("a bearer token is missing")
    return token


def _key_id(token: str) -> str:
    """Return which key a token names, after refusing what no token of Google's looks like."""
    if len(token) > MOST_CHARACTERS or not token.isascii() or not _is_canonical(token):
        raise TokenRefused("this is no token")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise TokenRefused(f"unreadable: {type(error).__name__}") from error
    key_id = header.get("kid")
    if header.get("alg") != ALGORITHM or header.get("typ") not in (None, "JWT"):
        raise TokenRefused("the algorithm or type is not accepted")
    if POISON_HEADERS & header.keys() or not isinstance(key_id, str):
        raise TokenRefused("the header asks for something that is not accepted")
    return key_id


def _is_canonical(token: str) -> bool:
    """Tell whether no bit is left that could be altered without the signature noticing."""
    try:
        return all(_rewritten(part) == part for part in token.split("."))
    except ValueError:
        return False


def _rewritten(part: str) -> str:
    read = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    return urlsafe_b64encode(read).rstrip(b"=").decode()


def _key(keys: Sequence[Jwk], key_id: str) -> Jwk:
    fitting = [
        key
        for key in keys
        if key.get("kid") == key_id
        and key.get("kty") == "RSA"
        and key.get("use") in (None, "sig")
        and key.get("alg") in (None, ALGORITHM)
    ]
    if len(fitting) != 1:
        raise TokenRefused(f"{len(fitting)} of Google's keys fit")
    return fitting[0]


def _check_times(claims: Mapping[str, object], now: float) -> None:
    if _seconds(claims, "exp") <= now - SKEW_SECONDS:
        raise TokenRefused("the token has expired")
    for name in ("iat", "nbf"):
        if name in claims and _seconds(claims, name) >= now + SKEW_SECONDS:
            raise TokenRefused("the token is from the future")


def _seconds(claims: Mapping[str, object], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise TokenRefused(f"{name} is no number")
    return value
