"""Why a render is refused, and what cannot be done to one."""

from medici.kernel.errors import Kind, MediciError, Unavailable


class RenderJobNotFound(MediciError):
    """No such job, or it is somebody else's."""

    kind = Kind.NOT_FOUND
    code = "job_not_found"


class RenderRefused(MediciError):
    """An admission that was turned down before anything was written."""


class PreviewRequired(RenderRefused):
    """A final picture needs a completed preview of the same project and style first."""

    kind = Kind.CONFLICT
    code = "preview_required_before_final"


class CreditsMissing(RenderRefused):
    """The wallet does not cover the price."""

    kind = Kind.PAYMENT_REQUIRED
    code = "insufficient_credits"


class TooManyJobsInFlight(RenderRefused):
    """The user has as many unfinished renders as they may have."""

    kind = Kind.RATE_LIMITED
    code = "too_many_jobs_in_flight"
    retry_after_seconds = 5.0


class NobodyLeft(MediciError):
    """No provider of the job's route can be asked."""

    kind = Kind.UNAVAILABLE
    code = "provider_dispatch_failed"


class AttemptNotFound(MediciError):
    """No such attempt at this provider, or the call does not speak of its work."""

    kind = Kind.NOT_FOUND
    code = "attempt_not_found"


class TooEarly(Unavailable):
    """A provider's call overtook our own bookkeeping; it will come again."""

    code = "attempt_not_ready"


class InputUnusable(MediciError):
    """The customer's picture cannot be read or is none; the job fails with this code."""

    kind = Kind.UNPROCESSABLE
    code = "input_image_unusable"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ProviderSilent(Unavailable):
    """A provider that holds our work gave no usable answer this time."""

    code = "provider_unreachable"
