"""Links to our own file route that carry their own permission.

A signature covers method, path, owner, disposition and end. The owner does not stand in the link:
who serves a file says whose it is, so a link for one owner's file can never open another's.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from urllib.parse import parse_qsl, urlencode

from medici.adapters.storage.errors import InvalidSignature, LifetimeTooLong, SignatureExpired
from medici.kernel.tokens import same_secret

LONGEST = timedelta(hours=1)
DOMAIN = b"medici/file-link/1"
PARAMETERS = {"expires", "disposition", "signature"}
MAX_QUERY_LENGTH = 200


class Disposition(StrEnum):
    """What a browser shall do with the file."""

    INLINE = "inline"
    ATTACHMENT = "attachment"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a link is for. ``owner`` is ``owner_kind:owner_id``; HEAD goes as GET."""

    path: str
    owner: str
    method: str = "GET"


def sign(
    subject: Subject,
    *,
    disposition: Disposition,
    keys: Sequence[bytes],
    now: datetime,
    lifetime: timedelta,
    longest: timedelta = LONGEST,
) -> str:
    """Return the query string that opens the subject from now on for ``lifetime``.

    ``keys`` are newest first; the first one signs.

    Raises:
        LifetimeTooLong: ``lifetime`` is more than ``longest``.
    """
    if lifetime > longest:
        raise LifetimeTooLong(f"a link may live for {longest}")
    expires = str(int((now + lifetime).timestamp()))
    signature = _signature(subject, disposition, expires, keys[0])
    return urlencode({"expires": expires, "disposition": disposition, "signature": signature})


def verify(subject: Subject, query: str, *, keys: Sequence[bytes], now: datetime) -> Disposition:
    """Return how the file is to be served, if the query string was signed for this subject.

    Any of ``keys`` may have signed, so links outlive a rotation.

    Raises:
        InvalidSignature: for something else, changed, or not of exactly our three parameters.
        SignatureExpired: genuine, but its end has come.
    """
    parameters = _parameters(query)
    expires, disposition = parameters["expires"], parameters["disposition"]
    presented = parameters["signature"]
    expected = (_signature(subject, disposition, expires, key) for key in keys)
    if not any(same_secret(presented, signature) for signature in expected):
        raise InvalidSignature("the link is not valid for this file")
    if now >= datetime.fromtimestamp(int(expires), UTC):
        raise SignatureExpired("the link has expired")
    return Disposition(disposition)


def _parameters(query: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            query[: MAX_QUERY_LENGTH + 1],
            keep_blank_values=True,
            strict_parsing=True,
            max_num_fields=len(PARAMETERS),
        )
    except ValueError as error:
        raise InvalidSignature("the link is not complete") from error
    parameters = dict(pairs)
    if (
        len(query) > MAX_QUERY_LENGTH
        or len(pairs) != len(PARAMETERS)
        or parameters.keys() != PARAMETERS
    ):
        raise InvalidSignature("the link is not complete")
    return parameters


def _signature(subject: Subject, disposition: str, expires: str, key: bytes) -> str:
    parts = (subject.method, subject.path, subject.owner, disposition, expires)
    digest = hmac.new(key, DOMAIN, hashlib.sha256)
    for part in parts:
        octets = part.encode("utf-8", "surrogatepass")
        digest.update(len(octets).to_bytes(4, "big") + octets)  # no part can lend to the next
    return urlsafe_b64encode(digest.digest()).rstrip(b"=").decode()
