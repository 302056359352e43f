"""What customers know: every order they sent and every answer they got, safe from any crash."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Happening: TypeAlias = Literal["sent", "answered", "unanswered", "canceled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that happened to an order. ``status`` is 0 where nothing was answered."""

    order: int
    happening: Happening
    keyed: bool
    status: int = 0
    job_id: str | None = None
    retry_after: str | None = None
    sent_at: float = 0.0  # of what was answered: by the clock on the wall, in seconds
    took_seconds: float = 0.0  # from there to the answer

    @property
    def acknowledges(self) -> bool:
        return self.happening == "answered" and self.status == 200


class Journal:
    """A file of lines, each on the disk before anything else happens."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8")

    def write(self, line: Line) -> None:
        self._file.write(json.dumps(asdict(line)) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def lines(self) -> list[Line]:
        """Read everything back."""
        return [Line(**json.loads(text)) for text in self.path.read_text("utf-8").splitlines()]

    def close(self) -> None:
        self._file.close()
