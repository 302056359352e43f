"""Reading the discover feed."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from medici.domain.plans.models import DiscoverItem, DiscoverSection

TABS = ("Home", "Garden", "Exterior Design")  # as the apps know them


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A section with what stands in it; never empty."""

    section: DiscoverSection
    items: Sequence[DiscoverItem]


async def shelves(session: AsyncSession, *, tab: str | None) -> list[Shelf]:
    """Return the feed in the operator's order; ``tab`` keeps one category, in any case."""
    shown = (
        select(DiscoverSection, DiscoverItem)
        .join(DiscoverItem, DiscoverItem.section_key == DiscoverSection.key)
        .where(DiscoverSection.is_active, DiscoverItem.is_active)
        .order_by(DiscoverSection.sort_order, DiscoverSection.key)
        .order_by(DiscoverItem.sort_order, DiscoverItem.id)
    )
    found: dict[str, tuple[DiscoverSection, list[DiscoverItem]]] = {}
    for section, item in await session.execute(shown):
        # Compared here, because SQLite folds the case of ASCII alone.
        if tab is None or item.category.casefold() == tab.casefold():
            found.setdefault(section.key, (section, []))[1].append(item)
    return [Shelf(section=section, items=items) for section, items in found.values()]


def sections_in_order() -> Select[DiscoverSection]:
    return select(DiscoverSection).order_by(DiscoverSection.sort_order, DiscoverSection.key)


def items_in_order(*, section_key: str | None = None) -> Select[DiscoverItem]:
    """Select items, of one section or of all, in the operator's order."""
    wanted = select(DiscoverItem).order_by(
        DiscoverItem.section_key, DiscoverItem.sort_order, DiscoverItem.id
    )
    return wanted if section_key is None else wanted.where(DiscoverItem.section_key == section_key)
