"""Processor time of a process and all its descendants, by the operating system's accounting."""

from pathlib import Path

from tests.faults.processes import children_of

from bench.places import TICKS

PARENT = 1  # fields of /proc/PID/stat, counted after the name
TIMES = slice(11, 15)  # user and system: its own, and of the children that it has outlived


def family_cpu_seconds(pid: int) -> float:
    """Return what a process and its descendants have used, those included that have ended."""
    try:
        used = sum(map(int, _fields(pid)[TIMES])) / TICKS
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return 0.0
    return used + sum(map(family_cpu_seconds, children_of(pid)))


def parent_of(pid: int) -> int:
    return int(_fields(pid)[PARENT])


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
