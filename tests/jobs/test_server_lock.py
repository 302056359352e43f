"""The lock of the one server on a SQLite file."""

import subprocess
import sys
from pathlib import Path

from medici.jobs.server_lock import ServerLock

CHILD = """
import sys
from pathlib import Path
from medici.jobs.server_lock import ServerLock

print(ServerLock(Path(sys.argv[1])).acquire(), flush=True)
sys.stdin.read()
"""


def child(file: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


class TestServerLock:
    async def test_is_held_by_one_process_and_dropped_by_its_death(self, tmp_path: Path) -> None:
        lock = ServerLock(tmp_path / "app.db")

        with child(tmp_path / "app.db") as first:
            assert answer(first) == "True"
            assert not lock.acquire()
            first.kill()

        assert lock.acquire()
        assert lock.acquire()
        with child(tmp_path / "app.db") as second:
            assert answer(second) == "False"
            second.kill()
        lock.release()
        with child(tmp_path / "app.db") as third:
            assert answer(third) == "True"
            third.kill()
