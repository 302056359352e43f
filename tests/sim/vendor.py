"""A provider that misbehaves in every way it can, as the dice fall."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
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
from medici.adapters.providers.request import InputImage, Operation, RenderRequest, Tier
from tests.sim.pausing import pause
from tests.sim.rows import Store, Violation

PICTURE = Artifact(data=b"", content_type="image/png")
REFUSALS = (
    *[FailureCode.RATE_LIMITED] * 3,
    *[FailureCode.UNAVAILABLE] * 6,
    FailureCode.NO_OUTPUT,
    FailureCode.QUOTA,
    FailureCode.MODERATED,
    FailureCode.INVALID_INPUT,
)
ENDS = ("ok", "ok", "ok", "ok", "ok", "empty", "empty", "moderated", "failed", "dropped", "never")
IMAGE = InputImage(data=b"", content_type="image/png")


@dataclass(slots=True, kw_only=True)
class Work:
    """What the vendor took, and would charge for."""

    ends_at: datetime
    end: str
    canceled: bool = False
    by_robbed: bool  # sent by a run that had lost its job; no fence can call back what is sent


class Vendor:
    """Keeps its own journal of what it took. ``memory`` says what ``recover`` can tell."""

    def __init__(
        self, name: str, store: Store, dice: Random, *, memory: Recovery | None, synchronous: bool
    ) -> None:
        self._name = name
        self._store = store
        self._dice = dice
        self._memory = memory
        self._synchronous = synchronous
        self._grumpiness = dice.choice((0.1, 0.3, 0.9))
        self.works: dict[str, Work] = {}
        self.accepted: deque[str] = deque()  # references that nobody has looked at yet
        self.news: deque[tuple[str, str]] = deque()  # webhooks that were sent
        self.doubled = 0  # works that a run sent which had been overtaken while it was frozen
        self.healed = False

    @property
    def name(self) -> str:
        return self._name

    def heal(self) -> None:
        """From now on answer truly, and finish everything."""
        self.healed = True
        for work in self.works.values():
            if work.end == "never":
                work.end = "ok"
            work.ends_at = min(work.ends_at, self._store.moment)

    def capabilities(self) -> Capabilities:
        return Capabilities(operations=frozenset(Operation), synchronous=self._synchronous)

    def estimate_cost(self, request: RenderRequest) -> Cost:
        return Cost(amount_micros=20_000)

    async def submit(self, request: RenderRequest) -> Submission:
        await pause(f"{self._name}: submission on its way")
        if self._happens(self._grumpiness):
            code = self._dice.choice(REFUSALS)
            hint = self._dice.choice((None, 3.0, 90.0))
            raise ProviderFailure(code, "refused", retry_after_seconds=hint)
        if self._happens(0.1):
            raise ProviderFailure(FailureCode.TIMEOUT_AMBIGUOUS, "lost on the way there")
        self._take(request.reference)
        await pause(f"{self._name}: submission taken")
        if self._happens(0.2):
            raise ProviderFailure(FailureCode.TIMEOUT_AMBIGUOUS, "lost on the way back")
        return self._found(request.reference)

    async def recover(self, request: RenderRequest) -> Submission | Recovery:
        await pause(f"{self._name}: asked what it took")
        self._perhaps_silent()
        if self._memory is not None:
            return self._memory
        if request.reference not in self.works:
            return Recovery.NOT_ACCEPTED
        return self._found(request.reference)

    async def poll(self, ref: Ref) -> Observation:
        await pause(f"{self._name}: asked how far it is")
        self._perhaps_silent()
        return self._seen(self.works[ref["id"]])

    async def fetch(self, ref: Ref) -> tuple[Artifact, ...]:
        await pause(f"{self._name}: asked for the picture")
        self._perhaps_silent()
        return () if self.works[ref["id"]].end == "empty" else (PICTURE,)

    async def cancel(self, ref: Ref) -> CancelOutcome:
        await pause(f"{self._name}: told to stop")
        self._perhaps_silent()
        work = self.works[ref["id"]]
        outcome = self._dice.choice(tuple(CancelOutcome))
        work.canceled = work.canceled or outcome is CancelOutcome.CANCELED
        return outcome

    async def probe(self) -> Health:
        return Health(ok=True)

    def _happens(self, chance: float) -> bool:
        return not self.healed and self._dice.random() < chance

    def _perhaps_silent(self) -> None:
        if self._happens(0.15):
            code = self._dice.choice((FailureCode.UNAVAILABLE, FailureCode.TIMEOUT_AMBIGUOUS))
            raise ProviderFailure(code, "silent")

    def _take(self, reference: str) -> None:
        if (known := self.works.get(reference)) is not None:
            if not (known.by_robbed or self._store.robbed):
                raise Violation(f"{self._name} took the same attempt twice")
            self.doubled += 1
            return
        end = "ok" if self.healed else self._dice.choice(ENDS)
        seconds = 0.0 if self.healed else self._dice.choice((0.0, 2.0, 20.0, 300.0))
        ends_at = self._store.moment + timedelta(seconds=seconds)
        self.works[reference] = Work(ends_at=ends_at, end=end, by_robbed=self._store.robbed)
        if self._store.robbed:
            self.doubled += 1
        else:
            self.accepted.append(reference)
        if self._memory is Recovery.AWAITED:
            self.news.extend([(self._name, reference)] * (2 if self._happens(0.3) else 1))

    def _found(self, reference: str) -> Submission:
        work = self.works[reference]
        if self._synchronous:
            work.ends_at = self._store.moment
        seen = self._seen(work)
        made = self._synchronous and seen.phase is Phase.SUCCEEDED and work.end != "empty"
        ref = {"id": reference, "request_id": f"vendor-{reference}"}
        return Submission(ref=ref, observation=seen, artifacts=(PICTURE,) if made else ())

    def _seen(self, work: Work) -> Observation:
        if work.canceled:
            return _failed(Phase.CANCELED, FailureCode.PROVIDER_FAILED)
        if work.ends_at > self._store.moment or (work.end == "never" and not self._synchronous):
            return Observation(phase=Phase.RUNNING, progress=0.5)
        match work.end:
            case "moderated":
                return _failed(Phase.MODERATED, FailureCode.MODERATED)
            case "failed" | "never":
                return _failed(Phase.FAILED, FailureCode.PROVIDER_FAILED)
            case "dropped":
                return Observation(phase=Phase.EXPIRED, failure=WorkExpired("dropped"))
        return Observation(phase=Phase.SUCCEEDED, progress=1.0)


def asked_for(reference: str) -> RenderRequest:
    """Return a request that only its reference tells from others."""
    return RenderRequest(
        reference=reference,
        operation=Operation.RESTYLE,
        tier=Tier.PREVIEW,
        model="m",
        image=IMAGE,
        style_id="nordic",
        prompt="nordic",
    )


def _failed(phase: Phase, code: FailureCode) -> Observation:
    return Observation(phase=phase, failure=ProviderFailure(code, "ended badly"))
