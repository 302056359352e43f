"""OpenAI's picture models."""

from dataclasses import dataclass, field, replace

from medici.adapters.imaging.pixel_work import PixelWork
from medici.adapters.providers.calls import ask, sniffed
from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.openai.answers import Painted, complaint, painted
from medici.adapters.providers.openai.costs import Tariff
from medici.adapters.providers.openai.failures import failure_of
from medici.adapters.providers.openai.inputs import Order, edit_form, order_of
from medici.adapters.providers.openai.masks import cut_out
from medici.adapters.providers.pricing import PriceList
from medici.adapters.providers.provider import (
    Artifact,
    CancelOutcome,
    Capabilities,
    Cost,
    Health,
    Observation,
    Phase,
    Recovery,
    Ref,
    Submission,
)
from medici.adapters.providers.request import Operation, RenderRequest
from medici.kernel.clock import Clock, system_clock
from medici.kernel.net.client import Limits, OutgoingClient, Response
from medici.kernel.net.trust import Credentials

MOST_BYTES = 64 * 1024 * 1024  # base64 of pictures up to 48 MiB
PROBE = Limits(seconds=15, max_bytes=4 * 1024 * 1024)
GONE = "the picture went with the answer that brought it"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIProvider:
    """Paints while it is waited for; its answer carries the picture and what it cost."""

    outgoing: OutgoingClient
    key: str = field(repr=False)
    prices: PriceList
    pixels: PixelWork
    base: str = "https://api.openai.com/v1"
    organization: str | None = None
    project: str | None = None
    timeout_seconds: float = 300.0  # for one edit; the dearest take minutes
    clock: Clock = system_clock
    name: str = "openai"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            operations=frozenset(Operation),
            accepts_mask=True,
            synchronous=True,
            description="GPT image models: they follow a description, and keep to a mask roughly.",
        )

    def estimate_cost(self, request: RenderRequest) -> Cost:
        order = order_of(request)
        return self._tariff(order).typical(quality=order.quality, pixels=order.pixels)

    async def submit(self, request: RenderRequest) -> Submission:
        order = order_of(request)
        mask = await self._mask(request, order)
        asked_at = self.clock()
        answer = await ask(
            self.outgoing,
            "POST",
            self._url("/images/edits"),
            limits=Limits(seconds=self.timeout_seconds, max_bytes=MOST_BYTES),
            credentials=self._credentials(),
            body=edit_form(order, request.image, mask),
        )
        if answer.status != 200:
            raise failure_of(answer, took=self.clock() - asked_at, key=self.key)
        return self._submission(request, order, answer)

    async def recover(self, request: RenderRequest) -> Submission | Recovery:
        return Recovery.UNKNOWN  # there is no list of past calls to look it up in

    async def poll(self, ref: Ref) -> Observation:
        raise ProviderFailure(FailureCode.PROVIDER_FAILED, GONE)

    async def fetch(self, ref: Ref) -> tuple[Artifact, ...]:
        raise ProviderFailure(FailureCode.PROVIDER_FAILED, GONE)

    async def cancel(self, ref: Ref) -> CancelOutcome:
        return CancelOutcome.UNSUPPORTED

    async def probe(self) -> Health:
        try:
            answer = await ask(
                self.outgoing,
                "GET",
                self._url("/models"),
                limits=PROBE,
                credentials=self._credentials(),
            )
        except ProviderFailure as failure:
            return Health(ok=False, detail=failure.message)
        if answer.status == 200:
            return Health(ok=True)
        return Health(
            ok=False, detail=f"{answer.status} {complaint(answer.body).code or ''}".strip()
        )

    async def _mask(self, request: RenderRequest, order: Order) -> bytes | None:
        if request.mask is None:
            return None
        return await cut_out(self.pixels, request.mask, size=order.room)

    def _submission(self, request: RenderRequest, order: Order, answer: Response) -> Submission:
        """Read a paid answer; where it brings no picture, its cost is told all the same."""
        result = painted(answer.body)
        if result is None:
            raise ProviderFailure(FailureCode.TIMEOUT_AMBIGUOUS, "nobody understands the answer")
        done = replace(
            order, size=result.size or order.size, quality=result.quality or order.quality
        )
        ref = _ref(request, done, answer)
        cost = self._tariff(done).actual(result.usage, quality=done.quality, pixels=done.pixels)
        try:
            artifacts = _artifacts(done, result)
        except ProviderFailure as failure:
            failed = Observation(phase=Phase.FAILED, failure=failure, cost=cost)
            return Submission(ref=ref, observation=failed)
        succeeded = Observation(phase=Phase.SUCCEEDED, progress=1.0, cost=cost)
        return Submission(ref=ref, observation=succeeded, artifacts=artifacts)

    def _tariff(self, order: Order) -> Tariff:
        return Tariff(prices=self.prices, provider=self.name, model=order.model, at=self.clock())

    def _url(self, path: str) -> str:
        return self.base.rstrip("/") + path

    def _credentials(self) -> Credentials:
        headers = {"Authorization": f"Bearer {self.key}"}
        if self.organization:
            headers["OpenAI-Organization"] = self.organization
        if self.project:
            headers["OpenAI-Project"] = self.project
        return Credentials(only_to=self.base, headers=headers)


def _ref(request: RenderRequest, done: Order, answer: Response) -> Ref:
    """Return what is worth keeping of a call: what was really done, and its id for support."""
    width, height = done.size
    return {
        "reference": request.reference,
        "model": done.model,
        "size": f"{width}x{height}",
        "quality": done.quality,
        "request_id": answer.headers.get("x-request-id", ""),
    }


def _artifacts(done: Order, result: Painted) -> tuple[Artifact, ...]:
    width, height = done.size
    return tuple(
        Artifact(data=data, content_type=sniffed(data), width=width, height=height)
        for data in result.pictures()
    )
