"""What a database can do to a caller, in the words of the product."""

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from medici.kernel.errors import Kind, MediciError, Unavailable


class DatabaseUnavailable(Unavailable):
    """The database does not answer, is restarting, or accepts no writes for now."""

    code = "database_unavailable"

    def __init__(self) -> None:
        super().__init__("the database does not take this request now; try again shortly")


class UnsupportedDatabase(MediciError):
    """``DATABASE_URL`` names something that Medici does not speak."""

    kind = Kind.INVALID
    code = "unsupported_database"


# SQLSTATE prefixes after which the same request may succeed later: connection trouble, lack of
# resources, shutdown, system errors, read-only, serialisation, deadlock, lock not to be had.
TRANSIENT_STATES = ("08", "53", "57P", "58", "25006", "40001", "40P01", "55P03")
# SQLite's primary codes of the same meaning: BUSY LOCKED READONLY IOERR FULL CANTOPEN.
TRANSIENT_CODES = frozenset({5, 6, 8, 10, 13, 14})


def is_outage(error: BaseException) -> bool:
    """Tell whether the failure is the database's own state rather than our statement."""
    if isinstance(error, PoolTimeout | TimeoutError | OSError):
        return True
    if not isinstance(error, DBAPIError) or error.orig is None:
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    code = getattr(error.orig, "sqlite_errorcode", None)
    if state is not None:
        return str(state).startswith(TRANSIENT_STATES)
    if code is not None:
        return (int(code) & 0xFF) in TRANSIENT_CODES
    return isinstance(error.orig.__cause__, OSError | TimeoutError)
