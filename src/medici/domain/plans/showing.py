"""The discover feed: saving and deleting its sections and their pictures."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans.changes import lock_catalogue, remove, save, values_of
from medici.domain.plans.errors import DiscoverItemNotFound, DiscoverSectionNotFound
from medici.domain.plans.models import DiscoverItem, DiscoverSection
from medici.domain.plans.rules import Change, ItemTerms, SectionTerms


async def save_section(
    session: AsyncSession, *, key: str, terms: SectionTerms, now: datetime
) -> Change:
    """Make a section, or change it."""
    await lock_catalogue(session)
    return await save(session, DiscoverSection, key, values_of(terms), now=now)


async def delete_section(session: AsyncSession, *, key: str) -> Change:
    """Delete a section with everything in it.

    Raises:
        DiscoverSectionNotFound: there is none.
    """
    await lock_catalogue(session)
    section = await _section(session, key)
    await session.execute(delete(DiscoverItem).where(DiscoverItem.section_key == key))
    return await remove(session, section)


async def save_item(
    session: AsyncSession, *, item_id: str, terms: ItemTerms, now: datetime
) -> Change:
    """Make an item, or change it.

    Raises:
        DiscoverSectionNotFound: its section does not exist.
    """
    await lock_catalogue(session)
    await _section(session, terms.section_key)
    return await save(session, DiscoverItem, item_id, values_of(terms), now=now)


async def delete_item(session: AsyncSession, *, item_id: str) -> Change:
    """Delete an item.

    Raises:
        DiscoverItemNotFound: there is none.
    """
    await lock_catalogue(session)
    item = await session.get(DiscoverItem, item_id)
    if item is None:
        raise DiscoverItemNotFound(f"there is no item {item_id}")
    return await remove(session, item)


async def _section(session: AsyncSession, key: str) -> DiscoverSection:
    section = await session.get(DiscoverSection, key)
    if section is None:
        raise DiscoverSectionNotFound(f"there is no section {key}")
    return section
