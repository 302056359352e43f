"""Reading ``DATABASE_URL``: many spellings, one driver for each database."""

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from medici.kernel.db.errors import UnsupportedDatabase

# libpq's names of connection options, and what asyncpg calls them; None means: not needed.
LIBPQ_OPTIONS: dict[str, str | None] = {
    "sslmode": "ssl",
    "connect_timeout": "timeout",
    "channel_binding": None,
    "application_name": None,
}


def database_url(text: str) -> URL:
    """Turn a connection string into the URL of the driver that we chose for its database.

    Accepts ``sqlite://``, ``postgres://`` and ``postgresql://`` with or without a driver.

    Raises:
        UnsupportedDatabase: another database, or SQLite in memory, which connections cannot share.
    """
    try:
        url = make_url(text.replace("postgres://", "postgresql://", 1))
    except ArgumentError as error:
        raise UnsupportedDatabase("DATABASE_URL is not a connection string") from error
    match url.get_backend_name():
        case "sqlite":
            return _sqlite(url)
        case "postgresql":
            return _postgresql(url)
        case other:
            raise UnsupportedDatabase(f"DATABASE_URL names {other}; use sqlite or postgresql")


def sqlite_path(url: URL) -> Path | None:
    """Return where the SQLite file lies; None for PostgreSQL."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(url.database).absolute()


def _sqlite(url: URL) -> URL:
    if not url.database or url.database == ":memory:":
        raise UnsupportedDatabase(
            "SQLite in memory cannot be shared; name a file: sqlite:///./app.db"
        )
    return url.set(drivername="sqlite+aiosqlite")


def _postgresql(url: URL) -> URL:
    query = dict(url.query)
    for libpq, ours in LIBPQ_OPTIONS.items():
        value = query.pop(libpq, None)
        if value is not None and ours is not None:
            query[ours] = value
    return url.set(drivername="postgresql+asyncpg", query=query)
