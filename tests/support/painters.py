"""A provider that does what a test says and remembers what it was asked."""

import json
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

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
    WebhookEvent,
    WebhookRefused,
)
from medici.adapters.providers.request import Operation, RenderRequest
from tests.support.pixels import PAINTING

T = TypeVar("T")
U = TypeVar("U")

ESTIMATE, PRICE = 20_000, 18_000  # millionths of a US dollar
SUCCEEDED = Observation(phase=Phase.SUCCEEDED, progress=1.0, cost=Cost(amount_micros=PRICE))
RUNNING = Observation(phase=Phase.RUNNING, progress=0.5)
PICTURE = Artifact(data=PAINTING, content_type="image/png")


def fails(code: FailureCode, *, retry_after: float | None = None) -> ProviderFailure:
    return ProviderFailure(code, f"{code} says the vendor", retry_after_seconds=retry_after)


@dataclass
class Script:
    """What the next calls of each kind answer or raise; then the painter does its best."""

    submit: deque[Exception | Observation] = field(default_factory=deque)
    recover: deque[Exception | Recovery] = field(default_factory=deque)
    poll: deque[Exception | Observation] = field(default_factory=deque)
    fetch: deque[Exception | tuple[Artifact, ...]] = field(default_factory=deque)
    cancel: deque[Exception | CancelOutcome] = field(default_factory=deque)


@dataclass
class Painter:
    """Takes work, finishes it by the first look, and delivers a picture.

    Once it has taken a reference it knows it: ``recover`` tells the truth, unless it ``forgets``.
    ``taken`` counts how often it took each, and would charge for it. ``loses_answers`` is how many
    submissions it takes without the caller learning of it. ``step`` is called within every call.
    """

    name: str = "painter"
    synchronous: bool = False
    operations: frozenset[Operation] = frozenset(Operation)
    accepts_mask: bool = True
    forgets: bool = False
    loses_answers: int = 0
    script: Script = field(default_factory=Script)
    step: Callable[[str], None] = lambda _name: None
    asked: list[tuple[str, str]] = field(default_factory=list)
    requests: list[RenderRequest] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)

    @property
    def verbs(self) -> list[str]:
        return [verb for verb, _ in self.asked]

    @property
    def submissions(self) -> Counter[str]:
        """How often each reference was sent here."""
        return Counter(reference for verb, reference in self.asked if verb == "submit")

    def capabilities(self) -> Capabilities:
        return Capabilities(
            operations=self.operations,
            accepts_mask=self.accepts_mask,
            synchronous=self.synchronous,
        )

    def estimate_cost(self, request: RenderRequest) -> Cost:
        return Cost(amount_micros=ESTIMATE)

    async def submit(self, request: RenderRequest) -> Submission:
        self.requests.append(request)
        reference = request.reference
        default = SUCCEEDED if self.synchronous else Observation(phase=Phase.QUEUED, position=2)
        observation = self._answer("submit", reference, self.script.submit, default)
        self.taken[reference] += 1
        self.step("submit answered")
        if self.loses_answers:
            self.loses_answers -= 1
            raise fails(FailureCode.TIMEOUT_AMBIGUOUS)
        return self._submission(reference, observation)

    async def recover(self, request: RenderRequest) -> Submission | Recovery:
        reference = request.reference
        said = self._answer("recover", reference, self.script.recover, None)
        if said is not None:
            return said
        if self.forgets:
            return Recovery.UNKNOWN
        if reference not in self.taken:
            return Recovery.NOT_ACCEPTED
        return self._submission(reference, SUCCEEDED if self.synchronous else RUNNING)

    async def poll(self, ref: Ref) -> Observation:
        return self._answer("poll", ref["id"], self.script.poll, SUCCEEDED)

    async def fetch(self, ref: Ref) -> tuple[Artifact, ...]:
        return self._answer("fetch", ref["id"], self.script.fetch, (PICTURE,))

    async def cancel(self, ref: Ref) -> CancelOutcome:
        return self._answer("cancel", ref["id"], self.script.cancel, CancelOutcome.CANCELED)

    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        if headers.get("x-painter") != self.name:
            raise WebhookRefused("not the painter's hand")
        return WebhookEvent(ref=json.loads(body))

    async def probe(self) -> Health:
        return Health(ok=True)

    def _submission(self, reference: str, observation: Observation) -> Submission:
        made = self.synchronous and observation.phase is Phase.SUCCEEDED
        pictures = self._next(self.script.fetch, (PICTURE,)) if made else ()
        return Submission(
            ref={"id": reference, "request_id": f"vendor-{reference}"},
            observation=observation,
            artifacts=pictures,
        )

    def _answer(self, verb: str, reference: str, said: deque[Exception | T], default: U) -> T | U:
        self.asked.append((verb, reference))
        self.step(f"{verb} asked")
        return self._next(said, default)

    @staticmethod
    def _next(said: deque[Exception | T], default: U) -> T | U:
        answer = said.popleft() if said else default
        if isinstance(answer, Exception):
            raise answer
        return answer
