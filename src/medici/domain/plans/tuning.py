"""Variables: setting one, and going back to its default."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans.changes import lock_catalogue, remove, save
from medici.domain.plans.errors import VariableNotFound
from medici.domain.plans.models import Scalar, Variable
from medici.domain.plans.rules import Change
from medici.domain.plans.variables import Tunable


async def set_variable(
    session: AsyncSession,
    *,
    key: str,
    value: Scalar,
    description: str | None,
    tunable: Tunable[Scalar] | None,
    now: datetime,
) -> Change:
    """Store a value. ``description`` None keeps the one there is.

    ``tunable`` says what some code expects of it; a variable that none reads takes any scalar.

    Raises:
        VariableRefused: the value is of another type, or out of bounds.
    """
    accepted = tunable.accept(value) if tunable else value
    await lock_catalogue(session)
    known = await session.get(Variable, key)
    described = description or (known.description if known else None)
    if described is None and tunable:
        described = tunable.description
    values = {"value": accepted, "description": described}
    return await save(session, Variable, key, values, now=now)


async def delete_variable(session: AsyncSession, *, key: str) -> Change:
    """Forget what is stored; a variable that some code reads counts as its default again.

    Raises:
        VariableNotFound: nothing is stored.
    """
    await lock_catalogue(session)
    variable = await session.get(Variable, key)
    if variable is None:
        raise VariableNotFound(f"no variable {key} is stored")
    return await remove(session, variable)
