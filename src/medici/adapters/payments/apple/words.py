"""What a signed word looks like from outside, before anything in it is believed."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from medici.adapters.payments.errors import SignatureRefused

SIGNED = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
MOST_CHARACTERS = 512 * 1024
FIELD = "signedPayload"


def is_notification(raw: bytes) -> bool:
    """Tell whether a body has the form that Apple posts, whatever it is worth."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and FIELD in body


def signed_payload(raw: bytes) -> str:
    """Return the signed word of a posted body, read without any leniency.

    Raises:
        SignatureRefused: the body is not plain JSON that names one such word, once.
    """
    try:
        body = json.loads(raw.decode(), object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError) as error:
        raise SignatureRefused("the body is no plain JSON") from error
    signed = body.get(FIELD) if isinstance(body, dict) else None
    if not isinstance(signed, str):
        raise SignatureRefused("the body holds no signed payload")
    return signed


def claimed(signed: str) -> Mapping[str, object]:
    """Return what a word claims, not yet believed.

    Each part has to be written in the one canonical way: else a signature could be altered in bits
    that nobody reads, and the altered word would pass.

    Raises:
        SignatureRefused: it is no such word.
    """
    if len(signed) > MOST_CHARACTERS or not SIGNED.fullmatch(signed):
        raise SignatureRefused("this is no signed word")
    _, payload, _ = (_decoded(part) for part in signed.split("."))
    try:
        claims = json.loads(payload.decode())
    except (ValueError, RecursionError) as error:
        raise SignatureRefused("the signed payload is no JSON") from error
    if not isinstance(claims, dict):
        raise SignatureRefused("the signed payload is no JSON object")
    return claims


def _decoded(part: str) -> bytes:
    try:
        decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError as error:
        raise SignatureRefused("a part of the word is no base64url") from error
    if urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise SignatureRefused("a part of the word is not written canonically")
    return decoded


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("a key stands twice")
    return body
