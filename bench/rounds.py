"""What a worker did in one round of a measurement."""

from collections.abc import Sequence
from dataclasses import dataclass

MARGIN = 0.1  # the share of jobs at either end of a round that does not count for its pace


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Jobs that a worker has done."""

    began_at: Sequence[float] = ()  # of each job, in seconds; where that is known
    finished_at: Sequence[float]  # of each job, by the same clock
    cpu_seconds: float  # that the worker used, with its children

    @property
    def per_second(self) -> float:
        """The pace at which jobs were finished, without the first and the last of them.

        The ends of a round say more about the start of a process and the last straggler.
        """
        ordered = sorted(self.finished_at)
        skipped = int(MARGIN * len(ordered))
        inner = ordered[skipped : len(ordered) - skipped]
        return (len(inner) - 1) / (inner[-1] - inner[0])

    @property
    def cpu_milliseconds(self) -> float:
        """What one job cost."""
        return 1000 * self.cpu_seconds / len(self.finished_at)

    @property
    def milliseconds(self) -> list[float]:
        """How long each job took."""
        return [
            1000 * (finished - began)
            for began, finished in zip(self.began_at, self.finished_at, strict=True)
        ]
