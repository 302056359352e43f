"""The schema of a test database: made by the migrations, as in real life."""

from medici.kernel.db.database import Database
from medici.migrations.upgrade import upgrade


async def create_schema(url: str) -> None:
    """Bring an empty database to the newest schema."""
    database = Database.open(url)
    await upgrade(database)
    await database.close()
