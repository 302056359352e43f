"""What can be wrong about a reset."""

from medici.kernel.errors import Kind, MediciError


class ResetRunNotFound(MediciError):
    """There is no such reset."""

    kind = Kind.NOT_FOUND
    code = "reset_run_not_found"
