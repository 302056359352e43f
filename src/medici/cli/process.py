"""What a command has open while it runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from medici.bootstrap import opened, prepare
from medici.cli.schema import require_newest
from medici.kernel.db.database import Database
from medici.kernel.errors import Kind, MediciError
from medici.resources import Resources
from medici.settings import Settings
from medici.startup import check_settings, start_telemetry


class DevelopmentOnly(MediciError):
    """Made-up customers do not belong among real ones."""

    kind = Kind.FORBIDDEN
    code = "development_only"

    def __init__(self) -> None:
        super().__init__("this is for development; APP_ENV says production")


def command_settings() -> Settings:
    """Read the settings; logs of less than a warning are told only where a level was chosen."""
    settings = Settings()
    if "medici_log_level" in settings.model_fields_set:
        return settings
    return settings.model_copy(update={"medici_log_level": "warning"})


def development_settings() -> Settings:
    """Read the settings of a deployment without customers.

    Raises:
        DevelopmentOnly: it is in production.
    """
    settings = command_settings()
    if settings.is_production:
        raise DevelopmentOnly
    return settings


@asynccontextmanager
async def at_work(settings: Settings) -> AsyncIterator[Resources]:
    """Open what the settings name, with a database that is ready for the application."""
    start_telemetry(settings)
    check_settings(settings)
    async with opened(settings) as resources:
        await resources.database.check()
        if not settings.medici_auto_migrate:
            await require_newest(resources.database)
        await prepare(resources)
        yield resources


@asynccontextmanager
async def database_alone(settings: Settings) -> AsyncIterator[Database]:
    """Open the database as it is, whatever its revision."""
    start_telemetry(settings)
    database = Database.open(settings.database_url)
    try:
        await database.check()
        yield database
    finally:
        await database.close()
