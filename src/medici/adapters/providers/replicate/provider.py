"""The provider Replicate."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from medici.adapters.providers.calls import ARTIFACT_SECONDS, download
from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
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
    WebhookEvent,
    WebhookRefused,
)
from medici.adapters.providers.replicate import webhooks
from medici.adapters.providers.replicate.answers import Prediction, Status, prediction_of
from medici.adapters.providers.replicate.costs import USUAL_PIXELS, Tariff
from medici.adapters.providers.replicate.failures import (
    failure_of,
    refused_question,
    refused_submission,
)
from medici.adapters.providers.replicate.inputs import data_uri, model_input
from medici.adapters.providers.replicate.signing import SigningKey
from medici.adapters.providers.replicate.wire import Wire
from medici.adapters.providers.request import InputImage, Operation, RenderRequest
from medici.kernel.clock import Clock, system_clock
from medici.kernel.net.client import OutgoingClient, Response

BASE = "https://api.replicate.com/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicateProvider:
    """Runs any of the vendor's models; a model is ``owner/name`` or ``owner/name:version``.

    ``webhook_secret`` is asked for at the vendor where the settings hold none.
    """

    outgoing: OutgoingClient
    key: str = field(repr=False)
    prices: PriceList
    clock: Clock = system_clock
    base: str = BASE
    webhook_secret: str | None = field(default=None, repr=False)
    submit_seconds: float = 30.0
    read_seconds: float = 15.0
    artifact_seconds: float = ARTIFACT_SECONDS
    name: str = "replicate"
    _signing: SigningKey = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_signing", SigningKey(self.webhook_secret))

    def capabilities(self) -> Capabilities:
        return Capabilities(
            operations=frozenset(Operation),
            description="Models of many makers, by the picture or by the second.",
        )

    def estimate_cost(self, request: RenderRequest) -> Cost:
        return self._tariff(request.model).estimate(request.max_pixels)

    async def submit(self, request: RenderRequest) -> Submission:
        photo = await self._address(request.image)
        given = model_input(request, photo)
        answer = await self._wire.create(request.model, given, self._webhook(request))
        prediction = prediction_of(answer.body) if 200 <= answer.status < 300 else None
        if prediction is None:
            raise refused_submission(answer)
        ref = {
            "request_id": prediction.id,
            "model": request.model,
            "max_pixels": request.max_pixels,
        }
        return Submission(ref=ref, observation=self._observation(prediction, ref))

    async def recover(self, request: RenderRequest) -> Submission | Recovery:
        return Recovery.AWAITED if self._webhook(request) else Recovery.UNKNOWN

    async def poll(self, ref: Ref) -> Observation:
        return self._observation(await self._prediction(ref), ref)

    async def fetch(self, ref: Ref) -> tuple[Artifact, ...]:
        prediction = await self._prediction(ref)
        if failure := failure_of(prediction):
            raise failure
        if not prediction.files:
            raise ProviderFailure(FailureCode.NO_OUTPUT, "the prediction brought no picture")
        return tuple(
            [
                await download(self.outgoing, address, seconds=self.artifact_seconds)
                for address in prediction.files
            ]
        )

    async def cancel(self, ref: Ref) -> CancelOutcome:
        answer = await self._wire.cancel(ref["request_id"])
        if answer.status in {404, 409, 422}:
            return CancelOutcome.TOO_LATE
        prediction = _the_one(answer, ref)
        if prediction.status in {Status.CANCELED, Status.ABORTED}:
            return CancelOutcome.CANCELED
        return CancelOutcome.TOO_LATE if prediction.phase.is_terminal else CancelOutcome.REQUESTED

    async def probe(self) -> Health:
        try:
            answer = await self._wire.read("/account")
        except ProviderFailure as failure:
            return Health(ok=False, detail=failure.message)
        if answer.status != 200:
            return Health(ok=False, detail=str(refused_question(answer)))
        return Health(ok=True)

    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        await self._verify(headers, body)
        prediction = prediction_of(body)
        if prediction is None:
            raise WebhookRefused("the webhook brings no prediction")
        return WebhookEvent(ref={"request_id": prediction.id, "model": prediction.model or ""})

    async def _verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Accept what the known secret signed, or the one that has replaced it."""
        now, fetch = self.clock(), self._wire.signing_secret
        key = await self._signing.known(fetch, now)
        try:
            webhooks.verify(key, headers, body, now=now)
        except WebhookRefused:
            renewed = await self._signing.renewed(fetch, now, instead_of=key)
            if renewed is None or renewed == key:
                raise
            webhooks.verify(renewed, headers, body, now=now)

    def _webhook(self, request: RenderRequest) -> str | None:
        """Return where we are called; the vendor refuses orders that name anything but https."""
        url = request.webhook_url or ""
        plain = self.base.startswith("http://")
        return url if url.startswith("https://") or (url and plain) else None

    async def _address(self, image: InputImage) -> str:
        """Return where the model finds a picture: with us, in the address itself, or uploaded."""
        return image.url or data_uri(image) or await self._wire.upload(image)

    async def _prediction(self, ref: Ref) -> Prediction:
        return _the_one(await self._wire.read(f"/predictions/{ref['request_id']}"), ref)

    def _observation(self, prediction: Prediction, ref: Ref) -> Observation:
        failure = failure_of(prediction)
        return Observation(
            phase=_phase(prediction, failure),
            progress=prediction.progress,
            failure=failure,
            cost=self._cost(prediction, ref) if prediction.phase.is_terminal else None,
        )

    def _cost(self, prediction: Prediction, ref: Ref) -> Cost:
        pixels = int(ref.get("max_pixels", USUAL_PIXELS))
        return self._tariff(str(ref["model"])).actual(prediction, pixels)

    def _tariff(self, model: str) -> Tariff:
        return Tariff(prices=self.prices, provider=self.name, model=model, at=self.clock())

    @property
    def _wire(self) -> Wire:
        return Wire(
            outgoing=self.outgoing,
            key=self.key,
            base=self.base,
            submit_seconds=self.submit_seconds,
            read_seconds=self.read_seconds,
        )


def _phase(prediction: Prediction, failure: ProviderFailure | None) -> Phase:
    if isinstance(failure, WorkExpired):
        return Phase.EXPIRED
    if failure is not None and failure.code is FailureCode.MODERATED:
        return Phase.MODERATED
    return prediction.phase


def _the_one(answer: Response, ref: Ref) -> Prediction:
    """Read the prediction that was asked for.

    Raises:
        ProviderFailure: refused, or what came is unreadable or of other work (``UNAVAILABLE``).
    """
    if answer.status not in {200, 201, 202}:
        raise refused_question(answer)
    prediction = prediction_of(answer.body)
    if prediction is None or prediction.id != ref["request_id"]:
        raise ProviderFailure(FailureCode.UNAVAILABLE, "the answer is not about our work")
    return prediction
