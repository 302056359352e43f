"""Sending work to a provider once, and finding it again when its answer was lost."""

from medici.adapters.providers.failure import FailureCode, ProviderFailure
from medici.adapters.providers.provider import Provider, Recovery, Submission
from medici.adapters.providers.request import RenderRequest
from medici.domain.rendering.errors import ProviderSilent

PASSING = frozenset(  # says something about this moment, nothing about our work
    {FailureCode.UNAVAILABLE, FailureCode.RATE_LIMITED, FailureCode.TIMEOUT_AMBIGUOUS}
)


class WordAwaited(ProviderFailure):
    """The outcome is unknown, but the provider calls us when the work is done, if it has it."""

    def __init__(self, message: str) -> None:
        super().__init__(FailureCode.TIMEOUT_AMBIGUOUS, message)


async def submitted(
    provider: Provider, request: RenderRequest, *, resumed: bool, last_chance: bool
) -> Submission:
    """Send the work, unless the provider has it: after a lost answer it is asked first.

    ``resumed`` tells that an earlier run may have sent this very request; on the ``last_chance``
    a provider that cannot be asked counts as one that does not know.

    Raises:
        ProviderFailure: refused, or nobody can tell what became of it (``TIMEOUT_AMBIGUOUS``);
            of which ``WordAwaited`` is the kind where a webhook may tell.
        ProviderSilent: the provider may be able to tell later.
    """
    if resumed and (found := await _recovered(provider, request, last_chance=last_chance)):
        return found
    try:
        return await provider.submit(request)
    except ProviderFailure as failure:
        if failure.code is not FailureCode.TIMEOUT_AMBIGUOUS:
            raise
        if found := await _recovered(provider, request, last_chance=last_chance):
            return found
        raise ProviderFailure(FailureCode.UNAVAILABLE, "it never took the work") from failure


async def _recovered(
    provider: Provider, request: RenderRequest, *, last_chance: bool
) -> Submission | None:
    """Find a submission whose answer was lost; None where it was not accepted."""
    try:
        found = await provider.recover(request)
    except ProviderFailure as failure:
        if failure.code in PASSING and not last_chance:
            raise ProviderSilent(str(failure)) from failure
        raise ProviderFailure(FailureCode.TIMEOUT_AMBIGUOUS, failure.message) from failure
    if isinstance(found, Submission):
        return found
    if found is Recovery.AWAITED:
        raise WordAwaited("the answer was lost; the provider may call")
    if found is Recovery.UNKNOWN:
        raise ProviderFailure(
            FailureCode.TIMEOUT_AMBIGUOUS, "the answer was lost and the work cannot be found"
        )
    return None
