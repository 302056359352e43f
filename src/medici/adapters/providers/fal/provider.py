"""fal's queue as one of our providers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from medici.adapters.providers.calls import ARTIFACT_SECONDS, download
from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.fal import webhooks
from medici.adapters.providers.fal.answers import Accepted, Call, Output, Status, read
from medici.adapters.providers.fal.costs import Tariff
from medici.adapters.providers.fal.endpoints import (
    Addresses,
    addresses_of,
    known_addresses,
    ruled_addresses,
)
from medici.adapters.providers.fal.failures import (
    CANCELED,
    failed_result,
    failed_work,
    is_about_the_work,
    refused_question,
    refused_submission,
)
from medici.adapters.providers.fal.inputs import Input, data_uri, model_input, takes_mask
from medici.adapters.providers.fal.keys import PublicKeys
from medici.adapters.providers.fal.patience import Patience, may_be_retried
from medici.adapters.providers.fal.wire import Bases, Wire
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
from medici.adapters.providers.request import InputImage, Operation, RenderRequest, Tier
from medici.kernel.clock import Clock, system_clock
from medici.kernel.net.client import OutgoingClient, Response

PHASES = {"IN_QUEUE": Phase.QUEUED, "IN_PROGRESS": Phase.RUNNING}
COMPLETED = "COMPLETED"
UNITS = "x-fal-billable-units"
FREE = Cost(amount_micros=0)
RETRIES = "retries"  # in a ref: whether the queue tries failed work again by itself
PROBED = ("fal-ai/flux", "00000000-0000-0000-0000-000000000000")  # work that nobody has ordered


@dataclass(frozen=True, slots=True, kw_only=True)
class FalProvider:
    """Queues our work at fal. ``max_in_flight`` is how much of it may be there at once.

    Nobody waits much longer than ``start_seconds`` for a picture, so work that has not begun by
    then shall not begin at all. A preview that fails is tried again by us, at once, and not by the
    queue in its own time.
    """

    outgoing: OutgoingClient
    key: str = field(repr=False)
    prices: PriceList
    bases: Bases = field(default_factory=Bases)
    submit_seconds: float = 45.0
    read_seconds: float = 15.0
    artifact_seconds: float = ARTIFACT_SECONDS
    start_seconds: float = 840.0
    max_in_flight: int | None = None
    clock: Clock = system_clock
    name: str = "fal"
    _keys: PublicKeys = field(default_factory=PublicKeys, init=False, repr=False)

    def capabilities(self) -> Capabilities:
        return Capabilities(
            operations=frozenset(Operation),
            max_in_flight=self.max_in_flight,
            description="Models of many makers behind one queue, which tells one's place in it.",
        )

    def estimate_cost(self, request: RenderRequest) -> Cost:
        return self._tariff(request.model).estimate(request.max_pixels)

    async def submit(self, request: RenderRequest) -> Submission:
        patience = Patience(
            start_seconds=self.start_seconds, retries=request.tier is not Tier.PREVIEW
        )
        given, webhook = await self._given(request), self._webhook(request)
        answer = await self._wire.submit(request.model, given, webhook, patience)
        accepted = read(Accepted, answer.body) if 200 <= answer.status < 300 else None
        if accepted is None:
            raise refused_submission(answer)
        found = addresses_of(self.bases.queue, request.model, accepted)
        work = {"request_id": accepted.request_id, "model": request.model}
        return Submission(
            ref={**work, RETRIES: patience.retries, **found.as_ref()},
            observation=Observation(phase=Phase.QUEUED, position=accepted.queue_position),
        )

    async def recover(self, request: RenderRequest) -> Submission | Recovery:
        return Recovery.AWAITED if self._webhook(request) else Recovery.UNKNOWN

    async def poll(self, ref: Ref) -> Observation:
        answer = await self._wire.repeat("GET", self._addresses(ref).status)
        status = read(Status, answer.body) if 200 <= answer.status < 300 else None
        if status is None:
            raise refused_question(answer)
        if status.request_id not in {None, ref["request_id"]}:
            raise ProviderFailure(FailureCode.UNAVAILABLE, "the answer is not about our work")
        if status.status != COMPLETED:
            phase = PHASES.get(status.status, Phase.RUNNING)
            return Observation(phase=phase, position=status.queue_position)
        if status.error_type in CANCELED:
            return Observation(phase=Phase.CANCELED)
        if status.error or status.error_type:
            hint = may_be_retried(answer.headers)
            return _failed(failed_work(status, hint=hint, retried=_retried(ref)))
        return await self._ended(ref)

    async def fetch(self, ref: Ref) -> tuple[Artifact, ...]:
        output = _output(await self._result(ref))
        return tuple(
            [
                await download(self.outgoing, one.url, seconds=self.artifact_seconds)
                for one in output.decent[:1]
            ]
        )

    async def cancel(self, ref: Ref) -> CancelOutcome:
        answer = await self._wire.repeat("PUT", self._addresses(ref).cancel)
        if answer.status in {400, 404}:
            return CancelOutcome.TOO_LATE
        said = read(Status, answer.body) if 200 <= answer.status < 300 else None
        if said is None:
            raise refused_question(answer)
        return CancelOutcome.CANCELED if said.status == "OK" else CancelOutcome.REQUESTED

    async def probe(self) -> Health:
        """Ask for work that does not exist: only a key that fal takes gets to hear that."""
        try:
            answer = await self._wire.repeat(
                "GET", ruled_addresses(self.bases.queue, *PROBED).status
            )
        except ProviderFailure as failure:
            return Health(ok=False, detail=failure.message)
        if answer.status in {401, 403} or answer.status >= 500:
            return Health(ok=False, detail=refused_question(answer).message)
        return Health(ok=True)

    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        signed_for = await self._verify(headers, body)
        call = read(Call, body)
        if call is None or call.request_id != signed_for:
            raise WebhookRefused("the webhook's body is not what its headers say")
        return WebhookEvent(ref={"request_id": call.request_id})

    async def _verify(self, headers: Mapping[str, str], body: bytes) -> str:
        """Accept what a known key signed, or one that has been published since."""
        now, fetch = self.clock(), self._wire.webhook_keys
        keys = await self._keys.known(fetch, now)
        try:
            return webhooks.verify(keys, headers, body, now=now)
        except WebhookRefused:
            renewed = await self._keys.renewed(fetch, now, instead_of=keys)
            if renewed is None:
                raise
            return webhooks.verify(renewed, headers, body, now=now)

    async def _ended(self, ref: Ref) -> Observation:
        """Look at the result, since only there stands whether there is one, and what it costs."""
        answer = await self._wire.repeat("GET", self._addresses(ref).response)
        if not is_about_the_work(answer):
            raise ProviderFailure(FailureCode.UNAVAILABLE, f"the result answers {answer.status}")
        if answer.status != 200:
            return _failed(failed_result(answer, retried=_retried(ref)))
        output = _output(answer)
        tariff = self._tariff(str(ref["model"]))
        cost = tariff.actual(output, billable_units=answer.headers.get(UNITS))
        if output.pictures and not output.decent:
            failure = ProviderFailure(FailureCode.MODERATED, "the model's checker marked it")
            return Observation(phase=Phase.MODERATED, failure=failure, cost=cost)
        return Observation(phase=Phase.SUCCEEDED, progress=1.0, cost=cost)

    async def _result(self, ref: Ref) -> Response:
        answer = await self._wire.repeat("GET", self._addresses(ref).response)
        if answer.status != 200:
            raise failed_result(answer) if answer.status < 500 else refused_question(answer)
        return answer

    async def _given(self, request: RenderRequest) -> Input:
        photo, mask = await self._address(request.image), None
        if request.mask is not None and takes_mask(request.model):
            mask = await self._address(request.mask)
        return model_input(request, photo, mask)

    async def _address(self, image: InputImage) -> str:
        """Return where the model finds a picture: with us, in the address itself, or uploaded."""
        return image.url or data_uri(image) or await self._wire.upload(image)

    def _webhook(self, request: RenderRequest) -> str | None:
        """Return where fal is to call; it calls https alone, except a queue that is http itself."""
        url = request.webhook_url or ""
        plain = self.bases.queue.startswith("http://")
        return url if url.startswith("https://") or (url and plain) else None

    def _addresses(self, ref: Ref) -> Addresses:
        return known_addresses(self.bases.queue, ref)

    def _tariff(self, model: str) -> Tariff:
        return Tariff(prices=self.prices, provider=self.name, model=model, at=self.clock())

    @property
    def _wire(self) -> Wire:
        return Wire(
            outgoing=self.outgoing,
            key=self.key,
            bases=self.bases,
            submit_seconds=self.submit_seconds,
            read_seconds=self.read_seconds,
        )


def _retried(ref: Ref) -> bool:
    return bool(ref.get(RETRIES, True))


def _failed(failure: ProviderFailure) -> Observation:
    """Report failed work; for what its own machines got wrong, fal charges nothing."""
    moderated = failure.code is FailureCode.MODERATED
    return Observation(
        phase=Phase.MODERATED if moderated else Phase.FAILED,
        failure=failure,
        cost=FREE if failure.code is FailureCode.UNAVAILABLE else None,
    )


def _output(answer: Response) -> Output:
    output = read(Output, answer.body)
    if output is None:
        raise ProviderFailure(FailureCode.NO_OUTPUT, "fal's result cannot be read")
    return output
