"""Telling one address how a run of the automation went. What fails is logged, and undoes nothing.

The address is the operator's own, so it may lead to what the settings allow beyond public hosts.
"""

import asyncio
from collections.abc import Mapping, Sequence

import orjson
import structlog

from medici.kernel.net.client import Limits, OutgoingClient
from medici.kernel.net.errors import RequestFailed, UnsafeUrl
from medici.kernel.net.trust import Trust

TYPE = "homeai_experiment_automation"  # as receivers know it
LIMITS = Limits(seconds=10.0, connect_seconds=5.0, max_bytes=64 * 1024)
WAITS = (1.0, 3.0)  # seconds, after the first try and after the second
TOO_MANY = 429
log = structlog.get_logger("medici.experiments")


async def notify(
    outgoing: OutgoingClient,
    url: str,
    message: Mapping[str, object],
    *,
    waits: Sequence[float] = WAITS,
) -> bool:
    """Send a message, once more after each wait if need be; tell whether somebody took it."""
    body, error = orjson.dumps(message, option=orjson.OPT_UTC_Z), ""
    for wait in (*waits, None):
        error, again = await _tried(outgoing, url, body)
        if not error:
            return True
        if not again or wait is None:
            break
        await asyncio.sleep(wait)
    log.warning("experiment_automation.not_notified", error=error)
    return False


async def _tried(outgoing: OutgoingClient, url: str, body: bytes) -> tuple[str, bool]:
    """Return what went wrong, empty for nothing, and whether another try may help."""
    try:
        answer = await outgoing.request(
            "POST",
            url,
            headers={"Content-Type": "application/json"},
            body=body,
            limits=LIMITS,
            redirects=0,
            trust=Trust.OPERATOR,
        )
    except UnsafeUrl as error:
        return error.code, False
    except RequestFailed as error:
        return error.code, True
    if 200 <= answer.status < 300:
        return "", False
    return f"status_{answer.status}", answer.status >= 500 or answer.status == TOO_MANY
