"""Everything that was ever told, told once more, leads to the same."""

from pathlib import Path
from random import Random

import pytest

from medici.domain.billing.models import EntitlementStatus
from medici.domain.billing.rules import Entitlement
from medici.domain.billing.service.claims import claim
from medici.domain.billing.service.entitlements import set_entitlement
from medici.domain.billing.service.replay import replay
from medici.domain.identity.owner import Owner
from medici.domain.identity.service import ensure_user
from medici.kernel.db.database import Database
from tests.domain.billing.books import KEYS, POLICY, books, hashed, open_shop, take_all
from tests.domain.billing.histories import NOW, Line, pack, random_history
from tests.support.databases import Template, opened


class TestReplay:
    @pytest.mark.parametrize("seed", [1, 2])
    async def test_into_an_empty_database_gives_the_same(
        self, opened_shop: Database, template: Template, tmp_path: Path, seed: int
    ) -> None:
        await _live(opened_shop, Random(seed))
        (tmp_path / "other").mkdir()
        async with template.copy(tmp_path / "other") as url, opened(url) as other:
            async with other.transaction() as session:
                await open_shop(session)

            count = await replay(opened_shop, other, keys=KEYS, policy=POLICY)

            assert count > 4
            async with opened_shop.reading() as here, other.reading() as there:
                assert await books(there) == await books(here)


async def _live(database: Database, random: Random) -> None:
    """Let stores, customers and operators do what they do."""
    history = random_history(random)
    random.shuffle(history)
    await take_all(database, [*history, pack("p9", user_id=None)])
    shown = Line(lineage_id="shown", user_id=None).paid(2)
    async with database.transaction() as session:
        await ensure_user(session, user_id="eve", now=NOW)
        for news in (shown, pack("p9", user_id=None)):
            await claim(
                session,
                user_id="eve",
                news=news,
                keys=KEYS,
                policy=POLICY,
                payload_hash=hashed(news),
                now=NOW,
            )
        given = Entitlement(plan_id="pro", status=EntitlementStatus.ACTIVE)
        await set_entitlement(session, owner=Owner.user("bob"), entitlement=given, now=NOW)
