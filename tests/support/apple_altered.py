"""More than seventy ways to alter Apple's words, none of which may be believed."""

import base64
import gzip
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, TypeAlias

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from medici.fakes.apple.authority import (
    INTERMEDIATE,
    LEAF,
    Authority,
    Wish,
    Writer,
    certified,
    milliseconds,
)
from tests.support.apple import NOW, Letter, authority, bought, enveloped, other_authority, renewing

Alter: TypeAlias = Callable[[Letter], bytes]


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def with_header(letter: Letter, **changed: Any) -> bytes:
    """Alter the header and leave the rest; what is None is taken out."""
    head, payload, signature = letter.signed().split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "==")) | changed
    kept = {name: value for name, value in header.items() if value is not None}
    return enveloped(f"{unpadded(json.dumps(kept).encode())}.{payload}.{signature}")


def with_payload(letter: Letter, payload: bytes) -> bytes:
    head, _, signature = letter.signed().split(".")
    return enveloped(f"{head}.{unpadded(payload)}.{signature}")


def with_claims(letter: Letter, **changed: Any) -> bytes:
    return with_payload(letter, json.dumps(letter.claims() | changed).encode())


def with_signature(letter: Letter, alter: Callable[[bytes], bytes]) -> bytes:
    head, payload, signature = letter.signed().split(".")
    altered = alter(base64.urlsafe_b64decode(signature + "=="))
    return enveloped(f"{head}.{payload}.{unpadded(altered)}")


def signed_with_chain(letter: Letter, *chain: str) -> bytes:
    """Sign properly, with other certificates beside."""
    return enveloped(authority().sign(letter.claims(), chain=chain))


def signed_by(letter: Letter, forged: Authority, *, root: bool = False) -> bytes:
    """Sign everything by another authority; with ``root``, show the trusted root above it."""
    told = Letter(writer=replace(letter.writer, authority=forged), at=letter.at)
    if not root:
        return told.body
    chain = (*forged.chain[:2], authority().chain[2])
    return enveloped(forged.sign(told.claims(), chain=chain))


def unmarked(which: str) -> Authority:
    """Return what the trusted root has certified for another purpose."""
    trusted = authority()
    middle_wish = replace(INTERMEDIATE, mark=None if which == "intermediate" else INTERMEDIATE.mark)
    leaf_wish = replace(LEAF, mark=None if which == "leaf" else LEAF.mark)
    return under(trusted, middle_wish, leaf_wish)


def lapsed() -> Authority:
    """Return a leaf that the trusted root stands behind, and that ended before the letter."""
    leaf = replace(LEAF, until=datetime(2026, 1, 1, tzinfo=UTC))
    return under(authority(), INTERMEDIATE, leaf)


def under(trusted: Authority, intermediate: Wish, leaf: Wish) -> Authority:
    middle = certified(intermediate, trusted.root)
    return Authority(trusted.root, middle, certified(leaf, middle))


def symmetric(letter: Letter, key: bytes) -> bytes:
    """Sign with HS256 under bytes that everybody can see."""
    header = unpadded(json.dumps({"alg": "HS256", "x5c": list(authority().chain)}).encode())
    signed = f"{header}.{unpadded(json.dumps(letter.claims()).encode())}"
    mac = hmac.digest(key, signed.encode(), sha256)
    return enveloped(f"{signed}.{unpadded(mac)}")


def self_signed_key(letter: Letter) -> bytes:
    """Sign by a key of one's own and show the honest chain."""
    key = ec.generate_private_key(ec.SECP256R1())
    headers = {"x5c": list(authority().chain)}
    return enveloped(jwt.encode(letter.claims(), key, "ES256", headers=headers))


def by_rsa(letter: Letter) -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    headers = {"x5c": list(authority().chain)}
    return enveloped(jwt.encode(letter.claims(), key, "RS256", headers=headers))


def uncanonical(letter: Letter) -> bytes:
    """Change the bits at the end of the signature that no decoder reads."""
    signed = letter.signed()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return enveloped(signed[:-1] + alphabet[alphabet.index(signed[-1]) ^ 1])


def of_xcode(letter: Letter, environment: str) -> bytes:
    """Say that the letter is of an environment in which nobody checks signatures."""
    claims = letter.claims()
    claims["data"] |= {"environment": environment}
    return enveloped(jwt.encode(claims, "x" * 32, "HS256"))


def elsewhere(letter: Letter, **changed: Any) -> bytes:
    """Sign honestly what is for another app or environment."""
    return enveloped(letter.signed(data=changed))


def inner(letter: Letter, name: str, word: str) -> bytes:
    return enveloped(letter.signed(data={name: word}))


def aged(letter: Letter, **by: float) -> bytes:
    return replace(letter, at=letter.at + timedelta(**by)).body


STRANGER = Writer(authority=Authority.make())

ALTERED: Mapping[str, Alter] = {
    # The outer envelope
    "nothing": lambda letter: b"",
    "no JSON": lambda letter: letter.body[:-1],
    "a list": lambda letter: b"[" + letter.body + b"]",
    "byte order mark": lambda letter: b"\xef\xbb\xbf" + letter.body,
    "UTF-16": lambda letter: letter.body.decode().encode("utf-16"),
    "gzip": lambda letter: gzip.compress(letter.body),
    "the key twice": lambda letter: b'{"signedPayload":"x",' + letter.body[1:],
    "no text": lambda letter: b'{"signedPayload": 7}',
    "null": lambda letter: b'{"signedPayload": null}',
    "half a surrogate": lambda letter: b'{"signedPayload": "\\ud800"}',
    "nested deeply": lambda letter: b'{"signedPayload":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "huge": lambda letter: enveloped("a" * 900_000 + ".b.c"),
    # The form of the word
    "empty": lambda letter: enveloped(""),
    "two parts": lambda letter: enveloped(letter.signed().rpartition(".")[0]),
    "four parts": lambda letter: enveloped(letter.signed() + ".e30"),
    "no signature": lambda letter: enveloped(letter.signed().rpartition(".")[0] + "."),
    "garbled base64": lambda letter: enveloped(letter.signed().replace(".", ".*", 1)),
    "padding": lambda letter: enveloped(letter.signed() + "=="),
    "a space": lambda letter: enveloped(" " + letter.signed()),
    "a line end": lambda letter: enveloped(letter.signed() + "\n"),
    "standard alphabet": lambda letter: enveloped(letter.signed().replace("-", "+", 1) + "/"),
    "unread bits": uncanonical,
    "payload no JSON": lambda letter: with_payload(letter, b"{"),
    "payload a list": lambda letter: with_payload(letter, b"[]"),
    "payload nested deeply": lambda letter: with_payload(letter, b'{"a":' + b"[" * 100_000),
    # The signature
    "signature zero": lambda letter: with_signature(letter, lambda _: bytes(64)),
    "signature one bit": lambda letter: with_signature(
        letter, lambda read: bytes([read[0] ^ 1]) + read[1:]
    ),
    "signature last bit": lambda letter: with_signature(
        letter, lambda read: read[:-1] + bytes([read[-1] ^ 1])
    ),
    "signature short": lambda letter: with_signature(letter, lambda read: read[:-1]),
    "signature long": lambda letter: with_signature(letter, lambda read: read + b"\0"),
    "signature of another": lambda letter: enveloped(
        letter.signed().rpartition(".")[0]
        + "."
        + replace(letter, uuid="other").signed().rpartition(".")[2]
    ),
    "another key": self_signed_key,
    # The payload
    "another id": lambda letter: with_claims(letter, notificationUUID="other"),
    "another type": lambda letter: with_claims(letter, notificationType="SUBSCRIBED"),
    "another date": lambda letter: with_claims(letter, signedDate=milliseconds(NOW) + 1),
    "date no number": lambda letter: with_claims(letter, signedDate="today"),
    "date out of range": lambda letter: with_claims(letter, signedDate=10**30),
    "no date": lambda letter: with_claims(letter, signedDate=None),
    # The header
    "alg none": lambda letter: with_header(letter, alg="none"),
    "alg missing": lambda letter: with_header(letter, alg=None),
    "alg HS256 under the leaf": lambda letter: symmetric(letter, authority().leaf.der),
    "alg HS256 under nothing": lambda letter: symmetric(letter, b""),
    "alg RS256": by_rsa,
    "alg ES384": lambda letter: with_header(letter, alg="ES384"),
    "crit": lambda letter: with_header(letter, crit=["exp"]),
    "unencoded payload": lambda letter: with_header(letter, b64=False, crit=["b64"]),
    "key in the header": lambda letter: with_header(letter, jwk={"kty": "EC"}, x5c=None),
    "no chain": lambda letter: with_header(letter, x5c=None),
    "chain no list": lambda letter: with_header(letter, x5c="abc"),
    "chain of numbers": lambda letter: with_header(letter, x5c=[1, 2, 3]),
    "chain of nothing": lambda letter: with_header(letter, x5c=[]),
    # The chain
    "chain of two": lambda letter: signed_with_chain(letter, *authority().chain[:2]),
    "chain of four": lambda letter: signed_with_chain(
        letter, *authority().chain, authority().chain[2]
    ),
    "chain out of order": lambda letter: signed_with_chain(letter, *authority().chain[::-1]),
    "chain of roots": lambda letter: signed_with_chain(letter, *[authority().chain[2]] * 3),
    "chain garbled": lambda letter: signed_with_chain(letter, "!!!", *authority().chain[1:]),
    "chain no certificate": lambda letter: signed_with_chain(
        letter, "AAAA", *authority().chain[1:]
    ),
    "another root": lambda letter: signed_by(letter, other_authority()),
    "another root below ours": lambda letter: signed_by(letter, other_authority(), root=True),
    "leaf of another intermediate": lambda letter: signed_with_chain(
        letter, other_authority().chain[0], *authority().chain[1:]
    ),
    "leaf unmarked": lambda letter: signed_by(letter, unmarked("leaf")),
    "intermediate unmarked": lambda letter: signed_by(letter, unmarked("intermediate")),
    "leaf lapsed": lambda letter: signed_by(letter, lapsed()),
    # What is for somebody else, or out of its time
    "another app": lambda letter: elsewhere(letter, bundleId="com.example.other"),
    "another app's number": lambda letter: elsewhere(letter, appAppleId=7),
    "no app": lambda letter: elsewhere(letter, bundleId=None),
    "no environment": lambda letter: elsewhere(letter, environment=None),
    "production as sandbox": lambda letter: elsewhere(letter, environment="Sandbox"),
    "local testing": lambda letter: of_xcode(letter, "LocalTesting"),
    "xcode": lambda letter: of_xcode(letter, "Xcode"),
    "about nothing": lambda letter: enveloped(
        letter.writer.notification(letter.at, uuid="u", kind="DID_RENEW")
    ),
    "eleven days old": lambda letter: aged(letter, days=-11),
    "from the future": lambda letter: aged(letter, minutes=6),
    "a transaction in its place": lambda letter: enveloped(
        letter.writer.transaction(letter.at, **bought())
    ),
    # The words inside
    "inner by a stranger": lambda letter: inner(
        letter, "signedTransactionInfo", STRANGER.transaction(letter.at, **bought())
    ),
    "inner renewal by a stranger": lambda letter: inner(
        letter, "signedRenewalInfo", STRANGER.renewal(letter.at, **renewing())
    ),
    "inner garbled": lambda letter: inner(letter, "signedTransactionInfo", "a.b.c"),
    "inner of another app": lambda letter: inner(
        letter,
        "signedTransactionInfo",
        letter.writer.transaction(letter.at, **bought(bundleId="com.example.other")),
    ),
    "inner of the sandbox": lambda letter: inner(
        letter,
        "signedTransactionInfo",
        letter.writer.transaction(letter.at, **bought(environment="Sandbox")),
    ),
    "inner words swapped": lambda letter: inner(
        letter, "signedTransactionInfo", letter.writer.renewal(letter.at, **renewing())
    ),
}
