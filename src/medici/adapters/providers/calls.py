"""Calling a provider: one request, and a failure of the taxonomy when no answer comes."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import aiohttp
import orjson

from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.adapters.providers.provider import Artifact
from medici.kernel.net.client import Limits, OutgoingClient, Response
from medici.kernel.net.errors import RequestFailed, UnsafeUrl
from medici.kernel.net.trust import Credentials

ARTIFACT_SECONDS = 60.0
ARTIFACT_BYTES = 40 * 1024 * 1024
MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


async def ask(
    outgoing: OutgoingClient,
    method: str,
    url: str,
    *,
    limits: Limits,
    headers: Mapping[str, str] | None = None,
    body: bytes | aiohttp.FormData | None = None,
    json: object = None,
    credentials: Credentials | None = None,
) -> Response:
    """Return the provider's answer, whatever its status; ``credentials`` reach only their origin.

    Raises:
        ProviderFailure: no answer. ``UNAVAILABLE`` if nothing was sent, else
            ``TIMEOUT_AMBIGUOUS``: it may have been carried out.
    """
    try:
        return await outgoing.request(
            method,
            url,
            limits=limits,
            headers=headers,
            body=body,
            json=json,
            redirects=0,
            credentials=credentials,
        )
    except RequestFailed as failed:
        code = FailureCode.TIMEOUT_AMBIGUOUS if failed.sent else FailureCode.UNAVAILABLE
        raise ProviderFailure(code, str(failed)) from failed
    except UnsafeUrl as unsafe:
        raise ProviderFailure(FailureCode.PROVIDER_FAILED, str(unsafe)) from unsafe


async def download(
    outgoing: OutgoingClient, url: str, *, seconds: float = ARTIFACT_SECONDS
) -> Artifact:
    """Fetch a finished picture from the address that a provider named, without any credential.

    Raises:
        WorkExpired: it is gone.
        ProviderFailure: it cannot be had now (``UNAVAILABLE``), or is no picture.
    """
    try:
        limits = Limits(seconds=seconds, max_bytes=ARTIFACT_BYTES)
        answer = await outgoing.request("GET", url, limits=limits)
    except RequestFailed as failed:
        raise ProviderFailure(FailureCode.UNAVAILABLE, str(failed)) from failed
    except UnsafeUrl as unsafe:
        raise ProviderFailure(FailureCode.PROVIDER_FAILED, str(unsafe)) from unsafe
    if answer.status >= 500 or answer.status == 429:
        raise ProviderFailure(FailureCode.UNAVAILABLE, f"the picture answers {answer.status}")
    if answer.status in {404, 410}:
        raise WorkExpired("the picture is gone")
    if answer.status != 200:
        raise ProviderFailure(FailureCode.PROVIDER_FAILED, f"the picture answers {answer.status}")
    return Artifact(data=answer.body, content_type=sniffed(answer.body))


def sniffed(data: bytes) -> str:
    """Tell a picture's type by its first bytes.

    Raises:
        ProviderFailure: it is none that we take.
    """
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    for magic, content_type in MAGIC:
        if data.startswith(magic):
            return content_type
    raise ProviderFailure(FailureCode.NO_OUTPUT, "what the provider delivered is no picture")


def json_of(answer: Response) -> object:
    """Read an answer's JSON; None where it is none."""
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return None


def wait_hint(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds a provider asks us to wait; None if it does not say so."""
    for name, scale in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        text = headers.get(name, "")
        if text.replace(".", "", 1).isascii() and text.replace(".", "", 1).isdigit():
            return float(text) * scale
    return _seconds_between(headers.get("date", ""), headers.get("retry-after", ""))


def _seconds_between(start: str, end: str) -> float | None:
    """Subtract two dates of HTTP, both by the provider's own clock; None if one is no date."""
    try:
        seconds = (parsedate_to_datetime(end) - parsedate_to_datetime(start)).total_seconds()
    except (ValueError, TypeError):  # the latter where only one of them names a zone
        return None
    return max(0.0, seconds)
