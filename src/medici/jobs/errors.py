"""What can go wrong with a job, apart from its own work."""

from uuid import UUID

from medici.kernel.errors import Kind, MediciError


class LeaseLost(MediciError):
    """This run no longer holds its job: another took it over, or it was finished or canceled."""

    kind = Kind.CONFLICT
    code = "lease_lost"

    def __init__(self, job_id: UUID) -> None:
        super().__init__(f"job {job_id} is not held by this run any more")


class RunTimedOut(MediciError):
    """A run took longer than its kind allows."""

    kind = Kind.UNAVAILABLE
    code = "timeout"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not finished within {seconds:g} s")


class RunAborted(MediciError):
    """A run was cancelled from within, by nobody of ours."""

    code = "aborted"


class UnknownJobKind(MediciError):
    """No handler here knows this kind; a newer process may."""

    kind = Kind.UNAVAILABLE
    code = "unknown_job_kind"

    def __init__(self, name: str) -> None:
        super().__init__(f"no handler is registered for {name}")


class UnfitArguments(MediciError):
    """The stored arguments are not those that the handler takes."""

    kind = Kind.INVALID
    code = "unfit_job_arguments"


class JobNotFound(MediciError):
    """There is no such job."""

    kind = Kind.NOT_FOUND
    code = "job_not_found"


class JobNotDead(MediciError):
    """Only a dead job can be revived."""

    kind = Kind.CONFLICT
    code = "job_not_dead"


class JobNotWaiting(MediciError):
    """Only a job that waits for its next run can be taken out of the queue."""

    kind = Kind.CONFLICT
    code = "job_not_waiting"


class JobSucceeded(MediciError):
    """The work of a dead job waits already, as another job with the same key."""

    kind = Kind.CONFLICT
    code = "job_succeeded"
