"""Whose turn it is: the product's choice of a provider, and what is learnt of their health."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from medici.adapters.providers.failure import ProviderFailure
from medici.domain.rendering import rules
from medici.domain.rendering.models import AttemptState
from medici.domain.rendering.service.choosing import Wait
from medici.domain.routing import circuits
from medici.domain.routing.circuits import CLOSED, Circuit
from tests.sim.bugs import Bug
from tests.sim.rows import Attempt, Order, Store


class WaitingRoom:
    """Knows every provider's circuit, and how many attempts it takes at once."""

    def __init__(self, store: Store, caps: Mapping[str, int | None], bug: Bug | None) -> None:
        self._store = store
        self._caps = caps
        self._bug = bug
        self._circuits: dict[str, Circuit] = {}

    def choose(self, order: Order, now: datetime) -> int | Wait | None:
        """Return the position of the candidate to send to; None where nobody is left."""
        full = False
        for position in range(order.position, len(order.candidates)):
            provider = order.candidates[position]
            circuit = self._circuit(provider)
            if not circuit.admits(now):
                continue
            if self._has_room(provider):
                if circuit.is_open and self._bug is not Bug.TRIALS_CROWD:
                    self._circuits[provider] = circuits.tried(circuit, now)
                return position
            full = True
        return self._patience(order, full=full, now=now)

    def note_success(self, provider: str) -> None:
        self._circuits.pop(provider, None)

    def note_failure(self, provider: str, failure: ProviderFailure, now: datetime) -> None:
        before = self._circuits.get(provider, CLOSED)
        wait = failure.retry_after_seconds
        self._circuits[provider] = circuits.failed(before, failure.code, now, wait_seconds=wait)

    def _circuit(self, provider: str) -> Circuit:
        if self._bug is Bug.CIRCUIT_IGNORED:
            return CLOSED
        return self._circuits.get(provider, CLOSED)

    def _has_room(self, provider: str) -> bool:
        cap = self._caps[provider]
        there = (one for one in self._store.attempts.values() if one.provider == provider)
        return cap is None or sum(map(self._takes_a_place, there)) < cap

    def _takes_a_place(self, attempt: Attempt) -> bool:
        if self._bug is Bug.PLACE_UNCOUNTED and attempt.state is AttemptState.SENDING:
            return False
        return not attempt.finished

    def _patience(self, order: Order, *, full: bool, now: datetime) -> Wait | None:
        left = (self._circuit(provider) for provider in order.candidates[order.position :])
        moments = [circuit.retry_at for circuit in left if circuit.retry_at is not None]
        if full:
            moments.append(now + rules.FULL_PAUSE)
        if not moments or now - order.created_at > rules.PLACE_PATIENCE:
            return None
        until = max(min(moments), now + timedelta(seconds=1))
        return Wait(until=until) if until - now <= rules.CIRCUIT_PATIENCE else None
