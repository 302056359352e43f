"""Processor time by the operating system's own accounting, with that of every descendant."""

import os
from pathlib import Path

from tests.faults.processes import children_of

TICKS = os.sysconf("SC_CLK_TCK")
PARENT, FIRST_TIME, LAST_TIME = 1, 11, 14  # fields of /proc/PID/stat, counted after the name


def family_cpu_seconds(pid: int) -> float:
    """Return what a process and its descendants have used, those included that have ended."""
    return own_cpu_seconds(pid) + sum(map(family_cpu_seconds, children_of(pid)))


def own_cpu_seconds(pid: int) -> float:
    """Return what a process and the children that it has outlived have used; 0 if it is gone."""
    try:
        times = _fields(pid)[FIRST_TIME : LAST_TIME + 1]
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(map(int, times)) / TICKS


def parent_of(pid: int) -> int:
    return int(_fields(pid)[PARENT])


def _fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
