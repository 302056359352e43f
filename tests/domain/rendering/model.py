"""What a small model knows of a render, and what it expects of the ledger."""

from dataclasses import dataclass
from uuid import UUID

from medici.domain.ledger.models import HoldStatus
from medici.domain.rendering.models import RenderAttempt, RenderState


@dataclass
class Try:
    """What the model knows of one attempt."""

    id: UUID
    provider: str
    state: str = "sending"
    cost: int | None = None

    @property
    def is_open(self) -> bool:
        return self.state in {"sending", "running", "uncertain"}


def shown(one: RenderAttempt) -> tuple[UUID, str, str, int | None]:
    return one.id, one.provider, one.state.value, one.actual_cost_micros


def expected_hold(state: RenderState) -> HoldStatus:
    if state is RenderState.SUCCEEDED:
        return HoldStatus.CAPTURED
    return HoldStatus.VOIDED if state.is_terminal else HoldStatus.PENDING
