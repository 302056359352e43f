"""Refusing to work on a database that lacks what this program needs."""

from medici.kernel.db.database import Database
from medici.kernel.errors import Kind, MediciError
from medici.migrations.revisions import known_revisions, newest_revision, stored_revision


class SchemaBehind(MediciError):
    """The database lacks what this program needs."""

    kind = Kind.CONFLICT
    code = "schema_behind"

    def __init__(self, stored: str | None, newest: str | None) -> None:
        super().__init__(
            f"the database is at revision {stored or 'none'}, this program needs {newest}; "
            "run: medici migrate"
        )


async def require_newest(database: Database) -> None:
    """Make sure that a database has all that this program needs.

    A revision that we do not know is one of a newer program, which left us what we need.

    Raises:
        SchemaBehind: it is at an older revision.
    """
    stored, newest = await stored_revision(database), newest_revision()
    if stored is None or (stored in known_revisions() and stored != newest):
        raise SchemaBehind(stored, newest)
