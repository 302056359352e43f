"""How far a prediction is, told from the clock, and how the vendor writes it down."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from medici.fakes.faults import FaultKind
from medici.fakes.plane import Plane, Work
from medici.fakes.replicate.habits import PREDICT_SECONDS, Habits, OutputShape

KEPT_FOR = timedelta(hours=1)
MODERATED = "The input or output was flagged as sensitive. Please try again. (E005)"
FAILED = "Prediction interrupted; please retry (code: PA) (E6716)"


class Status(StrEnum):
    STARTING = "starting"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_terminal(self) -> bool:
        return self not in {Status.STARTING, Status.PROCESSING}


@dataclass(kw_only=True)
class Order:
    """What was ordered beside the input, and the habits that held at that moment."""

    version: str
    webhook: str | None
    events: frozenset[str]
    output: OutputShape
    starts_at: datetime
    ends_at: datetime
    canceled_at: datetime | None = None


class Predictions:
    """All predictions of one fake."""

    def __init__(self, plane: Plane, habits: Habits) -> None:
        self._plane = plane
        self._habits = habits
        self._orders: dict[str, Order] = {}

    def take(
        self, work: Work, *, version: str, webhook: str | None, events: frozenset[str]
    ) -> None:
        """Begin to walk; a third of the way is spent in the queue."""
        way = timedelta(seconds=self._habits.seconds)
        self._orders[work.id] = Order(
            version=version,
            webhook=webhook,
            events=events,
            output=self._habits.output,
            starts_at=work.created_at + way / 3,
            ends_at=work.created_at + way,
        )

    def find(self, prediction_id: str) -> Work | None:
        return self._plane.work.get(prediction_id)

    def all(self) -> list[Work]:
        """Return every prediction, the newest first."""
        return list(reversed(self._plane.work.values()))

    def order(self, work: Work) -> Order:
        return self._orders[work.id]

    def status(self, work: Work) -> Status:
        order, now = self._orders[work.id], self._plane.now()
        if work.canceled:
            return Status.CANCELED
        if now < order.starts_at:
            return Status.STARTING
        if now < order.ends_at:
            return Status.PROCESSING
        failing = work.fault.kind in {FaultKind.JOB_FAILED, FaultKind.MODERATED}
        return Status.FAILED if failing else Status.SUCCEEDED

    def cancel(self, work: Work) -> bool:
        """Stop what has not ended and tell whether that was so; what never ran is not charged."""
        status = self.status(work)
        if status.is_terminal:
            return False
        work.canceled = True
        work.billed = 0 if status is Status.STARTING else work.billed
        self._orders[work.id].canceled_at = self._plane.now()
        return True

    def ended_at(self, work: Work) -> datetime:
        order = self._orders[work.id]
        return order.canceled_at or order.ends_at

    def removed(self, work: Work) -> bool:
        """Tell whether the hour is over that results are kept."""
        return self.status(work).is_terminal and self._plane.now() > self.ended_at(work) + KEPT_FOR

    def told(self, work: Work, base: str) -> dict[str, Any]:
        """Write the prediction as the vendor does, in answers and in webhooks alike."""
        order, status = self._orders[work.id], self.status(work)
        removed = self.removed(work)
        started = status is not Status.STARTING and self.ended_at(work) >= order.starts_at
        own = f"{base}/v1/predictions/{work.id}"
        return {
            "id": work.id,
            "model": work.model,
            "version": order.version,
            "status": status,
            "input": {} if removed else work.input,
            "output": None if removed else self._output(work, status, base),
            "error": _error(work, status),
            "logs": _logs(status),
            "metrics": _metrics(work, status),
            "created_at": _written(work.created_at),
            "started_at": _written(order.starts_at) if started else None,
            "completed_at": _written(self.ended_at(work)) if status.is_terminal else None,
            "data_removed": removed,
            "source": "api",
            "urls": {
                "get": own,
                "cancel": f"{own}/cancel",
                "web": f"{base}/p/{work.id}",
                "stream": f"{base}/v1/streams/{work.id}",
            },
        }

    def _output(self, work: Work, status: Status, base: str) -> Any:
        if status is not Status.SUCCEEDED:
            return None
        order = self._orders[work.id]
        address = f"{base}/files/{work.id}/out.png"
        pictures = [] if work.fault.kind is FaultKind.EMPTY_IMAGES else [address]
        match order.output:
            case OutputShape.STRING:
                return pictures[0] if pictures else None
            case OutputShape.LIST:
                return pictures
            case OutputShape.OBJECT:
                return {"seed": 7, "images": pictures}


def _error(work: Work, status: Status) -> str | None:
    if status is not Status.FAILED:
        return None
    if work.fault.kind is FaultKind.MODERATED:
        return work.fault.failure or MODERATED
    return work.fault.failure or FAILED


def _logs(status: Status) -> str:
    if status is Status.STARTING:
        return ""
    bar = "50%|█████     | 14/28" if status is Status.PROCESSING else "100%|██████████| 28/28"
    return f"Using seed: 7\n{bar} [00:02<00:02]\n"


def _metrics(work: Work, status: Status) -> dict[str, float | int]:
    if status is Status.SUCCEEDED:
        count = 0 if work.fault.kind is FaultKind.EMPTY_IMAGES else 1
        return {
            "predict_time": PREDICT_SECONDS,
            "total_time": PREDICT_SECONDS + 1,
            "image_count": count,
        }
    if status is Status.FAILED:
        return {"predict_time": PREDICT_SECONDS, "total_time": PREDICT_SECONDS + 1}
    return {}


def _written(moment: datetime) -> str:
    """Write an instant as the vendor does: with more digits than a microsecond needs."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
