"""Looks: saving, deleting and bringing back the first set."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans import defaults, queries
from medici.domain.plans.changes import lock_catalogue, remove, save, values_of
from medici.domain.plans.errors import StyleNotFound
from medici.domain.plans.models import Style
from medici.domain.plans.rules import Change, StyleTerms


async def save_style(
    session: AsyncSession, *, style_id: str, terms: StyleTerms, now: datetime
) -> Change:
    """Make a style, or change it."""
    await lock_catalogue(session)
    return await save(session, Style, style_id, values_of(terms), now=now)


async def delete_style(session: AsyncSession, *, style_id: str) -> Change:
    """Delete a style; pictures that were made in it stay.

    Raises:
        StyleNotFound: there is none.
    """
    await lock_catalogue(session)
    style = await queries.style_by_id(session, style_id)
    if style is None:
        raise StyleNotFound(f"there is no style {style_id}")
    return await remove(session, style)


async def seed_styles(
    session: AsyncSession, *, overwrite: bool, now: datetime
) -> dict[str, Change]:
    """Bring back the styles of a new catalogue; those that exist change if ``overwrite`` says so.

    Returns what changed, by style.
    """
    await lock_catalogue(session)
    known = {style.style_id for style in await session.scalars(queries.styles_in_order())}
    changes = {}
    for row in defaults.STYLES:
        style_id = str(row["style_id"])
        if overwrite or style_id not in known:
            changes[style_id] = await save(session, Style, style_id, row, now=now)
    return {style_id: each for style_id, each in changes.items() if each.before != each.after}
