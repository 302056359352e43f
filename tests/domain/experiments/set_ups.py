"""An operator at work on experiments, and the set-ups that are changed from test to test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.assignments.definition import Variant
from medici.domain.assignments.models import Assignment, Reason
from medici.domain.experiments import audit
from medici.domain.experiments.audit import Act
from medici.domain.experiments.form import SetUp
from medici.domain.experiments.service.setting_up import Put, put
from medici.domain.identity.models import AuditEntry
from medici.domain.identity.principal import Operator, Proof

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
EVE = Act(
    operator=Operator(proof=Proof.ADMIN_TOKEN, actor="admin_token"),
    actor="eve",
    reason="a test",
    now=NOW,
)
LATE = replace(EVE, now=LATER)


def variant(variant_id: str, weight: float = 50, **config: object) -> Variant:
    return Variant(variant_id=variant_id, weight=weight, config=config)


CONTROL, AFTER = variant("control", mode="late"), variant("after", mode="soon")
PAYWALL = SetUp(
    name="Paywall timing",
    primary_metric="upgrade_conversion_7d",
    variants=(CONTROL, AFTER),
    guardrails={"render_success_rate_min": 85},
)


async def set_up(
    session: AsyncSession, wanted: SetUp = PAYWALL, *, act: Act = EVE, **options: Any
) -> Put:
    return await put(session, "paywall", wanted, act=act, **options)


async def assigned(
    session: AsyncSession, user_id: str = "ada", experiment_id: str = "paywall"
) -> Assignment:
    """Write down that a user got a variant."""
    row = Assignment(
        experiment_id=experiment_id,
        user_id=user_id,
        variant_id="after",
        bucket=0.7,
        rollout_bucket=0.5,
        phase=1,
        bucket_version=0,
        assigned_at=NOW,
        enrolled=True,
        reason=Reason.HASH,
    )
    session.add(row)
    await session.flush()
    return row


async def done(session: AsyncSession) -> list[str]:
    """Name what was done to experiments, oldest first."""
    wanted = select(AuditEntry.action).where(AuditEntry.target_kind == audit.NOUN)
    return list(await session.scalars(wanted.order_by(AuditEntry.id)))


async def told(session: AsyncSession, action: str) -> dict[str, Any]:
    """Return what the newest entry of a kind tells."""
    newest = (await audit.entries(session, limit=1, action=action))[0]
    metadata = (newest.after or {})["metadata"]
    assert isinstance(metadata, dict)
    return metadata
