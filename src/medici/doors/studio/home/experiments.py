"""The experiments that an app hears of as it starts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession


class AssignmentOut(BaseModel):
    """Which variant of an experiment a user sees."""

    experiment_id: str
    user_id: str
    variant_id: str
    config: dict[str, object]
    assigned_at: datetime
    from_cache: bool


class ExperimentsOut(BaseModel):
    user_id: str
    assignments: Sequence[AssignmentOut]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whose assignments are asked for, and how many of them at most."""

    user_id: str
    limit: int
    now: datetime


class Assignments(Protocol):
    """Whoever knows the variants of a user's running experiments."""

    async def __call__(self, session: AsyncSession, wanted: Wanted, /) -> Sequence[AssignmentOut]:
        """Return them, of as many experiments as are wanted."""
        ...


async def no_assignments(_session: AsyncSession, _wanted: Wanted) -> Sequence[AssignmentOut]:
    """Return none: no experiment runs in this deployment."""
    return ()


assignments: Assignments = no_assignments
