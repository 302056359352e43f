"""Pure decisions about a render: its words, its pace, and what follows a failure."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from medici.adapters.providers.failure import FailureCode, ProviderFailure, WorkExpired
from medici.adapters.providers.request import Operation, Part, Tier
from medici.domain.rendering.models import RenderState

RETRY_BUDGET = 4  # for one job, over all providers
RETRIES_OF = {  # at one provider
    FailureCode.UNAVAILABLE: 2,
    FailureCode.RATE_LIMITED: 2,
    FailureCode.NO_OUTPUT: 1,
}
POSSIBLY_CHARGED = frozenset({FailureCode.TIMEOUT_AMBIGUOUS, FailureCode.NO_OUTPUT})
VERDICTS = frozenset(  # the provider's word that it made no picture
    {FailureCode.MODERATED, FailureCode.INVALID_INPUT, FailureCode.PROVIDER_FAILED}
)
RETRY_BASE_SECONDS = 0.5
RETRY_CAP_SECONDS = 8.0
PATIENCE_SECONDS = 60.0  # a longer wait than this is the next provider's chance
FIRST_POLL_SECONDS = 0.5
SLOWEST_POLL_SECONDS = 10.0
FULL_PAUSE = timedelta(seconds=1)  # until a full provider is looked at again
CIRCUIT_PATIENCE = timedelta(seconds=60)  # a longer pause is not waited for
PLACE_PATIENCE = timedelta(minutes=15)  # for a provider to have room, from admission on
WORD_PATIENCE = timedelta(minutes=5)  # for a webhook, where nobody can be asked
SILENCE = timedelta(seconds=60)  # without news, after which the sweep looks after a job
PREVIEW_PIXELS = 800_000  # enough to judge by, such as 1024 x 768
ATTEMPT_LIFETIME = timedelta(minutes=15)
HOLD_LIFETIME = timedelta(hours=24) + ATTEMPT_LIFETIME

WIRE_STATUS = {
    RenderState.QUEUED: "queued",
    RenderState.SENDING: "in_progress",
    RenderState.RUNNING: "in_progress",
    RenderState.UNCERTAIN: "in_progress",
    RenderState.SUCCEEDED: "completed",
    RenderState.MODERATED: "failed",
    RenderState.EXPIRED: "failed",
    RenderState.FAILED: "failed",
    RenderState.CANCELED: "canceled",
}
OPERATION_WORDS = {
    Operation.RESTYLE: "restyle the room",
    Operation.REPLACE: "replace what is marked",
    Operation.REMOVE: "remove what is marked",
    Operation.REPAINT: "repaint the room",
}

SENTENCES = {
    "expired": "No provider finished the picture in time.",
    "moderated": "The provider's content policy refused this picture.",
    "invalid_input": "The provider cannot work with this picture.",
    "provider_outcome_uncertain": "The provider's answer was lost.",
    "provider_dispatch_failed": "No provider delivered a picture.",
}


class Next(StrEnum):
    """What a job does after one of its attempts failed."""

    RETRY = "retry"  # the same provider again
    FALL_BACK = "fall_back"  # the next candidate
    STOP = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the route says about outcomes that are no plain failure."""

    fall_back_on_moderation: bool = False
    fall_back_on_uncertain: bool = False
    max_retries: int = 2  # at one provider, whatever the failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a job stands when an attempt failed."""

    tries_here: int  # attempts at this provider, the failed one included
    retries: int  # used by the whole job
    has_next: bool  # another candidate is left


def after_failure(failure: ProviderFailure, standing: Standing, policy: Policy) -> Next:
    """Decide how a job goes on, by the taxonomy of failures.

    A refusal for the input's sake stops the job: another provider would be asked in vain.
    """
    if _retryable(failure, standing, policy):
        return Next.RETRY
    if standing.has_next and _may_fall_back(failure.code, policy):
        return Next.FALL_BACK
    return Next.STOP


def _retryable(failure: ProviderFailure, standing: Standing, policy: Policy) -> bool:
    if (failure.retry_after_seconds or 0) > PATIENCE_SECONDS:
        return False
    most = min(RETRIES_OF.get(failure.code, 0), policy.max_retries)
    return standing.retries < RETRY_BUDGET and standing.tries_here <= most


def _may_fall_back(code: FailureCode, policy: Policy) -> bool:
    if code is FailureCode.MODERATED:
        return policy.fall_back_on_moderation
    if code is FailureCode.TIMEOUT_AMBIGUOUS:
        return policy.fall_back_on_uncertain
    return code is not FailureCode.INVALID_INPUT


def final_state(failure: ProviderFailure) -> tuple[RenderState, str]:
    """Return how a job ends whose last attempt failed: its state and the code that clients see."""
    if isinstance(failure, WorkExpired):
        return RenderState.EXPIRED, "expired"
    match failure.code:
        case FailureCode.MODERATED:
            return RenderState.MODERATED, "moderated"
        case FailureCode.INVALID_INPUT:
            return RenderState.FAILED, "invalid_input"
        case FailureCode.TIMEOUT_AMBIGUOUS:
            return RenderState.FAILED, "provider_outcome_uncertain"
        case _:
            return RenderState.FAILED, "provider_dispatch_failed"


def sentence_for(code: str) -> str:
    """Return what a customer is told; providers' own words are for the operator."""
    return SENTENCES.get(code, "The render could not be carried out.")


def may_have_cost(failure: ProviderFailure, *, accepted: bool) -> bool:
    """Tell whether a provider may charge for an attempt that brought nothing.

    ``accepted`` tells that it had taken the work before it failed.
    """
    if isinstance(failure, WorkExpired) or failure.code in POSSIBLY_CHARGED:
        return True
    return accepted and failure.code not in VERDICTS


def output_pixels(tier: Tier, most: int) -> int:
    """Return how many pixels a picture may have: a final all that the settings allow."""
    return min(PREVIEW_PIXELS, most) if tier is Tier.PREVIEW else most


def retry_delay_seconds(tries_here: int, chance: float, retry_after: float | None) -> float:
    """Return how long to wait before the same provider is asked again.

    ``chance`` lies in [0, 1). The provider's own hint wins.
    """
    if retry_after is not None and 0 < retry_after <= PATIENCE_SECONDS:
        return retry_after
    return chance * min(RETRY_CAP_SECONDS, RETRY_BASE_SECONDS * 2.0**tries_here)


def poll_delay_seconds(polls: int, chance: float) -> float:
    """Return how long to wait before the ``polls``-th look, give or take a fifth."""
    pace = min(SLOWEST_POLL_SECONDS, FIRST_POLL_SECONDS * 1.5 ** min(polls, 20))
    return pace * (0.8 + 0.4 * chance)


def compose_prompt(
    style_prompt: str,
    operation: Operation,
    parts: tuple[Part, ...],
    wishes: tuple[str, ...],
) -> str:
    """Put the words for a provider together: style, work, parts, and the customer's own wishes."""
    named = [part.value.replace("_", " ") for part in parts if part is not Part.FULL_ROOM]
    scope = f"only the {' and '.join(named)}" if named else ""
    pieces = [style_prompt, OPERATION_WORDS[operation], scope, *wishes]
    return ", ".join(piece.strip() for piece in pieces if piece.strip())[:4000]
