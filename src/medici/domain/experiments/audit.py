"""What was done to experiments, by whom and why: written down with the act, read back in pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.models import AuditEntry
from medici.domain.identity.principal import Operator
from medici.domain.identity.service import record_audit

NOUN = "experiment"  # in the audit


class Action(StrEnum):
    """What can be done to an experiment. Its set-up by people, the rest by automation as well."""

    UPSERTED = "experiment_upserted"
    DELETED = "experiment_deleted"
    RESUMED = "experiment_resumed"
    PHASE_STARTED = "experiment_phase_started"
    PAUSED_GUARDRAIL = "experiment_paused_guardrail"
    ROLLOUT_APPLIED = "experiment_rollout_applied"
    ROLLOUT_ROLLED_BACK = "experiment_rollout_rolled_back"
    ROUTES_PUBLISHED = "experiment_routes_published"
    AUTOMATION_RUN = "experiment_automation_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Who acts on experiments, and why; ``actor`` is a name that nobody has proved."""

    operator: Operator
    actor: str
    now: datetime
    reason: str = ""
    request_id: str | None = None


async def record(
    session: AsyncSession,
    action: str,
    target_id: str,
    *,
    act: Act,
    metadata: Mapping[str, object] | None = None,
) -> AuditEntry:
    """Write down what was done to one experiment, in the transaction that does it.

    ``target_id`` is its id; for an act on many of them, a reserved one such as ``automation``.
    """
    return await record_audit(
        session,
        action=action,
        operator=act.operator,
        reason=act.reason or None,
        target=(NOUN, target_id),
        after={"actor": act.actor, "metadata": dict(metadata or {})},
        request_id=act.request_id,
        now=act.now,
    )


async def entries(
    session: AsyncSession,
    *,
    limit: int,
    experiment_id: str | None = None,
    action: str | None = None,
    before: UUID | None = None,
) -> Sequence[AuditEntry]:
    """Return what was done, newest first, older than entry ``before``."""
    wanted = select(AuditEntry).where(AuditEntry.target_kind == NOUN)
    if experiment_id is not None:
        wanted = wanted.where(AuditEntry.target_id == experiment_id)
    if action is not None:
        wanted = wanted.where(AuditEntry.action == action)
    if before is not None:
        wanted = wanted.where(AuditEntry.id < before)
    return (await session.scalars(wanted.order_by(AuditEntry.id.desc()).limit(limit))).all()


def changed(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, object]]:
    """Return the fields that differ, as they were and as they are.

    Of an object within, such as the overrides, only the keys that differ are kept.
    """
    was: dict[str, object] = {}
    became: dict[str, object] = {}
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            old, new = changed(old, new)
        was[name], became[name] = old, new
    return was, became
