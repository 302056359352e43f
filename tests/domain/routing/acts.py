"""Acts of an operator on provider settings."""

from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.identity.models import AuditEntry
from medici.domain.identity.principal import Operator, Proof
from medici.domain.routing.drafting import Act, change_draft
from medici.domain.routing.publishing import Rollout, publish
from medici.domain.routing.queries import published
from medici.domain.routing.settings import initial_settings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FIRST = initial_settings(fal=True, openai=True)
REGISTERED = frozenset({"fal", "openai", "local", "mock"})
ACT = Act(operator=Operator(proof=Proof.OPEN_MODE, actor="open_mode"), actor="ada", now=NOW)


async def drafted(
    session: AsyncSession, default: str = "openai", *, revision: int | None = None
) -> int:
    patch = {"default_provider": default}
    draft = await change_draft(session, patch, act=ACT, registered=REGISTERED, revision=revision)
    return draft.revision


async def went_out(session: AsyncSession, percent: int = 100) -> int:
    version = await publish(
        session, act=ACT, registered=REGISTERED, rollout=Rollout(percent=percent)
    )
    return version.version


async def actions(session: AsyncSession) -> list[str]:
    return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def in_force(session: AsyncSession) -> tuple[int, str]:
    found = await published(session)
    return found.version, found.settings.default_provider
