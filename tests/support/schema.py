"""The schema of a test database."""

import importlib
import pkgutil

import medici
from medici.kernel.db.base import Base
from medici.kernel.db.database import Database


def _import_models() -> None:
    for module in pkgutil.walk_packages(medici.__path__, "medici."):
        if module.name.endswith(".models"):
            importlib.import_module(module.name)


async def create_schema(url: str) -> None:
    """Create every table."""
    _import_models()
    database = Database.open(url)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await database.close()
