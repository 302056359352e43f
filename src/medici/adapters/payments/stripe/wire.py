"""The calls to Stripe's API: one version, one key, and no answer lost for want of a second try."""

from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from medici.adapters.payments.errors import StoreUnavailable
from medici.adapters.payments.stripe.errors import StripeRefused
from medici.adapters.payments.stripe.event import environment_of
from medici.adapters.payments.stripe.fields import Part
from medici.adapters.payments.stripe.forms import Fields, encoded
from medici.kernel.environment import Environment
from medici.kernel.net.client import Limits, OutgoingClient, Response
from medici.kernel.net.errors import RequestFailed, UnsafeUrl
from medici.kernel.net.trust import Credentials

API_VERSION = "2026-10-28.endive"
LIVE = ("sk_live_", "rk_live_")
TRIES = 2  # a repeat is safe: a POST carries its idempotency key
LIMITS = Limits(seconds=20, max_bytes=4 * 1024 * 1024)
PASSING = frozenset({409, 424, 429})  # beside 5xx: busy, not wrong
FORM = "application/x-www-form-urlencoded"

Answer = TypeVar("Answer", bound=BaseModel)


class _Problem(Part):
    type: str = "error"
    code: str | None = None


class _Refusal(Part):
    error: _Problem = _Problem()


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeWire:
    """Speaks to one base address, and sends the key nowhere else."""

    outgoing: OutgoingClient
    key: str = field(repr=False)
    base: str = "https://api.stripe.com"
    limits: Limits = LIMITS

    @property
    def environment(self) -> Environment:
        """Tell which of Stripe's two worlds the key opens."""
        return environment_of(livemode=self.key.startswith(LIVE))

    async def get(self, kind: type[Answer], path: str, fields: Fields | None = None) -> Answer:
        """Ask for something.

        Raises:
            StripeRefused: there is no such thing, or it is not for us.
            StoreUnavailable: no answer, or none that can be read.
        """
        query = f"?{encoded(fields)}" if fields else ""
        return _read(kind, await self._ask("GET", f"{path}{query}"))

    async def post(self, kind: type[Answer], path: str, fields: Fields, *, key: str) -> Answer:
        """Have something done once for a ``key``, however often it is asked for; raises as get."""
        answer = await self._ask(
            "POST", path, body=encoded(fields).encode(), idempotency_key=key[:255]
        )
        return _read(kind, answer)

    async def _ask(
        self, method: str, path: str, *, body: bytes | None = None, idempotency_key: str = ""
    ) -> Response:
        headers = {"Stripe-Version": API_VERSION}
        if body is not None:
            headers |= {"Content-Type": FORM, "Idempotency-Key": idempotency_key}
        problem = "no answer"
        for _ in range(TRIES):
            try:
                answer = await self.outgoing.request(
                    method,
                    f"{self.base.rstrip('/')}/v1{path}",
                    limits=self.limits,
                    headers=headers,
                    body=body,
                    redirects=0,
                    credentials=self._credentials,
                )
            except (RequestFailed, UnsafeUrl) as failed:
                problem = str(failed)
                continue
            if answer.status < 500 and answer.status not in PASSING:
                return answer
            problem = f"it answers {answer.status}"
        raise StoreUnavailable(f"Stripe does not answer: {problem}")

    @property
    def _credentials(self) -> Credentials:
        return Credentials(only_to=self.base, headers={"Authorization": f"Bearer {self.key}"})


def _read(kind: type[Answer], answer: Response) -> Answer:
    if answer.status != 200:
        raise StripeRefused(answer.status, _reason(answer.body))
    try:
        return kind.model_validate_json(answer.body)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise StoreUnavailable(f"Stripe's answer is odd at {place}") from None


def _reason(body: bytes) -> str:
    try:
        problem = _Refusal.model_validate_json(body).error
    except ValidationError:
        return "no reason given"
    return (problem.code or problem.type)[:64]
