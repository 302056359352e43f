"""Who wants to know how background work goes, such as the metrics."""

from typing import Protocol


class JobObserver(Protocol):
    """Told of each run; quick, and raises nothing."""

    def started(self, kind: str) -> None: ...

    def finished(self, kind: str, outcome: str, seconds: float) -> None:
        """``outcome`` is one of done, again, failed, handed_back, lost."""


class Silent:
    """Tells nobody."""

    def started(self, kind: str) -> None: ...

    def finished(self, kind: str, outcome: str, seconds: float) -> None: ...
