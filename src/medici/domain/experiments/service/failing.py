"""One experiment that cannot be evaluated must not keep the others from it."""

import structlog

from medici.jobs.errors import LeaseLost
from medici.kernel.errors import MediciError, Unavailable

log = structlog.get_logger("medici.experiments")
UNKNOWN = MediciError.code
PREFIX = "error:"


def told(experiment_id: str, error: Exception) -> str:
    """Return the reason to tell for a failure; raise one that is not this experiment's alone."""
    if isinstance(error, LeaseLost | Unavailable):
        raise error
    if isinstance(error, MediciError):
        return f"{PREFIX}{error.code}"
    log.error("experiment.not_evaluated", experiment_id=experiment_id, exc_info=error)
    return f"{PREFIX}{UNKNOWN}"


def code_in(reason: str | None) -> str | None:
    """Return the code of a failure, if the reason is one."""
    return reason.removeprefix(PREFIX) if reason and reason.startswith(PREFIX) else None
