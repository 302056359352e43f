"""The servers that the suite brings along really are there."""

import redis
from sqlalchemy import text

from medici.kernel.db.database import Database


class TestValkey:
    def test_keeps_and_forgets(self, valkey_url: str) -> None:
        with redis.Redis.from_url(valkey_url) as client:
            client.set("a", "1")
            kept = client.get("a")
            client.flushall()

            assert (kept, client.get("a")) == (b"1", None)


class TestDatabases:
    async def test_are_of_both_kinds(self, database: Database) -> None:
        statement, oldest = {
            "sqlite": ("SELECT sqlite_version()", 3),
            "postgresql": ("SHOW server_version", 15),
        }[database.dialect]
        async with database.reading() as session:
            version = str(await session.scalar(text(statement)))

        assert int(version.split(".", maxsplit=1)[0]) >= oldest
