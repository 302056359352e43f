"""The local provider: free, deterministic, and honest about being no generative model."""

from dataclasses import dataclass

from pydantic import BaseModel

from medici.adapters.imaging.errors import (
    ImageOperationFailed,
    ImageProcessUnavailable,
    PictureRefused,
)
from medici.adapters.imaging.frames import JsonObject
from medici.adapters.imaging.pixel_work import PixelWork
from medici.adapters.providers.failure import FailureCode, ProviderFailure
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
from medici.kernel.errors import MediciError

TIMEOUT_SECONDS = 60.0


class Told(BaseModel):
    """What the engine says about a picture that it made."""

    engine: str
    content_type: str
    width: int
    height: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalProvider:
    """Works while it is waited for; its answer carries the picture."""

    pixels: PixelWork
    name: str = "local"

    def capabilities(self) -> Capabilities:
        return Capabilities(
            operations=frozenset({Operation.RESTYLE, Operation.REPAINT}),
            accepts_mask=True,
            synchronous=True,
            description=(
                "An instant preview on this machine: repaints walls and floor and changes the "
                "mood. It moves no furniture and invents nothing."
            ),
        )

    def estimate_cost(self, request: RenderRequest) -> Cost:
        return Cost(amount_micros=0)

    async def submit(self, request: RenderRequest) -> Submission:
        blobs = [request.image.data] + ([request.mask.data] if request.mask else [])
        try:
            pictures, answer = await self.pixels.call(
                "restyle",
                blobs,
                restyle_options(request),
                timeout_seconds=TIMEOUT_SECONDS,
                patient=True,  # workers take on no more than they mean to
            )
        except (PictureRefused, ImageProcessUnavailable, ImageOperationFailed) as error:
            raise _as_failure(error) from error
        told = Told.model_validate(answer)
        return Submission(
            ref={"engine": told.engine, "reference": request.reference},
            observation=Observation(
                phase=Phase.SUCCEEDED,
                progress=1.0,
                cost=Cost(amount_micros=0),
                notes=told.notes,
            ),
            artifacts=(_artifact(pictures[0], told),),
        )

    async def recover(self, request: RenderRequest) -> Submission | Recovery:
        return Recovery.NOT_ACCEPTED  # nothing outlives the process, and nothing was charged

    async def poll(self, ref: Ref) -> Observation:
        raise ProviderFailure(FailureCode.PROVIDER_FAILED, "the picture went with its process")

    async def fetch(self, ref: Ref) -> tuple[Artifact, ...]:
        raise ProviderFailure(FailureCode.PROVIDER_FAILED, "the picture went with its process")

    async def cancel(self, ref: Ref) -> CancelOutcome:
        return CancelOutcome.UNSUPPORTED

    async def probe(self) -> Health:
        return Health(ok=True)


def restyle_options(request: RenderRequest) -> JsonObject:
    """Say what the child process needs to know beside the pictures."""
    return {
        "style": request.style_id,
        "prompt": ", ".join(request.wishes),
        "seed": request.seed,
        "target_parts": [part.value for part in request.target_parts],
        "max_pixels": request.max_pixels,
    }


def _artifact(data: bytes, told: Told) -> Artifact:
    return Artifact(
        data=data,
        content_type=told.content_type,
        width=told.width,
        height=told.height,
        own_pixels=True,
    )


def _as_failure(error: MediciError) -> ProviderFailure:
    if isinstance(error, PictureRefused):
        return ProviderFailure(FailureCode.INVALID_INPUT, error.code)
    if isinstance(error, ImageProcessUnavailable):
        return ProviderFailure(FailureCode.UNAVAILABLE, error.code)
    return ProviderFailure(FailureCode.PROVIDER_FAILED, error.code)
