"""How far work is: by the fake's clock, or by how often somebody looked."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from medici.fakes.fal.refusals import CANCELED
from medici.fakes.faults import FaultKind
from medici.fakes.plane import Plane, Work

WAITING_LOOKS = 2  # so often the answer is IN_QUEUE, unless the clock is ahead
RUNNING_LOOKS = 1
WIDTH, HEIGHT = 512, 384


class Status(StrEnum):
    IN_QUEUE = "IN_QUEUE"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"


@dataclass(kw_only=True)
class Pace:
    """How long work takes. Without ``seconds`` it ends after some looks, whatever the clock."""

    seconds: float | None = None


def status_of(work: Work, plane: Plane, pace: Pace) -> Status:
    if work.canceled:
        return Status.COMPLETED
    if pace.seconds is not None:
        share = (plane.now() - work.created_at) / timedelta(seconds=max(pace.seconds, 1e-6))
        if share >= 1:
            return Status.COMPLETED
        return Status.IN_PROGRESS if share >= 1 / 3 else Status.IN_QUEUE
    if work.looks <= WAITING_LOOKS:
        return Status.IN_QUEUE
    late = work.looks > WAITING_LOOKS + RUNNING_LOOKS
    return Status.COMPLETED if late else Status.IN_PROGRESS


def told(work: Work, status: Status, addresses: dict[str, str]) -> dict[str, Any]:
    """Write the state as the queue does; a failed job is completed, too."""
    said: dict[str, Any] = {"status": status, "request_id": work.id, **addresses}
    if status is Status.IN_QUEUE:
        return said | {"queue_position": max(0, WAITING_LOOKS - work.looks)}
    said["logs"] = [
        {
            "timestamp": work.created_at.isoformat(),
            "level": "INFO",
            "source": "USER",
            "message": "loading the model",
        }
    ]
    if status is Status.COMPLETED:
        said["metrics"] = {"inference_time": 1.5}
        if error := error_of(work):
            said |= {"error": error.words, "error_type": error.type}
    return said


def output_of(work: Work, base: str) -> dict[str, Any]:
    """Write the result as the models do."""
    picture = {
        "url": f"{base}/files/{work.id}/out.png",
        "width": WIDTH,
        "height": HEIGHT,
        "content_type": "image/png",
        "file_name": "out.png",
    }
    empty = work.fault.kind is FaultKind.EMPTY_IMAGES
    return {
        "images": [] if empty else [picture],
        "seed": 7,
        "has_nsfw_concepts": [] if empty else [False],
        "prompt": work.input.get("prompt", ""),
        "timings": {"inference": 1.5},
    }


@dataclass(frozen=True, slots=True)
class WorkError:
    """Why work brought nothing, in the vendor's words and by its type."""

    words: str
    type: str


def error_of(work: Work) -> WorkError | None:
    """Tell how work fails once it has ended; None where it brings something."""
    if work.canceled:
        return WorkError("Request was cancelled", CANCELED)
    if work.fault.kind is FaultKind.JOB_FAILED:
        return WorkError("The work failed", work.fault.failure or "runner_server_error")
    if work.fault.kind is FaultKind.MODERATED:
        return WorkError("Refused by policy", "content_policy_violation")
    return None
