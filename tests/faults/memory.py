"""What processes keep for themselves, as the system counts it."""

from dataclasses import dataclass
from pathlib import Path

from tests.faults.processes import MediciProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """The memory that a process has in use, without its children, and its files and connections."""

    mib: float
    files: int

    @classmethod
    def of(cls, process: MediciProcess) -> "Weight":
        proc = Path(f"/proc/{process.pid}")
        (line,) = (line for line in _lines(proc / "status") if line.startswith("VmRSS:"))
        return cls(mib=int(line.split()[1]) / 1024, files=len(list((proc / "fd").iterdir())))

    def __str__(self) -> str:
        return f"{self.mib:.1f} MiB, {self.files} files"


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines()
