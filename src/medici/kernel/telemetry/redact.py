"""Taking secrets, personal data and control characters out of whatever is about to be told."""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

from medici.kernel.telemetry.control import neutralise

Replacement: TypeAlias = tuple[re.Pattern[str], str]

REDACTED = "[redacted]"
DEEPEST = 12
LONGEST_READ = 65_536  # characters looked at, so that a huge text costs little
LONGEST_TOLD = 8_192
MOST_ITEMS = 200
LARGEST_INTEGER = 2**63 - 1  # JSON readers take no more

CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
SECRET_NAME = re.compile(
    r"(?:^|_)(?:authorization|cookies?|passwords?|passphrase|secrets?|token|signature|hmac"
    r"|credentials?|dsn|emails?|query_string|idempotency\w*"
    r"|(?:api|access|private|service_role|encryption|admin|x|goog)_?keys?)(?:_|$)"
)

# Applied in this order. Each pattern is linear in the length of the text.
REPLACEMENTS: tuple[Replacement, ...] = (
    (re.compile(r"\bdata:[\w.+/-]{0,80}(?:;[\w.=-]{1,40}){0,4},[^\s\"'<>)\]}]*"), "[data uri]"),
    (re.compile(r"(?<=://)[^\s/@?#\"']+@"), f"{REDACTED}@"),
    (re.compile(r"(?<=\S)\?[^\s\"'<>]+"), f"?{REDACTED}"),
    (re.compile(r"\b(?i:(bearer|basic))\s+[^\s\"',;]+"), rf"\1 {REDACTED}"),
    (re.compile(r"\b(Key|Token) [\w.:~+/=-]{8,}"), rf"\1 {REDACTED}"),
    (re.compile(r"(?<![A-Za-z0-9])(?:sk|rk)[-_][\w-]{6,}"), REDACTED),
    (re.compile(r"(?<![A-Za-z0-9])(?:lc|dev|tok|whsec|shp[a-z]{2})_[\w+/=-]{16,}"), REDACTED),
    (re.compile(r"(?<![A-Za-z0-9])org_[0-9a-f-]{32,36}_[\w-]+"), REDACTED),
    (re.compile(r"(?<![A-Za-z0-9])SG\.[\w.-]{8,}"), REDACTED),
    (re.compile(r"(?<![A-Za-z0-9])eyJ[\w-]{1,2000}\.[\w-]+\.[\w-]*"), REDACTED),  # a JWT
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"), "[email]"),
    (re.compile(r"[A-Za-z0-9+/_-]{257,}={0,2}"), "[base64]"),
)
# What every pattern above needs to find; most texts hold none of it and are spared the search.
SUSPICIOUS = re.compile(
    r"[?@]|data:|://|bearer|basic|Key |Token |[sr]k[-_]|(?:lc|dev|tok|whsec)_|shp|org_|SG\.|eyJ"
    r"|[A-Za-z0-9+/_-]{257}",
    re.IGNORECASE,
)


def redact(value: object, name: str = "", depth: int = 0) -> object:
    """Return the value as it may be told; ``name`` is the field that holds it.

    Mappings and sequences are copied and looked through; a field with a secret's name is blanked
    whole, texts lose what looks like a secret.
    """
    if name and is_secret_name(name):
        return REDACTED
    if depth > DEEPEST:
        return "[too deep]"
    if isinstance(value, Mapping):
        pairs = islice(value.items(), MOST_ITEMS)
        return {redact_text(str(key)): redact(item, str(key), depth + 1) for key, item in pairs}
    if isinstance(value, list | tuple | set | frozenset):
        return _redact_items(list(islice(value, MOST_ITEMS)), depth + 1)
    return _redact_leaf(value)


@lru_cache(maxsize=2048)  # the same few names come with every event
def is_secret_name(name: str) -> bool:
    """Tell whether a field of this name holds a secret, however the name is written."""
    snake = CAMEL.sub("_", name).replace("-", "_").lower()
    return SECRET_NAME.search(snake) is not None


def redact_text(text: str) -> str:
    """Blank everything in a text that looks like a secret, and make control characters visible."""
    told = text[:LONGEST_READ]
    if SUSPICIOUS.search(told):
        for pattern, replacement in REPLACEMENTS:
            told = pattern.sub(replacement, told)
    if len(told) > LONGEST_TOLD:
        half = LONGEST_TOLD // 2  # a traceback says at its end what went wrong
        told = f"{told[:half]} … {told[-half:]}"
    return neutralise(told)


def _redact_items(items: list[object], depth: int) -> list[object]:
    match items:
        case [str(name), _] if is_secret_name(name):  # a header as a pair
            return [name, REDACTED]
    return [redact(item, depth=depth) for item in items]


def _redact_leaf(value: object) -> object:
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -LARGEST_INTEGER <= value <= LARGEST_INTEGER else "[large number]"
    return redact_text(str(value))
