"""Users counted by what their renders came to."""

from medici.domain.analytics import queries
from medici.domain.analytics.queries import Renderers
from medici.domain.analytics.spans import Window, floor_hour
from medici.kernel.db.database import Database
from tests.domain.analytics.reports import HOUR, MINUTE, NOW, RENDERED, ago, roll, tell

WINDOW = Window.of_hours(24, until=NOW)


class TestRenderers:
    async def test_are_counted_once_however_often_they_render(self, database: Database) -> None:
        await tell(
            database,
            ago(RENDERED, 5 * HOUR),
            ago(RENDERED, 3 * HOUR, tier="final", credits=None),
            ago(RENDERED, MINUTE, status="failed"),
            ago(RENDERED, HOUR, user_id="bob", status="failed"),
            ago(RENDERED, MINUTE, user_id="cleo", credits=0),
            ago(RENDERED, 30 * HOUR, user_id="dan"),
            ago(RENDERED, HOUR, user_id="eve", status="in_progress"),
            ago(RENDERED, HOUR, user_id=None),
            ago(RENDERED, HOUR, user_id="fay", trusted=False),
        )
        await roll(database)

        async with database.reading() as session:
            found = await queries.renderers(session, WINDOW, floor_hour(NOW))
            raw = await queries.renderers(session, WINDOW, None)

        assert found == raw == Renderers(all=3, previewing=2, finishing=1, paying=1)
