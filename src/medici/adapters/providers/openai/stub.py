"""Stands in for OpenAI where there is no key: it costs nothing, and says that it is a stub."""

from dataclasses import dataclass

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.mock import HEIGHT, WIDTH, plain_png
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

NOTE = "This is a stub: a plain picture, since no OPENAI_API_KEY is set."
FREE = Cost(amount_micros=0)
GONE = "the stub keeps nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class StubProvider:
    """Answers at once with a picture of one colour. Never part of a production."""

    name: str = "openai"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            operations=frozenset(Operation),
            accepts_mask=True,
            synchronous=True,
            stub=True,
            description=NOTE,
        )

    def estimate_cost(self, request: RenderRequest) -> Cost:
        return FREE

    async def submit(self, request: RenderRequest) -> Submission:
        picture = plain_png(f"{request.reference}:{request.style_id}")
        artifact = Artifact(
            data=picture, content_type="image/png", width=WIDTH, height=HEIGHT, own_pixels=True
        )
        return Submission(
            ref={"reference": request.reference, "stub": True},
            observation=Observation(phase=Phase.SUCCEEDED, progress=1.0, cost=FREE, notes=(NOTE,)),
            artifacts=(artifact,),
        )

    async def recover(self, request: RenderRequest) -> Submission | Recovery:
        return Recovery.NOT_ACCEPTED

    async def poll(self, ref: Ref) -> Observation:
        raise ProviderFailure(FailureCode.PROVIDER_FAILED, GONE)

    async def fetch(self, ref: Ref) -> tuple[Artifact, ...]:
        raise ProviderFailure(FailureCode.PROVIDER_FAILED, GONE)

    async def cancel(self, ref: Ref) -> CancelOutcome:
        return CancelOutcome.UNSUPPORTED

    async def probe(self) -> Health:
        return Health(ok=True, detail=NOTE)
