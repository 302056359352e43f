"""Reading the host of a URL: many spellings, one plain form, and no surprises behind it."""

import re
from ipaddress import IPv4Address, IPv6Address

from yarl import URL

from medici.kernel.net.errors import Reason, UnsafeUrl

LONGEST_NAME = 253
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)  # as a last label it means an address
LOCAL_ENDINGS = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home"}
    | {"lan", "arpa", "onion", "invalid"}
)


def plain_host(raw: str) -> str:
    """Return a host in its one plain form: lower case, ASCII, no trailing dot, no brackets.

    Raises:
        UnsafeUrl: it is empty, no name, or an address in another spelling than the usual one
            (``127.1``, ``0x7f.1``, ``2130706433``, a zone id).
    """
    if ":" in raw:
        return _plain_ipv6(raw)
    host = _ascii(raw).lower().removesuffix(".")
    if not host:
        raise UnsafeUrl(Reason.MISSING_HOST)
    labels = host.split(".")
    if len(host) > LONGEST_NAME or not all(map(LABEL.fullmatch, labels)):
        raise UnsafeUrl(Reason.BLOCKED_HOST)
    if NUMBER.fullmatch(labels[-1]) and not is_literal(host):
        raise UnsafeUrl(Reason.BLOCKED_HOST)
    return host


def is_literal(host: str) -> bool:
    """Tell whether a plain host is an address rather than a name."""
    try:
        IPv6Address(host) if ":" in host else IPv4Address(host)
    except ValueError:
        return False
    return True


def is_local_name(host: str) -> bool:
    """Tell whether a name can only mean something inside one machine or network."""
    return "." not in host or host.rpartition(".")[2] in LOCAL_ENDINGS


def host_and_port(host: str, port: int) -> str:
    """Write both as in a URL and in the allow list."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _plain_ipv6(raw: str) -> str:
    try:
        address = IPv6Address(raw)
    except ValueError as error:
        raise UnsafeUrl(Reason.BLOCKED_HOST) from error
    if address.scope_id:
        raise UnsafeUrl(Reason.BLOCKED_HOST)
    return address.compressed


def _ascii(raw: str) -> str:
    if raw.isascii():
        return raw
    try:
        # Folds fullwidth and enclosed digits and dots as browsers do, then encodes the rest.
        return URL.build(scheme="https", host=raw).raw_host or ""
    except ValueError as error:
        raise UnsafeUrl(Reason.BLOCKED_HOST) from error
