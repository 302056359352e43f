"""What can go wrong on the way out, and whether the other side may have heard us."""

from enum import StrEnum

from medici.kernel.errors import Kind, MediciError


class Reason(StrEnum):
    """Why a URL is not followed."""

    INVALID_SCHEME = "invalid_scheme"  # neither https nor an allowed http
    MISSING_HOST = "missing_host"  # no host can be read from it
    BLOCKED_HOST = "blocked_host"  # a local name, an odd spelling, a port or user that we refuse
    NON_PUBLIC_TARGET = "non_public_target"  # an address inside somebody's network
    DNS_RESOLUTION_FAILED = "dns_resolution_failed"


class UnsafeUrl(MediciError):
    """The URL leads, or might lead, where no foreign URL may lead."""

    kind = Kind.INVALID

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"the URL is not followed: {reason.replace('_', ' ')}")
        self.reason = reason
        self.code = self.code_for("url")

    def code_for(self, field: str) -> str:
        """Return the wire's code for a field, such as ``image_url_blocked_host``."""
        return f"{field}_{self.reason}"


class RequestFailed(MediciError):
    """No answer came back.

    ``sent`` is False only where nothing can have reached the other side; where it is True the
    request may have been carried out.
    """

    kind = Kind.BAD_GATEWAY
    code = "upstream_failed"

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class ConnectFailed(RequestFailed):
    """No connection came about: name unknown, refused, unreachable, or TLS not agreed."""

    code = "upstream_unreachable"

    def __init__(self, message: str = "no connection") -> None:
        super().__init__(message, sent=False)


class RequestTimedOut(RequestFailed):
    """The time for the whole exchange ran out."""

    code = "upstream_timeout"

    def __init__(self, *, sent: bool) -> None:
        super().__init__("no answer in time", sent=sent)


class ConnectionLost(RequestFailed):
    """The connection broke before the answer was complete."""

    code = "upstream_connection_lost"

    def __init__(self, *, sent: bool) -> None:
        super().__init__("the connection broke", sent=sent)


class BadResponse(RequestFailed):
    """The answer is no HTTP that we take: broken, oversized headers, an encoding not asked for."""

    code = "upstream_bad_response"

    def __init__(self, message: str) -> None:
        super().__init__(message, sent=True)


class ResponseTooLarge(RequestFailed):
    """The body, as sent or unpacked, is longer than the caller allows."""

    code = "upstream_response_too_large"

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"the answer is longer than {max_bytes} bytes", sent=True)


class TooManyRedirects(RequestFailed):
    """The other side sends us from place to place."""

    code = "upstream_too_many_redirects"

    def __init__(self) -> None:
        super().__init__("too many redirects", sent=True)


class MisdirectedSecret(Exception):  # no MediciError: our own mistake, for nobody to handle
    """Credentials were about to go to an origin that they are not for. Nothing was sent."""

    def __init__(self, host: str) -> None:
        super().__init__(f"these credentials are not for {host}")
