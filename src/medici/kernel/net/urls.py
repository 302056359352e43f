"""Judging a URL before anything is looked up."""

import re
from dataclasses import dataclass

from yarl import URL

from medici.kernel.net.addresses import is_public
from medici.kernel.net.errors import Reason, UnsafeUrl
from medici.kernel.net.hosts import host_and_port, is_literal, is_local_name, plain_host

LONGEST_URL = 8_192
HTTPS_PORT = 443
# Characters over which parsers disagree: controls, space, and the slash that leans the other way.
AMBIGUOUS = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A URL that may be asked, as it will be asked; ``vouched`` if the allow list names it."""

    url: URL
    host: str
    port: int
    vouched: bool

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.url.scheme, self.host, self.port


def check_url(text: str, allow: frozenset[str]) -> Target:
    """Return where a URL leads, if it may lead there.

    Args:
        text: a URL that anybody may have written.
        allow: ``host:port`` of endpoints that the operator vouches for; those may be private,
            speak plain http and use any port. All others are https on port 443.

    Raises:
        UnsafeUrl: with the reason. Names are not resolved here.
    """
    url = _parse(text)
    host, port = plain_host(url.raw_host or ""), url.port or 0
    vouched = host_and_port(host, port) in allow
    if not vouched:
        _refuse_unless_public(url.scheme, host, port)
    return Target(
        url=url.with_host(host).with_fragment(None), host=host, port=port, vouched=vouched
    )


def follow(target: Target, location: str, allow: frozenset[str]) -> Target:
    """Return where a redirect leads from ``target``; it is judged like any other URL.

    A redirect never leads from the internet to an endpoint that only the operator vouches for.
    """
    # Joining would drop what parsers disagree on, so the location is looked at first.
    if AMBIGUOUS.search(location):
        raise UnsafeUrl(Reason.MISSING_HOST)
    try:
        joined = str(target.url.join(URL(location, encoded=location.isascii())))
    except ValueError as error:
        raise UnsafeUrl(Reason.MISSING_HOST) from error
    following = check_url(joined, allow)
    if following.vouched and not target.vouched:
        raise UnsafeUrl(Reason.NON_PUBLIC_TARGET)
    return following


def _parse(text: str) -> URL:
    if len(text) > LONGEST_URL or AMBIGUOUS.search(text):
        raise UnsafeUrl(Reason.MISSING_HOST)
    try:
        # Signed URLs must go out as they came, so what is ASCII is not quoted again.
        url = URL(text, encoded=text.isascii())
        authority, _ = url.raw_authority, url.port  # both are read late, and may not be readable
    except ValueError as error:
        raise UnsafeUrl(Reason.MISSING_HOST) from error
    if url.scheme not in {"http", "https"}:
        raise UnsafeUrl(Reason.INVALID_SCHEME)
    if "@" in authority:
        raise UnsafeUrl(Reason.BLOCKED_HOST)
    return url


def _refuse_unless_public(scheme: str, host: str, port: int) -> None:
    if is_literal(host):
        if not is_public(host):
            raise UnsafeUrl(Reason.NON_PUBLIC_TARGET)
    elif is_local_name(host):
        raise UnsafeUrl(Reason.BLOCKED_HOST)
    if scheme != "https":
        raise UnsafeUrl(Reason.INVALID_SCHEME)
    if port != HTTPS_PORT:
        raise UnsafeUrl(Reason.BLOCKED_HOST)
