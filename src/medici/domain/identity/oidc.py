"""Proof by somebody else: an ID token of a configured issuer, checked claim by claim."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import TypeAlias

import jwt

from medici.domain.identity.errors import InvalidIdToken
from medici.settings import OidcIssuer

Jwk: TypeAlias = Mapping[str, object]

# What each accepted algorithm needs of its key. The token picks among these, never beyond them.
KEY_SHAPES: Mapping[str, tuple[str, str | None]] = {
    "RS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
TOKEN_TYPES = (None, "JWT")
# Headers that tell a verifier where to find keys, or to understand what it does not.
POISON_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "crit", "b64", "zip", "enc"})
CLOCK_SKEW_SECONDS = 30
MAX_TOKEN_LENGTH = 16_384


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A person, as an issuer names them."""

    issuer: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """What a token says of itself, not yet believed."""

    token: str
    issuer: OidcIssuer
    audiences: frozenset[str]  # of every entry with this issuer
    algorithm: str
    key_id: str | None


def present(token: str, issuers: Sequence[OidcIssuer]) -> Presented:
    """Find out whose token this claims to be, so that the right keys can be looked up.

    Raises:
        InvalidIdToken: unreadable, of an unknown issuer, or with a header that we never follow.
    """
    header, claimed = _unverified(token)
    entries = [entry for entry in issuers if entry.issuer == claimed.get("iss")]
    algorithm = header.get("alg")
    if not entries:
        raise InvalidIdToken("the issuer is not configured")
    if not isinstance(algorithm, str) or algorithm not in KEY_SHAPES:
        raise InvalidIdToken("the algorithm is not accepted")
    if POISON_HEADERS & header.keys() or header.get("typ") not in TOKEN_TYPES:
        raise InvalidIdToken("the header asks for something that is not accepted")
    return Presented(
        token=token,
        issuer=entries[0],
        audiences=frozenset(entry.audience for entry in entries),
        algorithm=algorithm,
        key_id=_text(header.get("kid")),
    )


def verify(presented: Presented, keys: Sequence[Jwk], *, now: datetime) -> Subject:
    """Check signature and claims against the issuer's keys.

    Raises:
        InvalidIdToken: whatever is wrong with it; the message names it, the code does not.
    """
    key = _key_for(presented, keys)
    try:
        # Times are judged below, by our clock rather than the library's.
        claims = jwt.decode(
            presented.token,
            jwt.PyJWK(dict(key), presented.algorithm),
            algorithms=[presented.algorithm],
            audience=presented.audiences,
            issuer=presented.issuer.issuer,
            options={
                "require": ["iss", "aud", "exp", "iat", "sub"],
                "verify_exp": False,
                "verify_nbf": False,
                "verify_iat": False,
                "enforce_minimum_key_length": True,
            },
        )
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise InvalidIdToken(f"not verified: {type(error).__name__}") from error
    _check_times(claims, now.timestamp())
    _check_party(claims, presented.audiences)
    return Subject(issuer=presented.issuer.issuer, name=_subject(claims))


def _unverified(token: str) -> tuple[Mapping[str, object], Mapping[str, object]]:
    if len(token) > MAX_TOKEN_LENGTH:
        raise InvalidIdToken("too long")
    try:
        read = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise InvalidIdToken(f"unreadable: {type(error).__name__}") from error
    return read["header"], read["payload"]


def _key_for(presented: Presented, keys: Sequence[Jwk]) -> Jwk:
    """Return the one key that may have signed this token."""
    fitting = [key for key in keys if _fits(key, presented)]
    if len(fitting) != 1:
        raise InvalidIdToken(f"{len(fitting)} keys of the issuer fit")
    return fitting[0]


def _fits(key: Jwk, presented: Presented) -> bool:
    kind, curve = KEY_SHAPES[presented.algorithm]
    return (
        (presented.key_id is None or key.get("kid") == presented.key_id)
        and key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("use") in (None, "sig")
        and key.get("alg") in (None, presented.algorithm)
    )


def _check_times(claims: Mapping[str, object], now: float) -> None:
    if _seconds(claims, "exp") <= now - CLOCK_SKEW_SECONDS:
        raise InvalidIdToken("expired")
    if _seconds(claims, "iat") > now + CLOCK_SKEW_SECONDS:
        raise InvalidIdToken("issued in the future")
    if "nbf" in claims and _seconds(claims, "nbf") > now + CLOCK_SKEW_SECONDS:
        raise InvalidIdToken("not valid yet")


def _check_party(claims: Mapping[str, object], audiences: frozenset[str]) -> None:
    # A token for several audiences must have been asked for by one of ours.
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if several and claims.get("azp") not in audiences:
        raise InvalidIdToken("made for another party")


def _seconds(claims: Mapping[str, object], name: str) -> float:
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise InvalidIdToken(f"{name} is no number")
    return value


def _subject(claims: Mapping[str, object]) -> str:
    name = claims["sub"]
    if not isinstance(name, str) or not 0 < len(name) <= 255 or not name.isprintable():
        raise InvalidIdToken("sub is no name")
    return name


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
