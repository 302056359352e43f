"""Sending unexpected faults to Sentry, for those who gave a DSN and installed the extra."""

from typing import TYPE_CHECKING, cast

from medici.kernel.errors import MediciError
from medici.kernel.telemetry.redact import redact

if TYPE_CHECKING:
    from sentry_sdk.transport import Transport
    from sentry_sdk.types import Event, Hint


class SentryMissing(MediciError):
    """A Sentry DSN is configured, yet the package that speaks to Sentry is not installed."""

    code = "sentry_missing"

    def __init__(self) -> None:
        super().__init__("SENTRY_DSN is set: install medici[sentry] or unset it")


def start_sentry(
    dsn: str, *, environment: str, release: str, transport: "Transport | None" = None
) -> None:
    """Report faults of this process from now on, redacted; without a DSN nothing happens.

    Raises:
        SentryMissing: there is a DSN but no ``sentry_sdk``.
    """
    if not dsn:
        return
    try:
        # An optional extra that hooks into the interpreter: only who wants it pays for it.
        import sentry_sdk  # noqa: PLC0415
    except ImportError as error:
        raise SentryMissing from error
    sentry_sdk.init(
        dsn,
        environment=environment,
        release=release,
        transport=transport,
        before_send=before_send,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
    )


def before_send(event: "Event", _hint: "Hint") -> "Event":
    """Return the report without secrets and personal data."""
    return cast("Event", redact(event))
