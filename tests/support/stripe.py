"""Signed events of Stripe, and every way that we know of to alter them."""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha1, sha256, sha512
from typing import Any, TypeAlias

SECRET = "whsec_the_endpoints_own_secret"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
WHEN = int(NOW.timestamp())


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A body, and the header that goes with it."""

    raw: bytes
    header: str | None


Alter: TypeAlias = Callable[[Signed, int], Signed]


def event(
    kind: str,
    body: Mapping[str, Any],
    *,
    event_id: str = "evt_1",
    created: int = WHEN,
    livemode: bool = True,
    previous: Mapping[str, Any] | None = None,
) -> bytes:
    """Write an event as it is sent."""
    data: dict[str, Any] = {"object": dict(body)}
    if previous is not None:
        data["previous_attributes"] = dict(previous)
    told = {
        "id": event_id,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": created,
        "data": data,
        "livemode": livemode,
        "pending_webhooks": 1,
        "request": None,
        "type": kind,
    }
    return json.dumps(told).encode()


def mac(raw: bytes, at: int | str, secret: str = SECRET, digest: Any = sha256) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + raw, digest).hexdigest()


def header(raw: bytes, at: int = WHEN, secret: str = SECRET) -> str:
    """Sign a body as Stripe does."""
    return f"t={at},v1={mac(raw, at, secret)}"


def signed(raw: bytes, at: int = WHEN, secret: str = SECRET) -> Signed:
    return Signed(raw=raw, header=header(raw, at, secret))


def _with(write: Callable[[bytes, int], str | None]) -> Alter:
    """Alter the header alone."""
    return lambda good, at: Signed(raw=good.raw, header=write(good.raw, at))


def _body(write: Callable[[bytes], bytes]) -> Alter:
    """Alter the body and keep the header."""
    return lambda good, at: Signed(raw=write(good.raw), header=good.header)


def _at(shift: int) -> Alter:
    """Sign properly, but at another time."""
    return _with(lambda raw, at: header(raw, at + shift))


ATTACKS: Mapping[str, Alter] = {
    # Nothing, or next to nothing, where the signature should be
    "no header": _with(lambda raw, at: None),
    "empty header": _with(lambda raw, at: ""),
    "blank header": _with(lambda raw, at: "   "),
    "commas only": _with(lambda raw, at: ",,,,"),
    "words": _with(lambda raw, at: "trust me"),
    "the body for a header": _with(lambda raw, at: raw.decode()[:4000]),
    "no timestamp": _with(lambda raw, at: f"v1={mac(raw, at)}"),
    "no signature": _with(lambda raw, at: f"t={at}"),
    "empty signature": _with(lambda raw, at: f"t={at},v1="),
    "empty timestamp": _with(lambda raw, at: f"t=,v1={mac(raw, '')}"),
    "a header of a megabyte": _with(lambda raw, at: f"{header(raw, at)},v1=" + "a" * 1_000_000),
    # Times that are none, or not now
    "a timestamp of words": _with(lambda raw, at: f"t=now,v1={mac(raw, 'now')}"),
    "a negative timestamp": _with(lambda raw, at: f"t=-{at},v1={mac(raw, -at)}"),
    "a signed timestamp": _with(lambda raw, at: f"t=+{at},v1={mac(raw, f'+{at}')}"),
    "a fraction of a second": _with(lambda raw, at: f"t={at}.5,v1={mac(raw, f'{at}.5')}"),
    "an exponent": _with(lambda raw, at: f"t=1e9,v1={mac(raw, '1e9')}"),
    "underscored digits": _with(lambda raw, at: f"t=1_796,v1={mac(raw, '1_796')}"),
    "digits of another script": _with(lambda raw, at: f"t=١٢٣,v1={mac(raw, '١٢٣')}"),
    "a space before the time": _with(lambda raw, at: f"t= {at},v1={mac(raw, f' {at}')}"),
    "a time past every clock": _with(lambda raw, at: f"t={'9' * 30},v1={mac(raw, '9' * 30)}"),
    "milliseconds": _with(lambda raw, at: header(raw, at * 1000)),
    "two timestamps": _with(lambda raw, at: f"t={at - 9000},t={at},v1={mac(raw, at)}"),
    "the epoch": _with(lambda raw, at: header(raw, 0)),
    "301 seconds old": _at(-301),
    "an hour old": _at(-3600),
    "a year old": _at(-31_536_000),
    "301 seconds ahead": _at(301),
    "an hour ahead": _at(3600),
    "a year ahead": _at(31_536_000),
    "the time moved on": _with(lambda raw, at: f"t={at + 1},v1={mac(raw, at)}"),
    # Signatures that are none, or of another key or scheme
    "another secret": _with(lambda raw, at: header(raw, at, "whsec_another")),
    "no secret": _with(lambda raw, at: f"t={at},v1={mac(raw, at, '')}"),
    "the secret without its prefix": _with(
        lambda raw, at: header(raw, at, SECRET.removeprefix("whsec_"))
    ),
    "the secret in capitals": _with(lambda raw, at: header(raw, at, SECRET.upper())),
    "a signature in capitals": _with(lambda raw, at: f"t={at},v1={mac(raw, at).upper()}"),
    "half a signature": _with(lambda raw, at: header(raw, at)[:-32]),
    "a digit less": _with(lambda raw, at: header(raw, at)[:-1]),
    "a digit more": _with(lambda raw, at: f"{header(raw, at)}0"),
    "a digit changed": _with(
        lambda raw, at: header(raw, at)[:-1] + ("0" if header(raw, at)[-1] != "0" else "1")
    ),
    "a signature turned round": _with(lambda raw, at: f"t={at},v1={mac(raw, at)[::-1]}"),
    "zeros": _with(lambda raw, at: f"t={at},v1={'0' * 64}"),
    "letters beyond ASCII": _with(lambda raw, at: f"t={at},v1={'ü' * 64}"),
    "half a surrogate pair": _with(lambda raw, at: f"t={at},v1=\udcff"),
    "SHA-1": _with(lambda raw, at: f"t={at},v1={mac(raw, at, digest=sha1)}"),
    "SHA-512": _with(lambda raw, at: f"t={at},v1={mac(raw, at, digest=sha512)}"),
    "a bare hash": _with(lambda raw, at: f"t={at},v1={sha256(raw).hexdigest()}"),
    "the body without its time": _with(
        lambda raw, at: f"t={at},v1={hmac.new(SECRET.encode(), raw, sha256).hexdigest()}"
    ),
    "the test scheme": _with(lambda raw, at: f"t={at},v0={mac(raw, at)}"),
    "a scheme to come": _with(lambda raw, at: f"t={at},v2={mac(raw, at)}"),
    "a scheme in capitals": _with(lambda raw, at: f"t={at},V1={mac(raw, at)}"),
    "spaces between": _with(lambda raw, at: f"t={at}, v1={mac(raw, at)}"),
    "semicolons between": _with(lambda raw, at: f"t={at};v1={mac(raw, at)}"),
    "colons for equal signs": _with(lambda raw, at: f"t:{at},v1:{mac(raw, at)}"),
    "quotes": _with(lambda raw, at: f't={at},v1="{mac(raw, at)}"'),
    "the right one behind ten wrong ones": _with(
        lambda raw, at: f"t={at}" + f",v1={'0' * 64}" * 10 + f",v1={mac(raw, at)}"
    ),
    # Bodies that were not signed
    "a byte more": _body(lambda raw: raw + b" "),
    "a byte less": _body(lambda raw: raw[:-1]),
    "a byte order mark": _body(lambda raw: b"\xef\xbb\xbf" + raw),
    "no body": _body(lambda raw: b""),
    "another amount": _body(lambda raw: raw.replace(b"1", b"9")),
    "written anew": _body(lambda raw: json.dumps(json.loads(raw), indent=1).encode()),
    "in UTF-16": _body(lambda raw: raw.decode().encode("utf-16")),
    "no text at all": _body(lambda raw: b"\xff\xfe\x00" * 9),
}
# Over HTTP a header cannot hold these.
UNSENDABLE = frozenset({"half a surrogate pair", "digits of another script"})
