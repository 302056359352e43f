"""Cells of tests."""

from dataclasses import replace

from medici.domain.analytics.queries import Cell
from medici.domain.events.facts import EventName

COMPLETED = Cell(
    name=EventName.RENDER_STATUS_UPDATED,
    provider="fal",
    model="flux",
    operation="restyle",
    tier="preview",
    status="completed",
    platform="ios",
    plan_id="pro",
    error_code="",
    trusted=True,
    events=10,
    timed=10,
    latency_ms=20_000,
    costed=10,
    cost_micros=250_000,
    credits=10,
)


def cell(**changes: object) -> Cell:
    """Give ten completed renders, or others."""
    return replace(COMPLETED, **changes)  # type: ignore[arg-type]  # by name
