"""A notice as it goes over the wire to one endpoint, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from medici.kernel.net.client import Limits, OutgoingClient, Response
from medici.kernel.net.errors import RequestFailed, UnsafeUrl
from medici.kernel.net.trust import Trust

TIMES = Limits(seconds=10.0, connect_seconds=5.0, max_bytes=256 * 1024)
ANSWER_KEPT = 512  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One signed request to an endpoint."""

    endpoint_id: UUID
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an endpoint said; ``error`` names why nothing came back."""

    status_code: int | None = None
    text: str | None = None
    error: str | None = None


async def post(outgoing: OutgoingClient, letter: Letter) -> Answer:
    """Send a letter to where anybody may have told us to send it, and follow no redirect."""
    try:
        response = await outgoing.request(
            "POST",
            letter.url,
            headers={**letter.headers, "Content-Type": "application/json"},
            body=letter.body,
            limits=TIMES,
            redirects=0,
            trust=Trust.FOREIGN,
        )
    except (RequestFailed, UnsafeUrl) as error:
        return Answer(error=error.code)
    return Answer(status_code=response.status, text=_beginning(response))


def _beginning(response: Response) -> str:
    # No database stores NUL in a text.
    return response.body.decode("utf-8", "replace").replace("\0", "")[:ANSWER_KEPT]
