"""Which failures of a command are no fault of ours, and how they are told."""

from alembic.util import CommandError
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from medici.kernel.db.errors import DatabaseUnavailable, is_outage
from medici.kernel.errors import MediciError


def words_for(error: BaseException) -> str | None:
    """Return what to tell a person at a shell; None for a fault, which keeps its traceback."""
    match error:
        case ValidationError(title="Settings"):
            return f"the settings cannot be used: {_fields(error)}"
        case DatabaseUnavailable():
            return f"the database does not answer: {_first_line(error.__cause__ or error)}"
        case MediciError():
            return f"{error} ({error.code})"
        case CommandError() | OSError():
            return str(error)
        case DBAPIError() if is_outage(error):
            return f"the database does not answer: {_first_line(error)}"
    return None


def _fields(error: ValidationError) -> str:
    """Name each variable with what is wrong, but not its value, which may be a secret."""
    told = error.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in told)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)
