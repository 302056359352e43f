"""What can be wrong about a reset."""

from medici.kernel.errors import Kind, MediciError


class UnknownTimeZone(MediciError):
    """There is no time zone of that name."""

    kind = Kind.INVALID
    code = "unknown_time_zone"


class ResetRunNotFound(MediciError):
    """There is no such reset."""

    kind = Kind.NOT_FOUND
    code = "reset_run_not_found"
