"""The lock of a server that has a SQLite file for itself."""

import fcntl
import os
from pathlib import Path


class ServerLock:
    """An exclusive lock on a file beside the database. The system drops it when we die.

    It is a record lock of this process: a child that outlives us does not keep it, and a second
    lock on the same file within one process is no obstacle.
    """

    def __init__(self, database_file: Path) -> None:
        self.path = database_file.with_name(database_file.name + ".server-lock")
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock; False, without waiting, where another process has it."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the lock back; the file stays."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
