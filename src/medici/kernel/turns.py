"""Taking turns at something that others need as well: so many at once, for each key."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

FIRST_GUESS = timedelta(seconds=1)  # how long a turn takes where none has ended yet
LEAST_PACE = timedelta(milliseconds=20)


@dataclass(slots=True, kw_only=True)
class _Line:
    """Those who have a turn at one key, and until when turns are promised to others."""

    taken: int = 0
    promised: datetime
    lasts: timedelta = FIRST_GUESS


class Turns:
    """Counts within one process. Nobody waits here: who gets no turn hears when to ask again."""

    def __init__(self, *, longest_wait: timedelta = timedelta(minutes=1)) -> None:
        self._lines: dict[Hashable, _Line] = {}
        self._longest_wait = longest_wait

    def take(self, key: Hashable, *, most: int, draw: float, now: datetime) -> datetime | None:
        """Take one of ``most`` turns, to be given back; or return when to ask for one.

        Who asks again comes at the pace at which turns become free; where the line is too long for
        that, at some time within the longest wait, which ``draw`` (0 to 1) decides.
        """
        line = self._lines.setdefault(key, _Line(promised=now))
        if line.taken < most:
            line.taken += 1
            return None
        following = max(line.promised, now) + max(line.lasts / most, LEAST_PACE)
        if following > now + self._longest_wait:
            return now + self._longest_wait * (1 + draw) / 2
        line.promised = following
        return following

    def give_back(self, key: Hashable, *, took: timedelta) -> None:
        """End a turn that was taken; ``took`` is how long it lasted."""
        line = self._lines[key]
        line.taken, line.lasts = line.taken - 1, took
        if not line.taken:
            del self._lines[key]  # whoever was told to wait has no one before them now
